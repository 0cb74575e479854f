"""The paper's results, for comparison in the same units."""

from __future__ import annotations

DATASET = "amass"
ALIGNED_JOINT = "right_ankle"
"""The published code subtracts joint 8 of SMPL, the right ankle, where joint 8 of BODY25, the mid hip, was meant."""
STRIDE_1_MPVE_MM = 3.23
SEQUENTIAL_MPVE_MM = 17.22
COLUMN = "ankle mm"
"""Heading of the column in the paper's units."""


def comparison(dataset: str) -> str:
    """Return a line with the paper's results, to print below a table of ours on *dataset*."""
    other = "" if dataset == DATASET else f"; this is {dataset}, other data"
    return (
        f"the paper on AMASS, to compare with the column {COLUMN!r}: {STRIDE_1_MPVE_MM:.2f} at stride 1, "
        f"{SEQUENTIAL_MPVE_MM:.2f} over whole clips{other}"
    )
