"""From a sender's messages to poses, without threads and sockets. J joints, L points of the layout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..body.data import BodyData
from ..errors import CoreError
from ..fingers import RELAXED_HANDS, has_fingers
from ..fit.frame_by_frame.live_hands import HandStream
from ..fit.frame_by_frame.stream import FitStream
from ..fit.options import FitOptions
from ..math.rotations import matrix_to_axis_angle
from ..smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS
from .messages import LiveMessage, parse_message
from .points import PointOrder

_SAME_CLOCK_S = 2.0
"""A sender whose clock jumps by more than this has started again."""


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """One frame, fitted.

    Convention: metres, radians, right-handed, Y up, as `core.motion.Motion`.

    Attributes:
        time_s: when it was recorded, on the receiver's clock (`time.monotonic`), spaced as by the sender's.
        arrived_s: when its message arrived, on the same clock.
        pose: (3 J,) axis-angle of the joints of the receiver's body.
        betas: (B,) the shape so far.
        trans: (3,) metres.
        calibrated: whether the shape is final.
        error_m: mean distance between the points and the body's, metres; NaN without any.
        fps: the sender's frame rate, frames per second.
    """

    time_s: float
    arrived_s: float
    pose: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    calibrated: bool
    error_m: float
    fps: float


class SenderClock:
    """Puts a sender's times onto the receiver's clock."""

    def __init__(self) -> None:
        """Begin without a sender."""
        self._offset_s = math.nan
        self._last_s = -math.inf

    def time_of(self, message: LiveMessage, arrived_s: float) -> float | None:
        """Return the time of *message*, later than all before; None if it came too late.

        The sender's times count as long as they go on. If they jump, as when the sender starts again, they begin anew
        at the arrival of that message.
        """
        sent_s = arrived_s if message.time_s is None else message.time_s
        offset_s = 0.0 if message.time_s is None else self._offset_s
        if not abs(sent_s + offset_s - arrived_s) <= _SAME_CLOCK_S:
            offset_s = max(arrived_s, self._last_s + 1.0 / message.fps) - sent_s
        self._offset_s = offset_s
        time_s = sent_s + offset_s
        if time_s <= self._last_s:
            return None
        self._last_s = time_s
        return time_s


class LiveFit:
    """Fits the frames of one person, whatever layouts and rates the senders change to.

    `read` may be called on another thread than `fit` and `prepare`.

    Attributes:
        person: the label of the person that is followed; None before the first message, if none was chosen.
        layout: title of the layout of the points; empty before the first message.
        num_others: how many were of other people.
        num_late: how many came after a later one.
        problem: why the last message was refused, for the user; empty once one was fitted.
    """

    def __init__(
        self, body: BodyData, fingered: BodyData, options: FitOptions | None = None, *, person: str | None = None
    ) -> None:
        """Begin without frames.

        Args:
            body: the body to fit, of SMPL's joints.
            fingered: the same body with fingers, if it has any; else the same. The poses are of its joints.
            options: the fit options, as for `FitStream`.
            person: the label of the person to follow; None for that of the first message.
        """
        self._body, self._fingered, self._options = body, fingered, options or FitOptions()
        self._clock = SenderClock()
        self._key: object = None
        self.person, self.layout, self.problem = person, "", ""
        self._num_malformed = self._num_unfitted = 0
        self.num_others = self.num_late = 0

    @property
    def num_refused(self) -> int:
        """How many messages were malformed, or could not be fitted."""
        return self._num_malformed + self._num_unfitted

    def read(self, line: bytes) -> LiveMessage | None:
        """Return the message that *line* holds; None if it is malformed, or another person's.

        Args:
            line: one message, see docs/live.md.
        """
        try:
            message = parse_message(line)
        except CoreError as error:
            self._num_malformed += 1
            self.problem = str(error)
            return None
        if self.person is None:
            self.person = message.person
        if message.person != self.person:
            self.num_others += 1
            return None
        return message

    def fit(self, message: LiveMessage, arrived_s: float) -> LiveFrame | None:
        """Return the pose of *message*; None if it came too late, or cannot be fitted.

        Args:
            message: what `read` has returned.
            arrived_s: when it arrived, by `time.monotonic`.
        """
        time_s = self._clock.time_of(message, arrived_s)
        if time_s is None:
            self.num_late += 1
            return None
        try:
            frame = self._fit(message, time_s, arrived_s)
        except CoreError as error:
            self._num_unfitted += 1
            self.problem = str(error)
            return None
        self.problem = ""
        return frame

    def prepare(self) -> None:
        """Do ahead what the next frame will need; call it when there is time before that, on the thread of `fit`."""
        if self._key is not None:
            self._stream.prepare()

    def _fit(self, message: LiveMessage, time_s: float, arrived_s: float) -> LiveFrame:
        key = (message.layout, message.names, message.fps, len(message.positions))
        if key != self._key:
            self._begin(message)
            self._key = key
        order = self._points.order
        positions, confidence = message.positions[order], message.confidence[order]
        found = self._stream.push(positions, confidence)
        if self._hands is not None:
            rotations = self._hands.push(positions, confidence, found).rotations
            pose = matrix_to_axis_angle(rotations).ravel()
        else:
            body = matrix_to_axis_angle(found.rotations[:NUM_BODY_ROTATIONS])
            pose = np.concatenate([body.ravel(), self._held])
        seen = np.isfinite(found.point_error_m)
        error_m = float(found.point_error_m[seen].mean()) if seen.any() else math.nan
        calibrated = self._stream.calibrated
        return LiveFrame(time_s, arrived_s, pose, found.betas, found.trans, calibrated, error_m, message.fps)

    def _begin(self, message: LiveMessage) -> None:
        """Begin a stream for the points of *message*."""
        self._key = None
        self._points = PointOrder.of(message)
        layout = self._points.layout
        self._stream = FitStream(layout, message.fps, self._body, self._options)
        fingers = has_fingers(self._fingered.skeleton)
        shown = fingers and self._options.fingers and bool(layout.finger_index)
        self._hands = HandStream(layout, message.fps, self._fingered) if shown else None
        self._held = RELAXED_HANDS.ravel() if fingers else np.zeros(3 * (NUM_JOINTS - NUM_BODY_ROTATIONS))
        self.layout = layout.title
