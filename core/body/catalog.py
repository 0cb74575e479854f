"""Resolve the name or path of a body."""

from __future__ import annotations

from pathlib import Path

from .data import BodyData
from .free_body import load_free_body, load_free_body_with_fingers
from .smpl_file import read_body

FREE_BODY_NAMES = ("", "free", "free_body")


def resolve_body(name_or_path: str | Path | None = None, *, fingers: bool = False) -> BodyData:
    """Return the body for *name_or_path*.

    Args:
        name_or_path: None or "free" for the shipped free body, else the path of an SMPL, SMPL-H or SMPL-X file.
        fingers: whether the body has the 52 joints of SMPL-H. An SMPL file has no fingers and keeps its 24 joints; the
            body's skeleton shows it.

    Raises:
        InputMissingError: there is no such file.
        CoreError: the file is not a readable body; see `smpl_file.read_body`.
    """
    if name_or_path is None or str(name_or_path) in FREE_BODY_NAMES:
        return load_free_body_with_fingers() if fingers else load_free_body()
    return read_body(name_or_path, fingers=fingers)
