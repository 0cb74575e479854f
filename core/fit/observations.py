"""The points of a track that the solver reads, and the body's side of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.data import BodyData
from ..body.landmarks import landmark_regressor
from ..errors import BodyError, TrackError
from ..layouts import Layout
from ..track import KeypointTrack
from .temporal.visibility import find_visibility

_NEEDED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
FOOT_POINTS = tuple(
    f"{side}_{point}" for side in ("left", "right") for point in ("ankle", "heel", "big_toe", "small_toe", "foot")
)
LEG_POINTS = ("left_knee", "right_knee", *FOOT_POINTS)
"""The solver points of the legs below the hips."""


@dataclass(frozen=True, eq=False)
class SolverPoints:
    """A track reduced to what the solver reads.

    Attributes:
        names: (K,) solver points.
        positions: (F, K, 3) metres, NaN where missing.
        weights: (F, K) confidence times the layout's weight; 0 where missing.
        trust: (K,) the layout's weights.
    """

    names: tuple[str, ...]
    positions: np.ndarray
    weights: np.ndarray
    trust: np.ndarray


@dataclass(frozen=True, eq=False)
class LayoutPoints:
    """Which points of a layout the solver reads.

    Attributes:
        names: (K,) solver points.
        columns: (K,) their places in the layout.
        trust: (K,) the layout's weights.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    trust: np.ndarray

    def take(self, track: KeypointTrack) -> SolverPoints:
        """Return the points of *track*."""
        columns = list(self.columns)
        return SolverPoints(
            self.names, track.positions[:, columns], track.confidence[:, columns] * self.trust, self.trust
        )

    def empty(self) -> SolverPoints:
        """Return no frame."""
        count = len(self.names)
        return SolverPoints(self.names, np.empty((0, count, 3)), np.empty((0, count)), self.trust)


def layout_points(layout: Layout) -> LayoutPoints:
    """Return the points of *layout* that the solver reads."""
    chosen = [(point.solver, index, point.weight) for index, point in enumerate(layout.points) if point.solver]
    names, columns, weights = zip(*chosen, strict=True)
    return LayoutPoints(names, columns, np.array(weights))


def solver_points(track: KeypointTrack) -> SolverPoints:
    """Return the points of *track* that the solver reads.

    Raises:
        TrackError: hips or shoulders are never seen, or never together, so no pose can be found.
    """
    points = layout_points(track.layout).take(track)
    check_body_seen(points, track)
    return points


def check_body_seen(points: SolverPoints, track: KeypointTrack) -> None:
    """Check that hips and shoulders are seen.

    Args:
        points: of the track, or those of them that are left.
        track: where they are from, for the message.

    Raises:
        TrackError: hips or shoulders are never seen, or never together, so no pose can be found.
    """
    seen = {name for index, name in enumerate(points.names) if points.weights[:, index].any()}
    unseen = [name for name in _NEEDED if name not in seen]
    where = (f" of person {track.person}" if track.person else "") + (f" in {track.source}" if track.source else "")
    instead = ", or read another person alone with --person" if track.person else ""
    options = ("layout", "person") if track.person else ("layout",)
    if unseen:
        raise TrackError(
            f"expected both hips and both shoulders to be seen; {', '.join(unseen)} never "
            f"{'is' if len(unseen) == 1 else 'are'}{where}; check the layout ({track.layout.name}) with --layout"
            f"{instead}",
            options=options,
        )
    if find_visibility(points.names, points.weights).absent.all():
        raise TrackError(
            f"expected a frame that shows hips and shoulders together, found none of {track.num_frames}{where}; "
            f"check the layout ({track.layout.name}) with --layout{instead}",
            options=options,
        )


def body_regressor(layout: Layout, body: BodyData, regressor: np.ndarray | None) -> np.ndarray:
    """Return the regressor (K, V) of the layout's solver points on *body*.

    Args:
        layout: whose points are wanted.
        body: the body.
        regressor: (number of the layout's points, V) rows to use in place of the common rule, or None.

    Raises:
        BodyError: the given rows are not one for each point of the layout, or not finite.
    """
    points = layout_points(layout)
    if regressor is None:
        return landmark_regressor(body, points.names)
    expected = (len(layout.points), len(body.v_template))
    if np.shape(regressor) != expected:
        raise BodyError(
            f"expected a regressor {expected} for layout {layout.name} on body {body.name!r}, "
            f"got {np.shape(regressor)}; give one row for each point of the layout"
        )
    rows = np.asarray(regressor, dtype=np.float64)[list(points.columns)]
    if not np.isfinite(rows).all():
        raise BodyError(f"expected a regressor of finite numbers for layout {layout.name}, found some that are not")
    return rows
