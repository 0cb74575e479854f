"""What a quality stands for: how much work goes into each frame."""

from __future__ import annotations

from dataclasses import dataclass

from .solver.gauss_newton import IterationLimits


@dataclass(frozen=True)
class Quality:
    """The settings of a fit that trade time for accuracy.

    Attributes:
        iterations: steps of the finish.
        shape_rounds: how often the shape is found anew from poses, and these from it.
        settles: joints that pop or tremble are settled.
        calms_all: every frame is drawn towards the motion around it, not only those in which a joint trembles.
    """

    iterations: IterationLimits = IterationLimits()
    shape_rounds: int = 4
    settles: bool = True
    calms_all: bool = False


QUALITIES: dict[str, Quality] = {
    "fast": Quality(IterationLimits(steps=2, extra_steps=2, still_rad=0.02), shape_rounds=2, settles=False),
    "balanced": Quality(),
    "best": Quality(IterationLimits(extra_steps=8, still_rad=0.003), calms_all=True),
}
