"""Tables printed by `training.evaluate_real`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.joint_angles import ANGLES

from .real_metrics import BONES, HIPS, AngleError, TrialMetrics
from .real_trials import KINDS

_NAME_WIDTH = 66
_BODY: tuple[tuple[str, str, int], ...] = (
    ("input_mm", "to input", 1),
    ("reported_mm", "reported", 1),
    ("stature_m", "stature", 3),
    ("jerk", "jerk", 0),
    ("points_jerk", "pts jerk", 0),
    ("slide_mm", "slide", 1),
    ("lag_ms", "lag ms", 1),
)


def angle_head() -> str:
    """Return the header line of a table of angles and aligned joints."""
    angles = "".join(f"{angle.replace('_', ' '):>15}" for angle in ANGLES)
    return f"{'RMSE, degrees, raw/bias-free':<{_NAME_WIDTH}}{angles}{'PA mm':>9}{'points PA':>11}"


def angle_line(row: TrialMetrics) -> str:
    """Return a trial's line in a table of angles and aligned joints."""
    angles = "".join(f"{_angle(row.angles.get(angle)):>15}" for angle in ANGLES)
    name = f"{row.kind}: {row.name}"
    return f"{name:<{_NAME_WIDTH}}{angles}{_number(row.pa_mm, 1):>9}{_number(row.points_pa_mm, 1):>11}"


def tables(rows: Sequence[TrialMetrics], means: Sequence[TrialMetrics]) -> Iterator[str]:
    """Yield the table of means by kind, and the table of bodies and motion of all trials."""
    yield from ("", angle_head(), *(angle_line(mean) for mean in means), "")
    bones = "".join(f"{bone:>10}" for bone in (HIPS, *BONES))
    yield (
        f"{'bones: fitted - true, mm; slide: mm':<{_NAME_WIDTH}}"
        + "".join(f"{head:>9}" for _, head, _ in _BODY)
        + bones
    )
    for kind in KINDS:
        yield from (_body_line(row) for row in (*rows, *means) if row.kind == kind)


def _body_line(row: TrialMetrics) -> str:
    name = f"{row.kind}: {row.name}"
    cells = "".join(f"{_number(getattr(row, attribute), digits):>9}" for attribute, _, digits in _BODY)
    bones = "".join(f"{_number(row.bones_mm[bone], 0):>10}" for bone in (HIPS, *BONES))
    return f"{name:<{_NAME_WIDTH}}{cells}{bones}"


def _angle(error: AngleError | None) -> str:
    return "-" if error is None else f"{error.raw_deg:.1f}/{error.bias_free_deg:.1f}"


def _number(value: float, digits: int) -> str:
    return "-" if value != value else f"{value:.{digits}f}"
