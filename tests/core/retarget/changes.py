"""Changes of a rig that must not change what its bones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.retarget.rig import Rig, Skin

_RANDOM = 7


def hide_names(rig: Rig) -> Rig:
    return replace(rig, names=tuple(f"bone_{number}" for number in range(len(rig.names))))


def random_axes(rig: Rig) -> Rig:
    drawn = np.random.default_rng(_RANDOM).normal(size=(len(rig.names), 3, 3))
    axes = np.linalg.qr(drawn)[0]
    axes[np.linalg.det(axes) < 0.0] *= -1.0
    return replace(rig, axes=axes)


def move(rig: Rig, yaw: float = 0.0, scale: float = 1.0, offset: Sequence[float] = (0.0, 0.0, 0.0)) -> Rig:
    """Turn *rig* by *yaw* degrees about the vertical, then scale and move it."""
    angle = np.radians(yaw)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    heads, tails, vertices = (points @ turn.T * scale + offset for points in (rig.heads, rig.tails, rig.skin.vertices))
    skin = Skin(vertices, rig.skin.bones, rig.skin.weights)
    return replace(rig, heads=heads, tails=tails, axes=turn @ rig.axes, skin=skin)


def without_skin(rig: Rig) -> Rig:
    return replace(rig, skin=Skin())


def add_noise(rig: Rig, share: float, seed: int) -> Rig:
    """Move each joint by a random vector of *share* of the height (root mean square); joints in one place stay so."""
    spread = share * np.ptp(rig.heads[:, 1]) / np.sqrt(3.0)
    _, place = np.unique(rig.heads.round(6), axis=0, return_inverse=True)
    noise = np.random.default_rng(seed).normal(scale=spread, size=(len(rig.names), 3))[place.reshape(-1)]
    return replace(rig, heads=rig.heads + noise, tails=rig.tails + noise)


def without(rig: Rig, tops: Sequence[str]) -> Rig:
    """Leave out the bones *tops* and all below them; the skin too."""
    dropped = {bone for top in tops for bone in rig.descendants(rig.index[top])}
    return _select(rig, [bone for bone in range(len(rig.names)) if bone not in dropped])


def _select(rig: Rig, kept: Sequence[int]) -> Rig:
    bones = np.array(kept)
    place = np.full(len(rig.names) + 1, -1)
    place[bones] = np.arange(len(bones))
    return Rig(
        tuple(rig.names[bone] for bone in bones), place[rig.parents[bones]], rig.heads[bones], rig.tails[bones],
        rig.axes[bones], rig.deform[bones],
    )  # fmt: skip


def add_chains(rig: Rig, parent: str, steps: Sequence[Sequence[float]], count: int = 6) -> Rig:
    """Hang chains of *count* bones from *parent* (hair, a cape, a tail), each bone one of *steps* below the last."""
    size = float(np.ptp(rig.heads[:, 1]))
    names, parents, heads = list(rig.names), list(rig.parents), list(rig.heads)
    for number, step in enumerate(steps):
        above, point = rig.index[parent], rig.heads[rig.index[parent]]
        for link in range(count):
            point = point + size * np.asarray(step)
            names.append(f"strand_{parent}_{number}_{link}")
            parents.append(above)
            heads.append(point)
            above = len(names) - 1
    added = len(names) - len(rig.names)
    tails = np.concatenate((rig.tails, np.array(heads[len(rig.names) :]) + 0.01 * size))
    return replace(
        rig,
        names=tuple(names),
        parents=np.array(parents),
        heads=np.array(heads),
        tails=tails,
        axes=np.concatenate((rig.axes, np.tile(np.eye(3), (added, 1, 1)))),
        deform=np.concatenate((rig.deform, np.ones(added, dtype=bool))),
    )
