"""Sizes of the pose network, its points and its stored weights."""

from __future__ import annotations

from ..smpl_skeleton import BODY25_NAMES, NUM_BODY_ROTATIONS
from .architecture import NUM_BETAS

POSE_MLP = "pose_mlp"
"""The pose network's name in a weights file."""

_BODY25_SOLVER_NAMES = tuple("mid_shoulder" if name == "neck" else name for name in BODY25_NAMES)
POSE_POINTS: tuple[str, ...] = (
    *_BODY25_SOLVER_NAMES,
    *(
        f"{side}_{finger}_knuckle"
        for side in ("left", "right")
        for finger in ("thumb", "index", "middle", "ring", "pinky")
    ),
    "head_top", "head", "neck", "pelvis", "spine1", "spine2", "spine3",
    "left_collar", "right_collar", "left_foot", "right_foot", "left_hand", "right_hand",
)  # fmt: skip
"""The solver points that are the network's input, BODY25's first; the weights depend on the order."""

NUM_POINTS = len(POSE_POINTS)
NUM_START_FEATURES = 6 * (NUM_BODY_ROTATIONS - 1)
NUM_FEATURES = NUM_START_FEATURES + 7 * NUM_POINTS + NUM_BETAS + 4
WIDTH, DEPTH = 512, 3
NUM_ANSWERS = 9
"""Outputs per joint: a 6D residual rotation, and the logarithms of three variances."""
NORM_EPSILON = 1e-5

POSE_MLP_SHAPES: dict[str, tuple[int, ...]] = {
    "input": (NUM_FEATURES, WIDTH),
    "input_bias": (WIDTH,),
    **{
        f"block{block}.{name}": shape
        for block in range(DEPTH)
        for name, shape in (
            ("widen", (WIDTH, WIDTH)),
            ("widen_bias", (WIDTH,)),
            ("narrow", (WIDTH, WIDTH)),
            ("narrow_bias", (WIDTH,)),
        )
    },
    "output": (WIDTH, NUM_BODY_ROTATIONS * NUM_ANSWERS),
    "output_bias": (NUM_BODY_ROTATIONS * NUM_ANSWERS,),
}
"""Shape of each stored array. Scales and offsets of the layer norms are folded into the following layers."""
