"""Optical markers on the body and on the backs of fingers, while drawn hands move. F frames, K markers; metres, Y up.

A marker is carried by the bone under it. It is placed over a joint, or on the nail, off by a few millimetres that stay
the same for a person, and seen with noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.model import BodyModel, world_rotations
from core.body.topology import VERTEX_IDS_BY_COUNT
from core.fingers import without_fingers
from core.formats.raw import RawRecording
from core.layouts import FINGERS
from core.motion import Motion
from core.smpl_skeleton import SMPLH
from training.evaluation.hand_metrics import hand_body

from .simulated_markers import NOISE_M, _row

BODY = {
    "ASI": "asis", "PSI": "psis", "KNE": "knee outside", "ANK": "ankle outside", "HEE": "heel", "TOE": "toe",
    "SHO": "shoulder", "ELB": "elbow outside", "IWR": "wrist thumb side", "OWR": "wrist little finger side",
    "FHD": "head front", "BHD": "head back",
}  # fmt: skip
"""Labels of a body's markers on either side, and their places."""
MIDDLE = {"C7": "c7", "T10": "t10", "CLAV": "manubrium", "STRN": "sternum"}
_LONG = FINGERS[1:]
_SOMA = dict(zip(("IDX", "MID", "RNG", "PNK"), _LONG, strict=True))
SETS: dict[str, dict[str, str]] = {
    "vicon": {
        "IHAND": "index1", "OHAND": "pinky1", "THM3": "thumb3", "THM6": "thumb4", "IDX3": "index2", "IDX6": "index4",
        "MID0": "middle1", "MID6": "middle4", "RNG3": "ring2", "RNG6": "ring4", "PNK3": "pinky2", "PNK6": "pinky4",
    },
    "soma": {
        "FIN": "index1", "OHAND": "pinky1", "THM1": "thumb2", "THM2": "thumb3", "THM3": "thumb4",
        **{f"{label}{joint - 1}": f"{finger}{joint}" for label, finger in _SOMA.items()
           for joint in (2, 3, 4)},
    },
    "qualisys": {
        "HandIn": "index1", "HandOut": "pinky1", "Thumb1": "thumb2", "ThumbTip": "thumb4",
        **{f"{finger.title()}{part}": f"{finger}{joint}" for finger in _LONG for part, joint in (("2", 2), ("Tip", 4))},
    },
    "claw": {
        "HandIn": "index1", "HandOut": "pinky1", "ThumbTip": "thumb4", "IndexTip": "index4", "PinkyTip": "pinky4",
    },
    "tips": {"HandIn": "index1", "HandOut": "pinky1", **{f"{finger.title()}Tip": f"{finger}4" for finger in FINGERS}},
    "nokov": {f"Finger{finger.title()}{joint}": f"{finger}{joint}" for finger in FINGERS for joint in range(1, 5)},
    "body": {},
}  # fmt: skip
"""Labels of a hand's markers, without their side, and the joint that each is over."""
_RADIUS_M = 0.003
_NAIL_M = 0.005


def markers_of(label_set: str) -> tuple[str, ...]:
    """Return the labels of body and hands."""
    hands = [f"{side}{label}" for side in "LR" for label in SETS[label_set]]
    return (*MIDDLE, *(f"{side}{label}" for side in "LR" for label in BODY), *hands)


def recorded(
    motion: Motion, label_set: str, *, noise_m: float = 0.0005, offset_m: float = 0.004, seed: int = 0
) -> RawRecording:
    """Return what an optical system records of a motion with fingers.

    Args:
        motion: on SMPL-H's joints.
        label_set: one of `SETS`.
        noise_m: of the markers on hands, per axis.
        offset_m: how far these are off their places, all through the recording, along the skin.
        seed: of noise and places.
    """
    generator = np.random.default_rng(seed)
    body = _body_markers(motion)
    body = body + NOISE_M * generator.standard_normal(body.shape)
    hands = _hand_markers(motion, SETS[label_set], offset_m, generator)
    hands = hands + noise_m * generator.standard_normal(hands.shape)
    points = np.concatenate([body, hands], axis=1)
    names = markers_of(label_set)
    return RawRecording(
        1000.0 * points,
        np.ones(points.shape[:2]),
        "C3D",
        Path("hands.c3d"),
        names=names,
        fps=motion.fps,
        units="mm",
        up_axis="+Y",
    )


def _body_markers(motion: Motion) -> np.ndarray:
    places = [*MIDDLE.values(), *(f"{side} {place}" for side in ("left", "right") for place in BODY.values())]
    body = load_free_body()
    model = KeypointModel(BodyModel(body), np.stack([_row(body, place) for place in places]))
    plain = without_fingers(motion)
    arrays = (part.astype(np.float32) for part in (plain.rotations(), plain.betas, plain.trans))
    rotations, betas, trans = arrays
    return np.asarray(model.shaped(betas).points(rotations, trans), dtype=np.float64)


def _hand_markers(
    motion: Motion, labels: Mapping[str, str], offset_m: float, generator: np.random.Generator
) -> np.ndarray:
    data = hand_body().data
    joints = hand_body().joints(*(part.astype(np.float32) for part in (motion.rotations(), motion.betas, motion.trans)))
    worlds = world_rotations(motion.rotations(), SMPLH)
    placed = []
    for side in ("left", "right"):
        for place in labels.values():
            bone, offset = _on_the_back(data, motion.betas, side, place[:-1], int(place[-1]))
            aside = generator.standard_normal(3)
            aside *= offset_m / np.linalg.norm(aside)
            placed.append(joints[:, bone] + worlds[:, bone] @ (offset + aside))
    return np.stack(placed, axis=1) if placed else np.zeros((motion.num_frames, 0, 3))


def _on_the_back(data: BodyData, betas: np.ndarray, side: str, finger: str, joint: int) -> tuple[int, np.ndarray]:
    """Return the bone that carries a marker, and where it is from the bone's joint at rest."""
    vertices = data.v_template + data.shapedirs[..., : len(betas)] @ betas
    joints = data.joint_regressor @ vertices
    chain = [joints[SMPLH.index(f"{side}_{finger}{number}")] for number in (1, 2, 3)]
    chain.append(vertices[VERTEX_IDS_BY_COUNT[len(vertices)][f"{side}_{finger}_tip"]])
    along = chain[min(joint, 3)] - chain[max(joint - 2, 0)]
    along = along / np.linalg.norm(along)
    stretch = np.array([-0.60, -0.78, 0.19]) if finger == "thumb" else np.array([0.0, 0.0, 1.0])
    if side == "right":
        stretch = stretch * [-1.0, 1.0, 1.0]
    back = np.cross(stretch, along) * (1.0 if side == "left" else -1.0)
    back = back / np.linalg.norm(back)
    over = chain[joint - 1] - (_NAIL_M * along if joint == 4 else 0.0)
    away = vertices - over
    height = away @ back
    near = (np.linalg.norm(away - np.outer(height, back), axis=1) < 0.008) & (height < 0.025)
    surface = over + (height[near].max() + _RADIUS_M) * back
    bone = SMPLH.index(f"{side}_{finger}{min(joint, 3)}") if joint > 1 else SMPLH.index(f"{side}_wrist")
    return bone, surface - joints[bone]


def seen_names(names: Sequence[str]) -> list[str]:
    """Return *names* without those of fingers."""
    return [name for name in names if name in markers_of("body")]
