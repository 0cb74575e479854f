"""The points of a track that the solver reads, and the body's side of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.data import BodyData
from ..body.landmarks import landmark_regressor
from ..errors import BodyError, TrackError
from ..track import KeypointTrack

_NEEDED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


@dataclass(frozen=True, eq=False)
class SolverPoints:
    """A track reduced to what the solver reads.

    Attributes:
        names: (K,) solver points.
        positions: (F, K, 3) metres, NaN where missing.
        weights: (F, K) confidence times the layout's weight; 0 where missing.
    """

    names: tuple[str, ...]
    positions: np.ndarray
    weights: np.ndarray


def solver_points(track: KeypointTrack) -> SolverPoints:
    """Return the points of *track* that the solver reads.

    Raises:
        TrackError: hips or shoulders are never seen, so no pose can be found.
    """
    columns = [index for index, point in enumerate(track.layout.points) if point.solver is not None]
    names = tuple(point.solver for point in track.layout.points if point.solver is not None)
    shares = np.array([track.layout.points[index].weight for index in columns])
    weights = track.confidence[:, columns] * shares
    unseen = [name for name in _NEEDED if name not in names or not weights[:, names.index(name)].any()]
    if unseen:
        where = f" in {track.source}" if track.source else ""
        raise TrackError(
            f"expected both hips and both shoulders to be seen; {', '.join(unseen)} never "
            f"{'is' if len(unseen) == 1 else 'are'}{where}; check the layout ({track.layout.name}) with --layout"
        )
    return SolverPoints(names, track.positions[:, columns], weights)


def body_regressor(track: KeypointTrack, body: BodyData, regressor: np.ndarray | None) -> np.ndarray:
    """Return the regressor (K, V) of the track's solver points on *body*.

    Args:
        track: whose layout's points are wanted.
        body: the body.
        regressor: (number of the layout's points, V) rows to use in place of the common rule, or None.

    Raises:
        BodyError: the given rows are not one for each point of the layout.
    """
    columns = [index for index, point in enumerate(track.layout.points) if point.solver is not None]
    if regressor is None:
        return landmark_regressor(body, tuple(str(track.layout.points[index].solver) for index in columns))
    expected = (len(track.layout.points), len(body.v_template))
    if regressor.shape != expected:
        raise BodyError(
            f"expected a regressor {expected} for layout {track.layout.name} on body {body.name!r}, "
            f"got {regressor.shape}; give one row for each point of the layout"
        )
    return np.asarray(regressor, dtype=np.float64)[columns]
