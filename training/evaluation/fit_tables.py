"""Columns of the tables printed by the fit's evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from .fit_metrics import Row

_NAME_WIDTH = 54


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        attribute: the attribute of `Row`, dotted.
        head: heading.
        unit: unit, printed below the heading.
        digits: decimal places.
    """

    attribute: str
    head: str
    unit: str
    digits: int = 1


_PVE = Column("pve_mm", "PVE", "mm", 2)
_WORST = Column("worst_joint_mm", "worst j.", "mm")
_SHAPE = Column("shape_mm", "shape", "mm")
_POINTS = (Column("true_keypoint_mm", "true pts", "mm"), _SHAPE)
_ROTATIONS = (Column("arm_deg", "arms", "deg"), Column("wrist_deg", "wrists", "deg"))
_ENDS = (Column("head_deg", "head", "deg"), Column("foot_deg", "feet", "deg"))
_TIME = (Column("acceleration_mm", "accel", "mm/f2", 2),)
_CLIPS = (Column("clips", "clips", "", 0),)

ERROR_COLUMNS = (_PVE, _WORST, *_POINTS, *_ROTATIONS, *_ENDS, *_TIME, *_CLIPS)
FAULT_COLUMNS = (
    _PVE,
    _WORST,
    _SHAPE,
    Column("spill.outside_mm", "outside", "mm", 2),
    Column("spill.outside_deg", "outside", "deg", 2),
    Column("spill.far_mm", "far", "mm", 2),
    Column("spill.far_deg", "far", "deg", 2),
    Column("spill.far_joint_deg", "far j.", "deg", 2),
    *_CLIPS,
)
"""Outside: mean over the frames outside the fault. Far: the worst frame more than 0.3 s from the fault, and the worst
joint there. All relative to the fit of the same track without the fault."""
SOLVER_COLUMNS = (
    _PVE,
    Column("keypoint_mm", "points", "mm"),
    *_POINTS,
    *_ROTATIONS,
    *_TIME,
    Column("drift_mm", "drift", "mm", 2),
    *_CLIPS,
)


def heads(title: str, columns: Sequence[Column]) -> tuple[str, str, str]:
    """Return the title and header lines of a table."""
    head = "".join(f"{column.head:>10}" for column in columns)
    unit = "".join(f"{column.unit:>10}" for column in columns)
    indent = " " * _NAME_WIDTH
    return title, f"{indent}{head}   refused", f"{indent}{unit}"


def line(row: Row, columns: Sequence[Column]) -> str:
    """Format a *row* as a line of the table."""
    cells = (_cell(row, column) for column in columns)
    return f"{row.name:<{_NAME_WIDTH}}{''.join(cells)}{len(row.refused):>10}"


def _cell(row: Row, column: Column) -> str:
    if column.attribute.startswith("spill.") and row.spill is None:
        return f"{'-':>10}"
    return f"{attrgetter(column.attribute)(row):>10.{column.digits}f}"
