"""Listen, fit the newest frame, and tell how it goes: the threads of a live session."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from ..body.data import BodyData
from ..fit.options import FitOptions
from ..math.arrays import one_blas_thread
from .addresses import Address
from .listener import Arrival, Listener
from .live_fit import LiveFit, LiveFrame
from .mailbox import Mail, Mailbox
from .messages import split_messages
from .recording import LiveRecording
from .vmc import VmcSender

_TICK_S = 0.1
_SHORTEST_S = 1.0 / 200.0
"""No more frames a second are fitted than this allows: a flood leaves the other threads their time."""
_SHOWN_S = 0.015
"""Time for others to show a frame before the next one is prepared; they share the interpreter with that."""
_LATENCIES = 100
SILENT_S = 1.0
"""A sender that sends nothing for so long has stopped."""


@dataclass(frozen=True)
class LiveStatus:
    """How a live session goes.

    Attributes:
        num_fitted: frames that were fitted.
        num_dropped: messages that were not, because newer ones had come already, or came late.
        num_refused: messages that were malformed or could not be fitted.
        num_others: messages of other people than the one that is followed.
        person: the label of the person that is followed.
        layout: title of the points' layout; empty before the first message.
        latency_ms: the time from the arrival of a message to its pose, in the median of the last frames; NaN before.
        is_receiving: whether a frame was fitted in the last second.
        problem: what is wrong, for the user; empty if nothing is.
    """

    num_fitted: int
    num_dropped: int
    num_refused: int
    num_others: int
    person: str
    layout: str
    latency_ms: float
    is_receiving: bool
    problem: str


class LiveReceiver:
    """A live session, from its construction until `close`. All its methods may be called on any thread.

    Attributes:
        newest: the newest frame; None before the first. Replaced as a whole.
    """

    def __init__(
        self,
        address: Address,
        body: BodyData,
        fingered: BodyData,
        options: FitOptions | None = None,
        *,
        person: str | None = None,
        vmc: VmcSender | None = None,
    ) -> None:
        """Listen, and fit what comes in.

        Args:
            address: where to listen.
            body: the body to fit, of SMPL's joints.
            fingered: the same body with fingers if it has any; the poses are of its joints.
            options: the fit options.
            person: label of the person to follow; None for that of the first message.
            vmc: sends the poses on; closed at the end. None sends nothing.

        Raises:
            LiveError: the address cannot be listened on.
        """
        self._fit = LiveFit(body, fingered, options, person=person)
        self._skeleton, self._body_name, self._vmc = fingered.skeleton, fingered.name, vmc
        self._mailbox = Mailbox()
        self._stop = threading.Event()
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._lock = threading.Lock()
        self._recording: LiveRecording | None = None
        self._error: BaseException | None = None
        self._num_fitted = self._num_passed = self._num_unread = 0
        self.newest: LiveFrame | None = None
        self._listener = Listener(address, self._read)
        self._thread = threading.Thread(target=self._run, name="SMPLify live fit", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        """The address that is listened on, with the actual port."""
        return self._listener.address

    @property
    def status(self) -> LiveStatus:
        """How the session goes.

        Raises:
            BaseException: the fit has ended by an error that is no user's.
        """
        if self._error is not None:
            raise self._error
        fit, newest, latencies = self._fit, self.newest, list(self._latencies)
        return LiveStatus(
            num_fitted=self._num_fitted,
            num_dropped=self._mailbox.num_dropped + self._num_unread + self._num_passed + fit.num_late,
            num_refused=fit.num_refused,
            num_others=fit.num_others,
            person=fit.person or "",
            layout=fit.layout,
            latency_ms=1e3 * float(np.median(latencies)) if latencies else float("nan"),
            is_receiving=newest is not None and time.monotonic() - newest.arrived_s < SILENT_S,
            problem=fit.problem or self._listener.problem,
        )

    @property
    def num_recorded(self) -> int | None:
        """Number of frames recorded so far; None if nothing is being recorded."""
        recording = self._recording
        return None if recording is None else len(recording)

    def begin_recording(self) -> None:
        """Record every frame that is fitted from now on."""
        with self._lock:
            self._recording = LiveRecording(self._skeleton, body=self._body_name)

    def end_recording(self) -> LiveRecording:
        """Stop recording and return what was recorded; nothing if it was not begun."""
        with self._lock:
            recording, self._recording = self._recording, None
        return recording or LiveRecording(self._skeleton, body=self._body_name)

    def close(self) -> None:
        """End the session and free the port; a recording can still be fetched."""
        self._listener.close()
        self._stop.set()
        self._thread.join()
        if self._vmc is not None:
            self._vmc.close()

    def _run(self) -> None:
        try:
            with one_blas_thread():
                while not self._stop.is_set():
                    mails = self._mailbox.take(_SHOWN_S)
                    if not mails:
                        self._fit.prepare()
                        mails = self._mailbox.take(_TICK_S)
                    began = time.monotonic()
                    if mails:
                        self._fit_newest(mails)
                        self._stop.wait(max(0.0, began + _SHORTEST_S - time.monotonic()))
        except BaseException as error:
            self._error = error  # the owner raises it when it asks for the status

    def _read(self, arrivals: list[Arrival]) -> None:
        """Let the newest message of *arrivals* wait to be fitted; called on the listener's thread.

        What is malformed or another person's is counted and passed over here, so that it takes no place in the queue.
        """
        lines = [(line, item.arrived_s) for item in arrivals for line in split_messages(item.payload)]
        while lines:
            line, arrived_s = lines.pop()
            message = self._fit.read(line)
            if message is not None:
                self._mailbox.put(Mail(message, arrived_s))
                self._num_unread += len(lines)
                return

    def _fit_newest(self, mails: list[Mail]) -> None:
        """Fit the newest message that can be; *mails* begin with the newest."""
        for number, mail in enumerate(mails, start=1):
            frame = self._fit.fit(mail.message, mail.arrived_s)
            if frame is not None:
                self._publish(frame)
                self._num_passed += len(mails) - number
                return

    def _publish(self, frame: LiveFrame) -> None:
        self.newest = frame
        self._num_fitted += 1
        self._latencies.append(time.monotonic() - frame.arrived_s)
        with self._lock:
            if self._recording is not None:
                self._recording.add(frame)
        if self._vmc is not None:
            self._vmc.send(frame)
