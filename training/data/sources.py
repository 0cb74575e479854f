"""Find the files of the datasets in their published folder structure. Each file becomes one or more clips.

`readers` reads the motions. Missing data raises an error that says what to download and where to put it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputMissingError

from ..config import DataConfig

AMASS_PATTERNS = ("*_poses.npz", "*_stageii.npz")
_FLAT_NAME = re.compile(r"^(?P<collection>[^_]+)_(?P<subject>[^_]+)_.+_(?:poses|stageii)\.npz$")
_3DPW_PARTS = {"train": "train", "validation": "val", "test": "test"}
_RICH_PARTS = {"train_body": "train", "val_body": "val", "test_body": "test"}

AMASS_OFFICIAL: dict[str, tuple[str, ...]] = {
    "val": ("HumanEva", "HDM05", "MPI_HDM05", "SFU", "MoSh", "MPI_mosh"),
    "test": ("Transitions", "Transitions_mocap", "SSM", "SSM_synced"),
}
"""AMASS's official split, by the collections' old and new names; all other collections are for training."""

HOW_TO_GET = {
    "amass": "download AMASS (SMPL+H G or SMPL-X G, the body data of each collection) from https://amass.is.tue.mpg.de "
    "after registering, and unpack it to COLLECTION/SUBJECT/NAME_poses.npz; without a licence, "
    "convert CMU's free files with python -m training.prepare_cmu and set data.dataset to folder",
    "3dpw": "download sequenceFiles.zip from https://virtualhumans.mpi-inf.mpg.de/3DPW after agreeing to its licence, "
    "and unpack it to sequenceFiles/{train,validation,test}/NAME.pkl",
    "rich": "download the SMPL-X bodies from https://rich.is.tue.mpg.de after registering, and unpack them "
    "to {train,val,test}_body/SEQUENCE/FRAME/PERSON.pkl",
    "folder": "put motions in AMASS layout there, as NAME_SUBJECT_CLIP_poses.npz or SUBJECT/NAME_poses.npz; "
    "python -m training.prepare_cmu creates such a folder from CMU's files",
}


@dataclass(frozen=True)
class SourceFile:
    """One file of a dataset; for RICH, one sequence of one person.

    Attributes:
        path: the file; for RICH the sequence's folder.
        name: path inside the dataset, without suffix.
        subject: name of the subject, unique across datasets.
        part: part in the dataset's official split: "train", "val" or "test".
    """

    path: Path
    name: str
    subject: str
    part: str


def find_sources(config: DataConfig) -> list[SourceFile]:
    """Return the files of the dataset, sorted by name.

    Raises:
        InputMissingError: the folder does not exist or contains no such file; the message says how to get the data.
    """
    root = Path(config.folder)
    finders = {"amass": _amass, "folder": _amass, "3dpw": _3dpw, "rich": _rich}
    found = sorted(finders[config.dataset](root), key=lambda source: source.name) if root.is_dir() else []
    if not found:
        state = "no such file in it" if root.is_dir() else "no such folder"
        raise InputMissingError(
            f"expected the dataset {config.dataset!r} in {root}, found {state}; {HOW_TO_GET[config.dataset]}; "
            "then give the folder as data.folder in the YAML or with --set data.folder=FOLDER"
        )
    return found


def _amass(root: Path) -> list[SourceFile]:
    found = []
    for path in {path for pattern in AMASS_PATTERNS for path in root.rglob(pattern)}:
        inside = path.relative_to(root)
        if any(part.startswith(".") for part in inside.parts):
            continue
        match = _FLAT_NAME.match(path.name)
        if len(inside.parts) >= 3:
            collection, subject = inside.parts[0], "/".join(inside.parts[:-1])
        elif len(inside.parts) == 1 and match:
            collection, subject = match["collection"], f"{match['collection']}/{match['subject']}"
        else:
            collection = subject = inside.parts[0] if len(inside.parts) > 1 else root.name
        part = next((part for part, names in AMASS_OFFICIAL.items() if collection in names), "train")
        found.append(SourceFile(path, str(inside.with_suffix("")), subject, part))
    return found


def _3dpw(root: Path) -> list[SourceFile]:
    folder = root / "sequenceFiles" if (root / "sequenceFiles").is_dir() else root
    return [
        SourceFile(path, f"{part}/{path.stem}", f"3dpw/{path.stem}", part)
        for name, part in _3DPW_PARTS.items()
        for path in (folder / name).glob("*.pkl")
    ]


def _rich(root: Path) -> list[SourceFile]:
    found = []
    for name, part in _RICH_PARTS.items():
        for folder in (root / name).glob("*"):
            people = {path.stem for path in folder.glob("*/*.pkl")}
            found += [SourceFile(folder, f"{part}/{folder.name}/{person}", f"rich/{person}", part) for person in people]
    return found
