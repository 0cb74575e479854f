"""Write motions for OpenSim: coordinates (.mot) and points of the body (.trc). F frames, K points.

Convention: the ground has the axes of the motion, Y up; the bodies have OpenSim's, x forward, y up, z right, so that a
person who looks along x has a pelvis_rotation of 0. The coordinates have the names, order and signs of OpenSim's gait
models with arms (Rajagopal 2016, and those of OpenCap and Pose2Sim), in degrees and metres; `core.joint_angles` defines
them. A coordinate that SMPL does not have (the subtalar joint, the toes, pronation) is left out, so a model keeps its
own value. The pelvis is where SMPL has its root, between the hips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from .body.data import BodyData
from .body.keypoints import KeypointModel
from .body.landmarks import landmark_regressor
from .body.merged_fingers import merge_fingers
from .body.model import BodyModel
from .fingers import without_fingers
from .io.own_files import UNSIGNED, write_own_text
from .joint_angles import SMPL_TO_OPENSIM, smpl_angles, trunk_and_arm_angles, zxy_degrees
from .motion import Motion
from .smpl_skeleton import JOINT_NAMES, NUM_BODY_ROTATIONS, SIDES

LEG_COORDINATES = {
    "hip_flexion": "hip_flexion",
    "hip_adduction": "hip_adduction",
    "hip_rotation": "hip_rotation",
    "knee_angle": "knee",
    "ankle_angle": "ankle",
}
ARM_COORDINATES = {
    "arm_flex": "arm_flexion",
    "arm_add": "arm_adduction",
    "arm_rot": "arm_rotation",
    "elbow_flex": "elbow",
}
"""OpenSim's coordinates of a leg and of an arm, and the corresponding angles."""
_PELVIS_ANGLES = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
_PELVIS_PLACE = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
_LUMBAR = ("lumbar_extension", "lumbar_bending", "lumbar_rotation")
POINTS: tuple[str, ...] = (
    *JOINT_NAMES[:NUM_BODY_ROTATIONS],
    *(f"{side}_{point}" for side in SIDES for point in ("heel", "big_toe", "small_toe")),
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top",
)  # fmt: skip
"""The points of a .trc: the body's joints, then marks on the skin of feet and head."""


def coordinates(motion: Motion, body: BodyData) -> dict[str, np.ndarray]:
    """Return OpenSim's coordinates (F,) of *motion* on *body* by name, degrees and metres, without jumps of a turn."""
    motion, model = without_fingers(motion), BodyModel(merge_fingers(body))
    rest = np.asarray(model.rest_joints(motion.betas.astype(np.float32)))
    rotations = motion.rotations()
    joints = np.asarray(
        model.joints(rotations.astype(np.float32), motion.betas.astype(np.float32), np.zeros((1, 3), np.float32))
    )
    angles = {**smpl_angles(rotations, joints), **trunk_and_arm_angles(rotations, rest)}
    pelvis = zxy_degrees(rotations[:, 0] @ SMPL_TO_OPENSIM.T)
    place = motion.trans + rest[0]

    def of_sides(limb: Mapping[str, str]) -> dict[str, np.ndarray]:
        return {
            f"{name}_{side[0]}": np.unwrap(angles[f"{side}_{angle}"], period=360.0)
            for side in ("right", "left")
            for name, angle in limb.items()
        }

    return {
        **dict(zip(_PELVIS_ANGLES, np.unwrap(pelvis, axis=0, period=360.0).T, strict=True)),
        **dict(zip(_PELVIS_PLACE, place.T, strict=True)),
        **of_sides(LEG_COORDINATES),
        **{name: np.unwrap(angles[name], period=360.0) for name in _LUMBAR},
        **of_sides(ARM_COORDINATES),
    }


def write_mot(path: Path | str, motion: Motion, body: BodyData, start_s: float = 0.0) -> None:
    """Write the coordinates of *motion* on *body* as a .mot file; `core.io.own_files` recognises it.

    The first frame is at *start_s*, its time in the recording, seconds.
    """
    columns = coordinates(motion, body)
    table = np.stack(list(columns.values()), axis=1)
    head = [
        "Coordinates", "version=1", f"nRows={len(table)}", f"nColumns={len(columns) + 1}", "inDegrees=yes", "",
        f"Written by {UNSIGNED}", "Units are S.I. units (second, meters, Newtons, ...), angles are in degrees", "",
        "endheader", "\t".join(["time", *columns]),
    ]  # fmt: skip
    rows = (
        "\t".join([f"{start_s + frame / motion.fps:.8f}", *(f"{value:.8f}" for value in row)])
        for frame, row in enumerate(table)
    )
    write_own_text(path, "\n".join([*head, *rows]) + "\n")


def fitted_points(motion: Motion, body: BodyData) -> np.ndarray:
    """Return `POINTS` (F, K, 3) of *motion* on *body*, metres, in a motion's axes."""
    motion, body, start = without_fingers(motion), merge_fingers(body), motion.trans[0]
    shaped = KeypointModel(BodyModel(body), landmark_regressor(body, POINTS)).shaped(motion.betas.astype(np.float32))
    points = shaped.points(motion.rotations().astype(np.float32), (motion.trans - start).astype(np.float32))
    placed: np.ndarray = np.asarray(points, dtype=np.float64) + start
    return placed


def write_trc(path: Path | str, motion: Motion, body: BodyData, start_s: float = 0.0) -> None:
    """Write `POINTS` of *motion* on *body* as a .trc file in metres; `core.io.own_files` recognises it.

    The first frame is at *start_s*, its time in the recording, seconds.
    """
    points = fitted_points(motion, body).reshape(motion.num_frames, -1)
    rate, count = f"{motion.fps:.10g}", str(motion.num_frames)
    names = ("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame",
             "OrigNumFrames")  # fmt: skip
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{UNSIGNED}",
        "\t".join(names),
        "\t".join([rate, rate, count, str(len(POINTS)), "m", rate, "1", count]),
        "\t".join(["Frame#", "Time", *(f"{name}\t\t" for name in POINTS)]),
        "\t".join(["", "", *(f"{axis}{index}" for index in range(1, len(POINTS) + 1) for axis in "XYZ")]),
        "",
    ]
    rows = (
        "\t".join([str(frame + 1), f"{start_s + frame / motion.fps:.8f}", *(f"{value:.6f}" for value in row)])
        for frame, row in enumerate(points)
    )
    write_own_text(path, "\n".join([*head, *rows]) + "\n")


WRITERS: Mapping[str, Callable[[Path, Motion, BodyData, float], None]] = {"mot": write_mot, "trc": write_trc}
"""The writers by suffix."""
