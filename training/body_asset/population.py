"""Draw a population of adults in MakeHuman's phenotype space, with independently varying limb and head sizes.

The variations (coefficients of 2 to 4 % at a given stature) and the statures were chosen from general anthropometry,
not taken from a dataset. MakeHuman's mean arms are short: upper arm and forearm 15.2 and
13.7 % of stature, where de Leva's tables have 16 and 15 %, and fits of eight people's markers and keypoints (OpenCap,
CMU, pyCGM, AddBiomechanics, Pose2Sim) 16.1 and 14.4 %. So both are lengthened on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .makehuman import ETHNICITIES, MakeHuman

_STATURE_PER_HEIGHT = 1.0898
"""Metres of stature per unit of MakeHuman's height axis."""
_MALE, _FEMALE = (1.76, 0.07, 0.364), (1.63, 0.065, 0.3729)
"""Mean and standard deviation of stature in metres, and the height axis at the mean."""
_LIMB_SHARE, _PART_SHARE = 0.55, 0.45
"""Correlation of limb lengths: loadings of a common factor of all limbs, and of one each for arms and legs."""


@dataclass(frozen=True)
class Proportion:
    """A local size that varies independently.

    Attributes:
        targets: stems of the paired ``-incr`` / ``-decr`` morph targets.
        length: the length it changes, as named in `_LENGTHS`.
        variation: target coefficient of variation of the length at fixed stature.
        factor: "arm" or "leg" if it correlates with the other limb lengths.
        shift: relative increase of the mean length over MakeHuman's.
    """

    targets: tuple[str, ...]
    length: str
    variation: float
    factor: str = ""
    shift: float = 0.0


PROPORTIONS: dict[str, Proportion] = {
    "thigh": Proportion(("legs/measure-upperleg-height",), "thigh", 0.028, "leg"),
    "shank": Proportion(("legs/measure-lowerleg-height",), "shank", 0.028, "leg"),
    "upper_arm": Proportion(("arms/measure-upperarm-length",), "upper_arm", 0.030, "arm", shift=0.05),
    "forearm": Proportion(("arms/measure-lowerarm-length",), "forearm", 0.030, "arm", shift=0.03),
    "shoulders": Proportion(("torso/measure-shoulder-dist",), "shoulders", 0.035),
    "hips": Proportion(("hip/hip-scale-horiz",), "hips", 0.04),
    "torso": Proportion(("torso/torso-scale-vert",), "trunk", 0.02),
    "neck": Proportion(("neck/measure-neck-height",), "neck", 0.04),
    "foot": Proportion(("feet/l-foot-scale", "feet/r-foot-scale"), "foot", 0.04),
    "hand": Proportion(("hands/l-hand-scale", "hands/r-hand-scale"), "hand", 0.04),
    "head": Proportion(("head/head-scale-vert", "head/head-scale-horiz", "head/head-scale-depth"), "eyes", 0.025),
}
_LENGTHS: dict[str, tuple[str, str]] = {
    "thigh": ("upperleg01.L", "lowerleg01.L"),
    "shank": ("lowerleg01.L", "foot.L"),
    "upper_arm": ("upperarm01.L", "lowerarm01.L"),
    "forearm": ("lowerarm01.L", "wrist.L"),
    "shoulders": ("upperarm01.L", "upperarm01.R"),
    "hips": ("upperleg01.L", "upperleg01.R"),
    "trunk": ("spine05", "neck01"),
    "neck": ("neck01", "head"),
    "foot": ("foot.L", "toe1-1.L"),
    "hand": ("wrist.L", "finger3-1.L"),
    "eyes": ("eye.L", "eye.R"),
}


