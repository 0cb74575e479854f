"""Read and write characters at rest as .npz files, for programs without Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..io.npz import read_npz
from ..io.own_files import write_own_npz
from .rig import Rig, RigError, Skin

_ARMATURE, _SKIN = ("parents", "heads", "tails", "axes", "deform"), ("vertices", "bones", "weights")
_FIELDS = ("names", *_ARMATURE, *_SKIN)


def write_rig(path: Path, rig: Rig) -> None:
    """Write a character to the .npz file *path*: the fields of `core.retarget.rig.Rig` and of its `Skin`."""
    armature = {name: getattr(rig, name) for name in _ARMATURE}
    skin = {name: getattr(rig.skin, name) for name in _SKIN}
    write_own_npz(path, {"names": np.array(rig.names), **armature, **skin})


def read_rig(path: Path) -> Rig:
    """Return the character that `write_rig` wrote; weights may also be bytes, 255 for 1.

    Raises:
        RigError: the file is malformed.
        InputMissingError: there is no file.
    """
    arrays = read_npz(path, _FIELDS, error=RigError)
    absent = [name for name in _FIELDS if name not in arrays]
    if absent:
        raise RigError(f"expected a character in {path}, but it has no {', '.join(absent)}")
    weights = arrays["weights"].astype(np.float64) / (255.0 if arrays["weights"].dtype == np.uint8 else 1.0)
    skin = Skin(arrays["vertices"].astype(np.float64), arrays["bones"].astype(np.int64), weights)
    names = tuple(str(name) for name in arrays["names"])
    heads, tails, axes = (arrays[name].astype(np.float64) for name in ("heads", "tails", "axes"))
    return Rig(names, arrays["parents"].astype(np.int64), heads, tails, axes, arrays["deform"].astype(bool), skin)
