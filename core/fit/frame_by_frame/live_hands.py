"""The fingers frame by frame, beside a stream of the body. H hands, L fingers, K points of both hands.

What `core.fit.hands` does to a clip, from what came before alone: points are filtered causally in the frames of the
wrists, the person's palms and bones are measured from time to time over the frames so far, and an angle that is not
seen stays, then relaxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...body.data import BodyData
from ...errors import SkeletonError
from ...fingers import RELAXED_HANDS, has_fingers
from ...layouts import HAND_POINTS, Layout
from ...math.rotations import axis_angle_to_matrix
from ...smpl_skeleton import NUM_BODY_ROTATIONS, SIDES, SMPLH
from ..hands.fit import WRISTS, person_of, point_error_m, wrist_frames, wrist_turns
from ..hands.observations import hand_columns, screen_hands, to_wrist
from ..hands.posing import pose_hands
from ..hands.skeleton import angles_of, hands_of_body, joint_rotations, rest_joints
from ..pose_solver import after_smoothing
from ..temporal.keypoint_smoothing import measure_noise
from .live_points import LivePoints
from .stream import StreamPose

_MEASURED_AFTER = (1, 4, 10, 20, 40, 80, 160, 320)
"""Numbers of frames with hands after which the person is measured again; the last time is final."""
_REMEMBERED = 160
"""At most this many frames are used for that; once that many were seen, every other one is kept."""
_HELD_S, _EASE_S, _RETURN_S = 0.4, 0.4, 0.15
"""How long an unseen angle is held, how long it then takes to relax, and how long to return once it is seen."""


@dataclass(frozen=True, eq=False)
class LiveHandPose:
    """One frame's hands.

    Attributes:
        rotations: (52, 3, 3) local rotations of SMPL-H's joints: the stream's body with turned wrists, and the fingers.
        seen: (2,) bool, whether points of the left and of the right hand show fingers.
        implausible: (2,) bool, whether there are points that are not those of a hand, or not at its wrist.
        swapped: whether the hands had each other's points.
    """

    rotations: np.ndarray
    seen: np.ndarray
    implausible: np.ndarray
    swapped: bool


class HandStream:
    """A running fit of one person's fingers, after that of the body::

    stream, hands = FitStream(layout, 30.0, body), HandStream(layout, 30.0, body_with_fingers)
    for positions, confidence in frames:
        pose = stream.push(positions, confidence)
        rotations = hands.push(positions, confidence, pose).rotations
    """

    def __init__(
        self,
        layout: Layout,
        fps: float,
        body: BodyData,
        *,
        smoothing: float = 1.0,
        unseen: np.ndarray = RELAXED_HANDS,
    ) -> None:
        """Begin without frames.

        Args:
            layout: the layout of the points, as of the body's stream.
            fps: frames per second.
            body: the body with SMPL-H's joints.
            smoothing: 1 filters as the noise requires; 0 only bridges gaps.
            unseen: (2, 15, 3) axis-angle of the fingers of hands that are not seen.

        Raises:
            SkeletonError: *body* has no fingers.
        """
        if not has_fingers(body.skeleton):
            raise SkeletonError(f"expected a body with the finger joints of SMPL-H, found {body.name!r} without")
        self._columns, self._body, self._fps, self._smoothing = np.array(hand_columns(layout)), body, fps, smoothing
        self._filter = LivePoints(len(SIDES) * len(HAND_POINTS), fps, smoothing)
        self._unseen = unseen
        self._noise_m = np.zeros((len(SIDES), len(HAND_POINTS)))
        self._history: list[tuple[np.ndarray, np.ndarray]] = []
        self._num_seen = 0
        self._betas: np.ndarray | None = None
        self._angles: _LiveValues | None = None
        self._turns = _LiveValues(np.zeros((3, len(SIDES))), fps)

    def push(self, positions: np.ndarray, confidence: np.ndarray, pose: StreamPose) -> LiveHandPose:
        """Return the hands of the next frame.

        Args:
            positions: (points of the layout, 3) metres, Y up; NaN where missing.
            confidence: (points of the layout,) 0 to 1.
            pose: the body's pose of this frame, which `FitStream.push` returned.
        """
        return self.push_on(positions, confidence, pose.rotations, pose.trans, pose.betas)

    def push_on(
        self, positions: np.ndarray, confidence: np.ndarray, rotations: np.ndarray, trans: np.ndarray, betas: np.ndarray
    ) -> LiveHandPose:
        """Return the hands of the next frame on any body.

        Args:
            positions: (points of the layout, 3) metres, Y up; NaN where missing.
            confidence: (points of the layout,) 0 to 1.
            rotations: (J, 3, 3) local rotations, of SMPL's body joints first.
            trans: (3,) metres.
            betas: (B,) shape.
        """
        self._follow_shape(betas)
        positions, confidence = np.asarray(positions, dtype=np.float64), np.asarray(confidence, dtype=np.float64)
        wrists, worlds = wrist_frames(rotations[None].astype(np.float64), trans[None], self._rest)
        shown = (self._columns >= 0) & (confidence[self._columns] > 0) & np.isfinite(positions[self._columns]).all(-1)
        points = np.where(shown[..., None], positions[self._columns], 0.0)[None]
        screened = screen_hands(points, np.where(shown, confidence[self._columns], 0.0)[None], wrists)
        local = to_wrist(screened.positions, wrists, worlds)
        self._measure(local[0], screened.weights[0])
        points, weights = self._filtered(local[0], screened.weights[0])
        poses = pose_hands(points[None], weights[None], self._person, self._sigma_m)
        angles = self._live_angles().push(poses.angles[..., 0], poses.known[..., 0])
        turns = self._turns.push(poses.turns[..., 0], np.broadcast_to(poses.palm_known[None, :, 0], (3, len(SIDES))))
        whole = np.broadcast_to(np.eye(3), (SMPLH.num_joints, 3, 3)).copy()
        whole[:NUM_BODY_ROTATIONS] = rotations[:NUM_BODY_ROTATIONS]
        whole[WRISTS] = whole[WRISTS] @ wrist_turns(turns.T)
        whole[NUM_BODY_ROTATIONS:] = joint_rotations(angles[..., None], self._person)[0].reshape(-1, 3, 3)
        seen = poses.seen[..., 0].any(axis=0)
        return LiveHandPose(whole, seen, screened.implausible[0] | poses.mirrored[:, 0], bool(screened.swapped[0]))

    def _follow_shape(self, betas: np.ndarray) -> None:
        """Take over the shape of the body, which changes until the stream has calibrated it."""
        if self._betas is None or not np.array_equal(self._betas, betas):
            self._betas = betas.copy()
            self._rest = rest_joints(self._body, betas.astype(np.float64))
            self._hands = hands_of_body(self._body, betas.astype(np.float64))
            self._set_person()

    def _measure(self, local: np.ndarray, weights: np.ndarray) -> None:
        """Remember the points (H, 21, 3) of a frame, and measure noise and person when it is time."""
        if not weights.any() or self._num_seen >= _MEASURED_AFTER[-1]:
            return
        self._num_seen += 1
        if self._num_seen <= _REMEMBERED or self._num_seen % 2:
            self._history.append((local, weights))
        if self._num_seen in _MEASURED_AFTER:
            points, shown = self._remembered()
            flat = points.reshape(len(points), -1, 3), shown.reshape(len(points), -1) > 0
            self._noise_m = measure_noise(*flat).reshape(self._noise_m.shape)
            self._set_person()

    def _set_person(self) -> None:
        noise_m = after_smoothing(self._noise_m, self._smoothing)
        points, weights = self._remembered()
        self._sigma_m = point_error_m(points, weights, self._noise_m, noise_m)
        self._person = person_of(points, weights, self._hands, noise_m, self._sigma_m)

    def _remembered(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the remembered points (F, H, 21, 3) and weights (F, H, 21); a frame without any at the beginning."""
        kept = self._history[-_REMEMBERED:]
        if not kept:
            return np.zeros((1, *self._noise_m.shape, 3)), np.zeros((1, *self._noise_m.shape))
        return np.stack([points for points, _ in kept]), np.stack([weights for _, weights in kept])

    def _filtered(self, local: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the filtered points (H, 21, 3) and their weights (H, 21)."""
        restarted = np.zeros(weights.size, dtype=bool)
        live = self._filter.push(local.reshape(-1, 3), weights.ravel(), self._noise_m.ravel(), restarted)
        return live.positions.reshape(local.shape), live.weights.reshape(weights.shape)

    def _live_angles(self) -> _LiveValues:
        if self._angles is None:
            relaxed = angles_of(axis_angle_to_matrix(self._unseen)[None], self._hands)[..., 0]
            self._angles = _LiveValues(relaxed, self._fps)
        return self._angles


class _LiveValues:
    """Values that stay for a moment where they are not seen, then relax, and come back gradually."""

    def __init__(self, relaxed: np.ndarray, fps: float) -> None:
        self._relaxed, self._fps = relaxed, fps
        self._shown, self._last = relaxed.copy(), relaxed.copy()
        self._unseen = np.full(relaxed.shape, np.inf)
        self._back = np.ones(relaxed.shape)

    def push(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the values of the next frame; *values* are arbitrary where they are not *known*."""
        held, ease = _HELD_S * self._fps, max(_EASE_S * self._fps, 1.0)
        returns = known & (self._unseen > held) & (self._unseen < np.inf)
        self._back = np.where(returns, 0.0, np.minimum(self._back + 1.0 / max(_RETURN_S * self._fps, 1.0), 1.0))
        self._unseen = np.where(known, 0.0, self._unseen + 1.0)
        self._last = np.where(known, values, self._last)
        share = np.clip((self._unseen - held) / ease, 0.0, 1.0)
        unseen = self._last + share * (self._relaxed - self._last)
        self._shown = np.where(known, self._shown + self._back * (values - self._shown), unseen)
        return self._shown
