"""Results of GLAMR: for each person SMPL parameters in a world with Z up. F frames.

Keys as in its code (global_recon/models/global_recon_model.py, lib/models/smpl.py): `root_trans_world` is the place of
the pelvis, not SMPL's translation; frames outside `exist_frames` are extrapolated there, and are left out here. No file
of GLAMR was tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..body.data import NUM_BETAS
from ..body.free_body import load_free_body
from ..body.model import BodyModel
from .people_clip import number_array
from .raw import MAX_PEOPLE
from .solved_clip import SolvedClip, read_clip, wrong
from .solved_people import joint_rows

TOOL = "GLAMR"
_PEOPLE = "person_data"
_ORIENT, _BODY, _ROOT, _BETAS = "smpl_orient_world", "smpl_pose", "root_trans_world", "smpl_beta"


def is_glamr(data: Mapping[Any, Any]) -> bool:
    """Return whether *data* is what GLAMR writes of a video."""
    people = data.get(_PEOPLE)
    return (
        isinstance(people, Mapping)
        and bool(people)
        and all(isinstance(person, Mapping) and _ORIENT in person for person in people.values())
    )


def read_glamr(data: Mapping[Any, Any], path: Path) -> dict[str, SolvedClip]:
    """Return the clip of each person.

    Raises:
        TrackFileError: they are damaged, or too many.
    """
    if len(data[_PEOPLE]) > MAX_PEOPLE:
        raise wrong(f"up to {MAX_PEOPLE} people", len(data[_PEOPLE]), path)
    return {str(label)[:60]: _clip(person, path) for label, person in data[_PEOPLE].items()}


def _clip(person: Mapping[Any, Any], path: Path) -> SolvedClip:
    orient, body, root = (joint_rows(person.get(key, ()), key, path) for key in (_ORIENT, _BODY, _ROOT))
    if not len(orient) == len(body) == len(root) or (orient.shape[1], body.shape[1], root.shape[1]) != (3, 69, 3):
        raise wrong("an orientation, a pose of 69 numbers and a place", (orient.shape, body.shape, root.shape), path)
    exists = number_array(person.get("exist_frames", np.ones(len(orient))), "exist_frames", path).reshape(-1) != 0.0
    if len(exists) != len(orient) or not exists.any():
        raise wrong("exist_frames with a frame or more", exists.shape, path)
    pelvis = np.asarray(BodyModel(load_free_body()).rest_joints(np.zeros(NUM_BETAS, np.float32)))[0]
    parameters = {
        "poses": np.concatenate([orient, body], axis=1)[exists],
        "trans": (root - pelvis)[exists],
        "frames": np.flatnonzero(exists),
    }
    if person.get(_BETAS) is not None:
        parameters["betas"] = person[_BETAS]
    return read_clip(parameters, TOOL, path, body="smpl", up="+Z")