class Population:
    """Adults, 18 to 75 years, half of them female.

    Attributes:
        traits: (N,) values by phenotype axis.
        coefficients: (N, K) MakeHuman macro coefficients.
        sizes: (N, P) coefficients of the local proportions.
    """

    def __init__(self, human: MakeHuman, count: int, rng: np.random.Generator) -> None:
        self._human = human
        phenotypes = [_random_phenotype(rng) for _ in range(count)]
        self.traits = {name: np.array([person[name] for person in phenotypes]) for name in phenotypes[0]}
        self.coefficients = np.array([human.coefficients(person) for person in phenotypes])
        self._increase = _sum_targets(human, "incr")
        self._decrease = _sum_targets(human, "decr")
        parts = PROPORTIONS.values()
        shift, variation = (np.array(column) for column in zip(*((p.shift, p.variation) for p in parts), strict=True))
        self.sizes = (shift + variation * _random_sizes(count, rng)) / self._effects()

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self.coefficients)

    def vertices(self, start: int, stop: int) -> np.ndarray:
        """Return people *start* to *stop* in MakeHuman's A-pose (N, V, 3), including the helpers."""
        sizes = self.sizes[start:stop].astype(np.float32)
        local = np.maximum(sizes, 0) @ self._increase + np.maximum(-sizes, 0) @ self._decrease
        return self._human.shape(self.coefficients[start:stop]) + local.reshape(len(local), -1, 3)

    def _effects(self) -> np.ndarray:
        """Return the relative change (P,) of each length at full target."""
        middle = self._human.shape(self._human.coefficients({"age": 0.75, "height": 0.37})[None])[0]
        effects = []
        for row, part in enumerate(PROPORTIONS.values()):
            longer = _length(self._human, middle + self._increase[row].reshape(-1, 3), part.length)
            shorter = _length(self._human, middle + self._decrease[row].reshape(-1, 3), part.length)
            effects.append((longer - shorter) / 2 / _length(self._human, middle, part.length))
        return np.array(effects)


def _sum_targets(human: MakeHuman, direction: str) -> np.ndarray:
    """Return the offsets (P, 3 V) that increase ("incr") or decrease ("decr") each proportion."""
    sums = [np.sum([human.target(f"{t}-{direction}") for t in part.targets], axis=0) for part in PROPORTIONS.values()]
    return np.array(sums, dtype=np.float32).reshape(len(sums), -1)


def _length(human: MakeHuman, vertices: np.ndarray, name: str) -> float:
    ends = [vertices[human.rig.heads[bone]].mean(0, dtype=np.float64) for bone in _LENGTHS[name]]
    return float(np.linalg.norm(ends[0] - ends[1]))


def _random_phenotype(rng: np.random.Generator) -> dict[str, float]:
    gender = abs(float(rng.random() < 0.5) - 0.12 * rng.random())
    mean, deviation, axis_at_mean = _MALE if gender < 0.5 else _FEMALE
    height = axis_at_mean + (rng.normal(mean, deviation) - mean) / _STATURE_PER_HEIGHT
    person = {
        "gender": gender,
        "height": float(np.clip(height, 0.15, 0.65)),
        "age": 2 / 3 + np.clip((rng.uniform(18, 75) - 25) / 65, 0, 1) / 3,
        "weight": float(np.clip(rng.normal(0.5, 0.17), 0.03, 0.97)),
        "muscle": float(np.clip(rng.normal(0.5, 0.15), 0.05, 0.95)),
        "proportions": float(np.clip(rng.normal(0.5, 0.15), 0, 1)),
        "cupsize": float(np.clip(rng.normal(0.5, 0.17), 0, 1)),
        "firmness": float(np.clip(rng.normal(0.5, 0.17), 0, 1)),
    }
    return person | dict(zip(ETHNICITIES, rng.dirichlet([1.0, 1.0, 1.0]), strict=True))


def _random_sizes(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw standardised sizes (N, P) with correlated limb lengths, clipped at 2.5 standard deviations."""
    limb, arm, leg = rng.normal(size=(3, count))
    sizes = rng.normal(size=(len(PROPORTIONS), count))
    residual = np.sqrt(1 - _LIMB_SHARE**2 - _PART_SHARE**2)
    for row, part in enumerate(PROPORTIONS.values()):
        if part.factor:
            sizes[row] = (
                _LIMB_SHARE * limb + _PART_SHARE * (arm if part.factor == "arm" else leg) + residual * sizes[row]
            )
    return np.clip(sizes, -2.5, 2.5).T
