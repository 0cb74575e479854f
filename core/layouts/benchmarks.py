"""Layouts of benchmarks whose files name no points: LSP, MPII, HumanEva, MPI-INF-3DHP, KIT-ML, all of Human3.6M.

Data, no logic.
"""

from __future__ import annotations

from .base import Layout, LayoutPoint

_LIMBS = {"hip": 0.8, "knee": 1.0, "ankle": 1.0, "shoulder": 0.9, "elbow": 1.0, "wrist": 1.0}


def _points(*names: str) -> tuple[LayoutPoint, ...]:
    return tuple(LayoutPoint(name, name, _LIMBS[name.split("_")[1]]) for name in names)


LSP14 = Layout(
    "lsp14",
    "LSP 14",
    (
        *_points("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *_points("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
        LayoutPoint("neck", "mid_shoulder", 0.6),
        LayoutPoint("head_top", "head_top", 0.7),
    ),
)

HUMANEVA15 = Layout(
    "humaneva15",
    "HumanEva 15",
    (
        LayoutPoint("pelvis", "mid_hip", 0.7),
        LayoutPoint("thorax", "mid_shoulder", 0.5),
        *_points("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
        *_points("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle"),
        LayoutPoint("head", None),
    ),
)
"""Order of VideoPose3D's archive of HumanEva."""

MPII16 = Layout(
    "mpii16",
    "MPII 16",
    (
        *_points("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        LayoutPoint("pelvis", "mid_hip", 0.7),
        LayoutPoint("thorax", "mid_shoulder", 0.5),
        LayoutPoint("upper_neck", None),
        LayoutPoint("head_top", "head_top", 0.7),
        *_points("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    ),
)


def _h36m_leg(side: str) -> tuple[LayoutPoint, ...]:
    return (
        *_points(f"{side}_hip", f"{side}_knee", f"{side}_ankle"),
        LayoutPoint(f"{side}_toe_base", f"{side}_foot", 0.6),
        LayoutPoint(f"{side}_toe_end", None),
    )


def _h36m_arm(side: str) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_clavicle", None),
        *_points(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"),
        *(LayoutPoint(f"{side}_{part}", None) for part in ("hand", "thumb_end", "wrist_end", "hand_end")),
    )


H36M32 = Layout(
    "h36m32",
    "Human3.6M 32",
    (
        LayoutPoint("hips", "mid_hip", 0.7),
        *_h36m_leg("right"),
        *_h36m_leg("left"),
        LayoutPoint("spine", None),
        LayoutPoint("spine1", "spine2", 0.3),
        LayoutPoint("thorax", "mid_shoulder", 0.5),
        LayoutPoint("neck_nose", "nose", 0.3),
        LayoutPoint("head_top", "head_top", 0.6),
        *_h36m_arm("left"),
        *_h36m_arm("right"),
    ),
)
"""Order of the D3 positions of Human3.6M, of which h36m17 is a part."""


MPI17 = Layout(
    "mpi17",
    "MPI-INF-3DHP 17",
    (
        LayoutPoint("head_top", "head_top", 0.6),
        LayoutPoint("neck", "neck", 0.3),
        *_points("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *_points("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        LayoutPoint("pelvis", "pelvis", 0.3),
        LayoutPoint("spine", "spine2", 0.1),
        LayoutPoint("head", None),
    ),
)
"""Order of the test set of MPI-INF-3DHP and of MuCo-3DHP."""


def _mpi28_arm(side: str) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_clavicle", None),
        *_points(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"),
        LayoutPoint(f"{side}_hand", None),
    )


def _mpi28_leg(side: str) -> tuple[LayoutPoint, ...]:
    return (
        *_points(f"{side}_hip", f"{side}_knee", f"{side}_ankle"),
        LayoutPoint(f"{side}_foot", f"{side}_foot", 0.4),
        LayoutPoint(f"{side}_toe", None),
    )


MPI28 = Layout(
    "mpi28",
    "MPI-INF-3DHP 28",
    (
        *(LayoutPoint(name, None) for name in ("spine3", "spine4", "spine2", "spine")),
        LayoutPoint("pelvis", "pelvis", 0.3),
        LayoutPoint("neck", "neck", 0.3),
        LayoutPoint("head", None),
        LayoutPoint("head_top", "head_top", 0.6),
        *_mpi28_arm("left"),
        *_mpi28_arm("right"),
        *_mpi28_leg("left"),
        *_mpi28_leg("right"),
    ),
)
"""Order of the training set of MPI-INF-3DHP (annot3, univ_annot3)."""


def _kit_leg(side: str) -> tuple[LayoutPoint, ...]:
    return (
        *_points(f"{side}_hip", f"{side}_knee", f"{side}_ankle"),
        LayoutPoint(f"{side}_midfoot", f"{side}_foot", 0.4),
        LayoutPoint(f"{side}_foot_end", None),
    )


KIT21 = Layout(
    "kit21",
    "KIT-ML 21",
    (
        LayoutPoint("root", "pelvis", 0.3),
        *(LayoutPoint(name, None) for name in ("lower_back", "chest", "lower_neck", "upper_neck")),
        *_points("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
        *_kit_leg("left"),
        *_kit_leg("right"),
    ),
)
"""Order of MMM's joints in KIT-ML (root, BP, BT, BLN, BUN, LS .. LH, LK, LA, LMrot, LF ..)."""
