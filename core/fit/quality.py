"""The quality presets: how much work goes into each frame."""

from __future__ import annotations

from dataclasses import dataclass

from .solver.gauss_newton import IterationLimits


@dataclass(frozen=True)
class Quality:
    """The settings of a fit that trade time for accuracy.

    Attributes:
        iterations: number of steps of the exact pose solve.
        shape_rounds: number of alternations between the shape and the expected poses.
        refines: refine frames with pose artifacts over time.
        refines_all: pull every frame towards the motion around it, not only those in which a joint jitters.
    """

    iterations: IterationLimits = IterationLimits()
    shape_rounds: int = 4
    refines: bool = True
    refines_all: bool = False


QUALITIES: dict[str, Quality] = {
    "fast": Quality(IterationLimits(steps=2, extra_steps=2, still_rad=0.02), shape_rounds=2, refines=False),
    "balanced": Quality(),
    "best": Quality(IterationLimits(extra_steps=8, still_rad=0.003), refines_all=True),
}
