"""Helpers to run commands on a short recording and read what they write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from core.cli.main import main
from core.layouts import BODY25

from ..fit.scenes import walking

SCENE = walking()[20:44]
WRITTEN = {
    "poses", "trans", "betas", "gender", "mocap_framerate", "up_axis", "body", "keypoint_error_mm", "white_error_mm",
    "smooth_error_mm", "constant_error_mm", "root_orient", "pose_body", "pose_hand", "mocap_frame_rate",
    "surface_model_type",
}  # fmt: skip


def save(path: Path, layout=BODY25, **more) -> Path:
    track = SCENE.track(layout, noise_m=0.002)
    positions = np.nan_to_num(track.positions)
    arrays = {"positions": positions, "confidence": track.confidence, "fps": 30.0, "layout": layout.name, **more}
    np.savez(path, **{key: np.asarray(value) for key, value in arrays.items()})
    return path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


def fit(*arguments: object) -> int:
    return main(["fit", "--quiet", *map(str, arguments)])


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def two_people(folder: Path) -> Path:
    folder.mkdir()
    points = SCENE.points()
    for frame in range(12):
        people = [
            {"id": number, "keypoints3d": [[*(point + [apart, 0.0, 0.0]), 0.9] for point in points[frame]]}
            for number, apart in ((3, 0.0), (7, 2.0))
        ]
        (folder / f"{frame:06d}.json").write_text(json.dumps(people))
    return folder
