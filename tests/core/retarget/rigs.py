"""The fixtures of tests/data/rigs, as rigs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.retarget.rig import Rig, Skin

_FOLDER = Path(__file__).resolve().parents[2] / "data" / "rigs"


def load_rig(name: str) -> Rig:
    """Return the fixture *name*."""
    with np.load(_FOLDER / f"{name}.npz") as data:
        weights = data["weights"] / 255.0
        skin = Skin(data["vertices"].astype(float), data["bones"].astype(int), weights)
        return Rig(
            names=tuple(map(str, data["names"])),
            parents=data["parents"].astype(int),
            heads=data["heads"].astype(float),
            tails=data["tails"].astype(float),
            axes=data["axes"].astype(float),
            deform=data["deform"],
            skin=skin,
        )
