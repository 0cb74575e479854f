"""The messages of live senders: one JSON object a frame and person. K points.

Every sender is taken for a stranger's: a message is bounded before it is parsed, and checked field by field.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import LiveError
from ..printable import printable
from ..reading.up_axis import rotation_to_y_up
from ..track import MAX_FPS, mark_missing

MAX_MESSAGE_BYTES = 65_507
"""The most that a UDP datagram holds; a WebSocket message may hold no more."""
MAX_POINTS = 512
MAX_LINES = 64
"""Most messages that one datagram holds."""
_MAX_NAME = 100
_MAX_TIME_S = 1e12
_SHOWN = 60
_MISSING = (math.nan, math.nan, math.nan, 0.0)
_NUMBERS = frozenset((int, float, type(None)))
"""What JSON has in the place of a number; a truth value is none."""
_Z_TO_Y_UP = rotation_to_y_up("+Z")


@dataclass(frozen=True, eq=False)
class LiveMessage:
    """One frame of one person, as it was sent.

    Convention: metres, right-handed, Y up. A missing point is NaN and has confidence 0.

    Attributes:
        positions: (K, 3) float64.
        confidence: (K,) float64 in [0, 1].
        fps: the sender's frame rate, frames per second.
        layout: name of the layout; empty if the names tell it.
        names: (K,) names of the points; empty if they are in the layout's order.
        time_s: time of the frame by the sender's clock, seconds; None if it tells none.
        person: label of the person; empty if the sender has only one.
    """

    positions: np.ndarray
    confidence: np.ndarray
    fps: float
    layout: str = ""
    names: tuple[str, ...] = ()
    time_s: float | None = None
    person: str = ""


def split_messages(payload: bytes) -> list[bytes]:
    """Return the messages in a datagram or WebSocket message, one a line, in order; the last of too many."""
    lines = [line for line in payload.split(b"\n") if line.strip()]
    return lines[-MAX_LINES:]


def parse_message(line: bytes) -> LiveMessage:
    """Return the message that *line* holds; see docs/live.md.

    Raises:
        LiveError: it is no such message.
    """
    if len(line) > MAX_MESSAGE_BYTES:
        raise LiveError(f"expected a message of up to {MAX_MESSAGE_BYTES} bytes, got {len(line)}")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LiveError(f"expected a JSON object a line, got {_shown(line)}: {error}") from error
    if not isinstance(fields, dict):
        raise LiveError(f"expected a JSON object a line, got {_shown(line)}")
    positions, confidence = _points(fields.get("points"))
    up = fields.get("up", "Y")
    if up not in ("Y", "Z"):
        raise LiveError(f'expected "up" to be "Y" or "Z", got {_text(up)}')
    if up == "Z":
        positions = positions @ _Z_TO_Y_UP.T
    fps = _number(fields.get("fps"), "fps", MAX_FPS)
    if fps <= 0.0:
        raise LiveError(f'expected "fps" above 0, got {fps:g}')
    sent = fields.get("time")
    return LiveMessage(
        positions,
        confidence,
        fps,
        _layout(fields.get("layout"), fields.get("names")),
        _names(fields.get("names"), len(positions)),
        None if sent is None else _number(sent, "time", _MAX_TIME_S),
        _person(fields.get("person")),
    )


def write_message(
    positions: np.ndarray, confidence: np.ndarray, *, fps: float, layout: str, names: Sequence[str] = (), time_s: float
) -> bytes:
    """Return a frame as `parse_message` reads it, without a line feed.

    Args:
        positions: (K, 3) metres, Y up; NaN where missing.
        confidence: (K,) 0 to 1.
        fps: frames per second.
        layout: name of the layout.
        names: (K,) names of the points in it; empty if all are there, in order.
        time_s: time of the frame, seconds.
    """
    points = [
        None if trust <= 0.0 else [*(round(value, 5) for value in place), round(trust, 3)]
        for place, trust in zip(positions.tolist(), confidence.tolist(), strict=True)
    ]
    named = {"names": list(names)} if names else {}
    fields = {"layout": layout, **named, "fps": fps, "time": round(time_s, 6), "points": points}
    return json.dumps(fields, separators=(",", ":")).encode()


def _points(value: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions (K, 3) and confidences (K,) of the field "points"."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_POINTS:
        raise LiveError(f'expected "points" to be a list of 1 to {MAX_POINTS}, got {_text(value)}')
    rows = [_point(point) for point in value]
    try:
        array = np.array(rows, dtype=np.float64)  # null becomes NaN
    except OverflowError as error:
        raise LiveError('expected "points" in metres, got an integer that is too large for a number') from error
    return mark_missing(array[:, :3], array[:, 3])


def _point(value: object) -> Sequence[float | None]:
    """Return x, y, z and confidence of a point."""
    if value is None:
        return _MISSING
    if not isinstance(value, list) or len(value) not in (3, 4):
        raise LiveError(f"expected a point as [x, y, z], [x, y, z, confidence] or null, got {_text(value)}")
    if not _NUMBERS.issuperset(map(type, value)):
        raise LiveError(f"expected the coordinates of a point as numbers, got {_text(value)}")
    return value if len(value) == 4 else [*value, 1.0]


def _number(value: object, name: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        raise LiveError(f'expected "{name}" as a number of up to {most:g}, got {_text(value)}')
    return float(value)


def _layout(layout: object, names: object) -> str:
    if layout is None and names is not None:
        return ""
    if not isinstance(layout, str) or not layout or len(layout) > _MAX_NAME:
        raise LiveError(f'expected "layout" as the name of a layout, or "names" of the points, got {_text(layout)}')
    return layout


def _names(value: object, num_points: int) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or any(not isinstance(name, str) or len(name) > _MAX_NAME for name in value):
        raise LiveError(f'expected "names" as a list of texts of up to {_MAX_NAME} characters, got {_text(value)}')
    if len(value) != num_points or len(set(value)) != num_points:
        raise LiveError(f'expected {num_points} different "names", as many as "points", got {len(set(value))}')
    return tuple(value)


def _person(value: object) -> str:
    if value is None:
        return ""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | str)
        or len(text := str(value)[: _MAX_NAME + 1]) > _MAX_NAME
    ):
        raise LiveError(f'expected "person" as a short text or a number, got {_text(value)}')
    return text


def _text(value: object) -> str:
    """Return the beginning of *value* for an error."""
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return "none" if value is None else repr(str(value)[:_SHOWN] if isinstance(value, str) else value)[:_SHOWN]


def _shown(line: bytes) -> str:
    return repr(printable(line[:_SHOWN].decode("utf-8", "replace")))
