"""The messages of live senders, well formed and hostile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import LiveError
from core.layouts import BODY25, COCO17
from core.live.messages import MAX_MESSAGE_BYTES, MAX_POINTS, parse_message, split_messages, write_message
from core.live.points import PointOrder

POINTS = [[0.0, 1.0, 2.0], [0.5, 1.5, 2.5, 0.25]]
GOOD = {"names": ["a", "b"], "fps": 30, "points": POINTS}


def parsed(**changes):
    return parse_message(json.dumps({**GOOD, **changes}).encode())


def test_a_message_is_read_as_it_says():
    message = parsed(time=1.5, person=7)
    np.testing.assert_array_equal(message.positions, [[0.0, 1.0, 2.0], [0.5, 1.5, 2.5]])
    np.testing.assert_array_equal(message.confidence, [1.0, 0.25])
    assert (message.fps, message.time_s, message.person, message.names) == (30.0, 1.5, "7", ("a", "b"))


def test_z_up_is_turned():
    np.testing.assert_array_equal(parsed(up="Z").positions[0], [0.0, 2.0, -1.0])


@pytest.mark.parametrize(
    "point", [None, [None, 0, 0], [float("nan"), 0, 0], [0, float("inf"), 0], [0, 0, 0, 0], [1e13, 0, 0]]
)
def test_a_point_can_be_missing(point):
    message = parsed(points=[POINTS[0], point])
    assert np.isnan(message.positions[1]).all() and message.confidence.tolist() == [1.0, 0.0]


def test_what_is_written_is_read():
    positions, confidence = np.arange(75.0).reshape(25, 3) / 7.0, np.linspace(0.0, 1.0, 25)
    message = parse_message(write_message(positions, confidence, fps=59.94, layout="body25", time_s=0.25))
    np.testing.assert_allclose(message.positions[1:], positions[1:], atol=5e-6)
    assert np.isnan(message.positions[0]).all()
    np.testing.assert_allclose(message.confidence, confidence, atol=5e-4)
    assert (message.fps, message.layout, message.time_s, message.names) == (59.94, "body25", 0.25, ())


HOSTILE = {
    "empty": b"",
    "no JSON": b"\x00\xff\xfe rubbish",
    "truncated": json.dumps(GOOD).encode()[:-5],
    "nested": b"[" * 60_000,
    "nested points": b'{"points":' + b"[" * 50_000,
    "huge": b" " * (MAX_MESSAGE_BYTES + 1),
    "a list": b"[1, 2]",
    "a number of many digits": b'{"fps": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_rubbish_is_refused_by_an_error_of_our_own(line):
    with pytest.raises(LiveError, match="expected") as refused:
        parse_message(line)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("points", None), ("points", []), ("points", {}), ("points", [[0, 0, 0]] * (MAX_POINTS + 1)),
        ("points", [[0, 0], [0, 0]]), ("points", [[0, 0, "1"], [0, 0, 0]]), ("points", [[0, 0, True], [0, 0, 0]]),
        ("points", [[[0], 0, 0], [0, 0, 0]]), ("points", [[10**400, 0, 0], [0, 0, 0]]),
        ("fps", None), ("fps", 0), ("fps", -1), ("fps", float("nan")),
        ("fps", 1e9), ("fps", "30"), ("fps", True), ("time", float("inf")), ("time", "now"), ("up", "X"), ("up", ["Y"]),
        ("names", None), ("names", ["a"]), ("names", ["a", "a"]), ("names", ["a", 1]), ("names", ["a", "b" * 101]),
        ("layout", 5), ("layout", "x" * 101), ("person", 1.5), ("person", "x" * 101), ("person", {}),
    ],
)  # fmt: skip
def test_each_field_is_checked(field, value):
    with pytest.raises(LiveError, match=f'"{field}"|point'):
        parsed(**{field: value})


def test_the_example_of_the_page_is_read():
    page = (Path(__file__).resolve().parents[3] / "docs" / "live.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("\n```")[0]
    message = parse_message(example.encode())
    assert (message.layout, message.fps, message.time_s, len(message.positions)) == ("coco17", 30.0, 12.4, 3)


def test_a_datagram_holds_a_message_a_line():
    assert split_messages(b"a\n\n  \nb\r\n") == [b"a", b"b\r"]
    assert split_messages(b"\n".join(b"%d" % number for number in range(100)))[0] == b"36"


def message_of(**fields):
    count = len(fields["names"]) if "names" in fields else fields.pop("count")
    return parse_message(json.dumps({"fps": 30, "points": [[0, 0, 0]] * count, **fields}).encode())


def test_points_come_in_the_order_of_the_layout():
    found = PointOrder.of(message_of(layout="body25", count=25))
    assert found.layout is BODY25 and found.order.tolist() == list(range(25))


def test_named_points_may_come_in_any_order_and_be_fewer():
    names = list(reversed(BODY25.names[:15]))
    found = PointOrder.of(message_of(layout="body25", names=names))
    assert found.layout.names == BODY25.names[:15] and [names[index] for index in found.order] == list(
        BODY25.names[:15]
    )


def test_a_layout_is_found_by_names_alone():
    found = PointOrder.of(message_of(names=list(COCO17.names)))
    assert found.layout.points == COCO17.points and found.order.tolist() == list(range(17))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"layout": "body26", "count": 26}, "a layout out of .*coco17"),
        ({"layout": "body25", "count": 24}, "the 25 points of layout body25, got 24"),
        ({"layout": "body25", "names": ["nose", "tail"]}, "points of layout body25, got tail"),
        ({"names": ["left_hip", "right_hip"]}, "hips, shoulders"),
    ],
)
def test_points_that_do_not_belong_to_a_layout_are_refused(fields, words):
    with pytest.raises(LiveError, match=words):
        PointOrder.of(message_of(**fields))
