"""Bodies of any proportions and rest pose, to hang skeletons into."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Body:
    """Proportions in metres and a rest pose in degrees; Y up, facing +Z, so that +X is left."""

    thigh: float = 0.42
    shin: float = 0.42
    ankle: float = 0.08
    foot: float = 0.13
    hip_width: float = 0.18
    trunk: float = 0.50
    clavicle: float = 0.15
    shoulder_width: float = 0.36
    upper_arm: float = 0.29
    forearm: float = 0.26
    hand: float = 0.18
    neck: float = 0.10
    head: float = 0.09
    arms_down: float = 0.0
    elbow_bend: float = 3.0
    legs_apart: float = 2.0

    @property
    def hip_height(self) -> float:
        return self.ankle + (self.thigh + self.shin) * np.cos(np.radians(self.legs_apart))

    def trunk_point(self, share: float) -> np.ndarray:
        """Return a point between the hips (0) and the shoulders (1), with the curve of a spine."""
        return np.array([0.0, self.hip_height + 0.03 + share * self.trunk, 0.03 * np.sin(np.pi * share) - 0.02])

    def shoulder(self, side: int) -> np.ndarray:
        return self.trunk_point(1.0) + [side * self.shoulder_width / 2.0, 0.0, -0.02]

    def arm_point(self, side: int, along: float) -> np.ndarray:
        """Return a point of the arm, *along* from 0 at the shoulder over 1 (elbow), 2 (wrist) to 3 (fingertip)."""
        point = self.shoulder(side)
        down = self.arms_down
        for number, length in enumerate((self.upper_arm, self.forearm, self.hand)):
            share = min(max(along - number, 0.0), 1.0)
            bend = np.radians(self.elbow_bend) if number else 0.0
            angle = np.radians(down)
            step = [side * np.cos(angle) * np.cos(bend), -np.sin(angle), np.sin(bend) * np.cos(angle)]
            point = point + share * length * np.array(step)
        return point

    def leg_point(self, side: int, along: float) -> np.ndarray:
        """Return a point of the leg, *along* from 0 at the hip over 1 (knee), 2 (ankle), 3 (ball) to 4 (tip)."""
        point = np.array([side * self.hip_width / 2.0, self.hip_height, 0.0])
        out = np.radians(self.legs_apart)
        down = np.array([side * np.sin(out), -np.cos(out), 0.0])
        steps = (
            self.thigh * (down + [0, 0, 0.02]),
            self.shin * (down - [0, 0, 0.05]),
            [0, 0.02 - self.ankle, self.foot],
        )
        for number, step in enumerate((*steps, [0.0, 0.0, 0.06])):
            point = point + min(max(along - number, 0.0), 1.0) * np.asarray(step)
        return point


def random_body(random: np.random.Generator) -> Body:
    """Return a body with lengths of 0.85 to 1.15 of the usual ones, and arms anywhere from 0 to 70 degrees down."""
    usual = Body()
    lengths = ("thigh", "shin", "ankle", "foot", "hip_width", "trunk", "clavicle", "shoulder_width", "upper_arm",
               "forearm", "hand", "neck", "head")  # fmt: skip
    return replace(
        usual,
        **{name: getattr(usual, name) * random.uniform(0.85, 1.15) for name in lengths},
        arms_down=random.uniform(0.0, 70.0),
        elbow_bend=random.uniform(0.0, 25.0),
        legs_apart=random.uniform(0.0, 8.0),
    )
