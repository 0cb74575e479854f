"""The points of a track that the solver uses, and their regressor on the body. F frames, K keypoints, V vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.bony_landmarks import landmark_holders
from ..body.data import BodyData
from ..body.keypoints import KeypointModel
from ..body.landmarks import JOINT_CARRIERS, landmark_regressor
from ..body.model import BodyModel
from ..errors import BodyError, TrackError
from ..layouts import Layout
from ..track import KeypointTrack
from .temporal.visibility import find_visibility

_REQUIRED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


@dataclass(frozen=True, eq=False)
class SolverPoints:
    """The points of a track that the solver uses.

    Attributes:
        names: (K,) names of the solver points.
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
    """The points of a layout that the solver uses.

    Attributes:
        names: (K,) names of the solver points.
        columns: (K,) their indices in the layout.
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
        """Return these points with no frames."""
        count = len(self.names)
        return SolverPoints(self.names, np.empty((0, count, 3)), np.empty((0, count)), self.trust)


def layout_points(layout: Layout) -> LayoutPoints:
    """Return the points of *layout* that the solver uses."""
    chosen = [(point.solver, index, point.weight) for index, point in enumerate(layout.points) if point.solver]
    names, columns, weights = zip(*chosen, strict=True)
    return LayoutPoints(names, columns, np.array(weights))


def solver_points(track: KeypointTrack) -> SolverPoints:
    """Return the points of *track* that the solver uses.

    Raises:
        TrackError: hips or shoulders are never seen, or never together, so that no pose can be estimated.
    """
    points = layout_points(track.layout).take(track)
    check_body_seen(points, track)
    return points


def check_body_seen(points: SolverPoints, track: KeypointTrack) -> None:
    """Check that hips and shoulders are seen.

    Args:
        points: the track's points, all or those that remain after screening.
        track: their track, for the message.

    Raises:
        TrackError: hips or shoulders are never seen, or never together, so that no pose can be estimated.
    """
    seen = {name for index, name in enumerate(points.names) if points.weights[:, index].any()}
    unseen = [name for name in _REQUIRED if name not in seen]
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


def keypoint_model(layout: Layout, body: BodyModel, regressor: np.ndarray | None) -> KeypointModel:
    """Return the layout's solver points on *body*, without vertices; those of other rows than ours follow the skin.

    Args:
        layout: the layout.
        body: the body.
        regressor: (number of the layout's points, V) rows that replace the built-in regressor, or None.

    Raises:
        BodyError: *regressor* has not one row for each point of the layout, or is not finite.
        SkeletonError: *body* has other joints than SMPL's.
    """
    rows, names = body_regressor(layout, body.data, regressor), layout_points(layout).names
    if regressor is None:
        ours = names
    else:
        built_in = landmark_regressor(body.data, names)
        ours = tuple(name for name, row, own in zip(names, rows, built_in, strict=True) if np.allclose(row, own))
    carriers = [{names.index(name): joint for name, joint in one.items() if name in ours} for one in JOINT_CARRIERS]
    carried = {index: joint for index, joint in landmark_holders(names).items() if names[index] in ours}
    return KeypointModel(body, rows, carried, [one for one in carriers if one])


def body_regressor(layout: Layout, body: BodyData, regressor: np.ndarray | None) -> np.ndarray:
    """Return the regressor (K, V) of the layout's solver points on *body*.

    Args:
        layout: the layout.
        body: the body.
        regressor: (number of the layout's points, V) rows that replace the built-in regressor, or None.

    Raises:
        BodyError: *regressor* has not one row for each point of the layout, or is not finite.
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
        raise BodyError(f"expected a regressor of finite numbers for layout {layout.name}, found others")
    return rows
