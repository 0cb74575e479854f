"""Find the files of a body model for each gender by the models' naming conventions."""

from __future__ import annotations

import re
from pathlib import Path

GENDER_WORDS: dict[str, str] = {
    "female": "female",
    "f": "female",
    "male": "male",
    "m": "male",
    "neutral": "neutral",
    "n": "neutral",
}
"""The gender of each word in the name of a file or its folder."""


def gender_of_name(path: Path) -> str | None:
    """Return the gender named by a body file (``SMPL_FEMALE.pkl``) or its folder (``male/model.npz``), or None."""
    words = [*re.split(r"[^a-z]+", path.stem.lower()), path.parent.name.lower()]
    return next((GENDER_WORDS[word] for word in words if word in GENDER_WORDS), None)


def gender_files(path: Path) -> dict[str, Path]:
    """Return the files of the same model as *path* by gender, *path* included, as far as their names show it.

    Examples: ``SMPL_MALE.pkl`` beside ``SMPL_FEMALE.pkl``, ``basicModel_f_lbs_10_207_0_v1.0.0.pkl`` beside
    ``basicmodel_m_lbs_10_207_0_v1.0.0.pkl``, ``male/model.npz`` beside ``female/model.npz``. Empty if *path* names no
    gender.
    """
    own = gender_of_name(path)
    if own is None:
        return {}
    by_folder = GENDER_WORDS.get(path.parent.name.lower()) == own and _without_gender(path.name) is None
    found = _in_sibling_folders(path) if by_folder else _in_folder(path)
    return {**found, own: path}


def _in_folder(path: Path) -> dict[str, Path]:
    """Return the files in the folder of *path* whose names differ only in the gender, by gender."""
    wanted = _without_gender(path.name)
    found: dict[str, Path] = {}
    for other in sorted(path.parent.iterdir()) if path.parent.is_dir() else ():
        gender = gender_of_name(Path(other.name))
        if gender is not None and _without_gender(other.name) == wanted and other.is_file():
            found.setdefault(gender, other)
    return found


def _in_sibling_folders(path: Path) -> dict[str, Path]:
    """Return the files with the name of *path* in the sibling folders of other genders, by gender."""
    found: dict[str, Path] = {}
    for folder in sorted(path.parent.parent.iterdir()) if path.parent.parent.is_dir() else ():
        gender = GENDER_WORDS.get(folder.name.lower())
        if gender is not None and (folder / path.name).is_file():
            found.setdefault(gender, folder / path.name)
    return found


def _without_gender(name: str) -> str | None:
    """Return *name* in lower case with its first gender word replaced by ``*``; None if it has none."""
    parts = re.split(r"([^a-z]+)", name.lower())
    for index, part in enumerate(parts):
        if part in GENDER_WORDS:
            return "".join([*parts[:index], "*", *parts[index + 1 :]])
    return None
