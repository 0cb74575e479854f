"""BVH: a tree of joints, and their angles over time. F frames, J joints, C channels.

Convention: a joint's rotation is the product of its channels in the order of the file, degrees, relative to its parent.
A position channel takes the place of the joint's offset, as MotionBuilder and Blender write it; in files whose joints
below the root have positions around zero, it is added to the offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import MAX_TEXT_LENGTH, check_counts
from .textfile import MAX_TEXT_BYTES, TextTable, decode_text, read_bytes, split_lines

MAX_JOINTS = 600
"""Most joints of a file, with those at the ends; bodies with fingers and face have 60 to 300."""
_MAX_HEAD = 1 << 21
"""Most characters of the hierarchy."""
_CHANNELS = {f"{axis}{kind}": (axis, kind) for axis in "XYZ" for kind in ("position", "rotation")}
_MOTION = re.compile(r"^[ \t]*MOTION\b[ \t]*$", re.MULTILINE | re.IGNORECASE)
_COUNT = re.compile(r"\s*Frames\s*:\s*(\d{1,12})", re.IGNORECASE)
_STEP = re.compile(r"\s*Frame\s+Time\s*:\s*([-+.\deE]{1,40})[^\n]*", re.IGNORECASE)
_BLOCK = 4096
"""Frames that are computed together: it bounds the memory of the rotations."""
_NEAR_ZERO = 0.5
"""Positions that are smaller than this share of the offset are added to it."""


@dataclass(frozen=True, eq=False)
class Bvh:
    """The content of a BVH file.

    Attributes:
        names: names of the J joints, parents first; empty for an end site.
        parents: (J,) index of each joint's parent, -1 for a root.
        offsets: (J, 3) from the parent, file units.
        channels: the channels of each joint, such as ("Xposition", "Zrotation").
        values: (F, C) in file units and degrees, NaN where missing.
        fps: frames per second, None if the file states none.
        notes: what was found, for the user.
        doubts: which of that is uncertain.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    fps: float | None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def rest(self) -> np.ndarray:
        """Return the positions (J, 3) of all joints without any rotation."""
        places = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents):
            places[joint] = self.offsets[joint] + (places[parent] if parent >= 0 else 0.0)
        return places

    def motion(self, turned: Sequence[int] = ()) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (F, J, 3) of all joints and the world rotations (F, C, 3, 3) of the C joints *turned*.

        They are in file units, and NaN where a channel above is missing.
        """
        adds = self._adds_positions()
        places = np.empty((len(self.values), len(self.names), 3))
        turns = np.empty((len(self.values), len(turned), 3, 3))
        for start in range(0, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            rotations, places[block] = self._pose(self.values[block], adds)
            turns[block] = rotations[:, list(turned)]
        return places, turns

    def _pose(self, values: np.ndarray, adds: bool) -> tuple[np.ndarray, np.ndarray]:
        turns = np.empty((len(values), len(self.names), 3, 3))
        places = np.empty((len(values), len(self.names), 3))
        first = 0
        for joint, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            turn = np.broadcast_to(np.eye(3), (len(values), 3, 3))
            shift = np.broadcast_to(self.offsets[joint], (len(values), 3)).copy()
            for column, channel in enumerate(channels, first):
                axis, kind = _CHANNELS[channel]
                if kind == "rotation":
                    turn = turn @ axis_turns("XYZ".index(axis), np.deg2rad(values[:, column]))
                else:
                    at = "XYZ".index(axis)
                    shift[:, at] = values[:, column] + (self.offsets[joint, at] if adds and parent >= 0 else 0.0)
            first += len(channels)
            above = turns[:, parent] if parent >= 0 else np.eye(3)
            places[:, joint] = (above @ shift[..., None])[..., 0] + (places[:, parent] if parent >= 0 else 0.0)
            turns[:, joint] = above @ turn
        return turns, places

    def _adds_positions(self) -> bool:
        """Return whether positions of joints below the root are added to their offsets."""
        sizes, offsets, first = [], [], 0
        for joint, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            columns = [first + at for at, name in enumerate(channels) if _CHANNELS[name][1] == "position"]
            first += len(channels)
            if parent >= 0 and columns:
                sizes.append(float(np.nan_to_num(np.abs(self.values[:, columns])).mean(axis=0).max()))
                offsets.append(float(np.abs(self.offsets[joint]).max()))
        return sum(sizes) < _NEAR_ZERO * sum(offsets)


def axis_turns(axis: int, angles: np.ndarray) -> np.ndarray:
    """Return the rotation matrices (F, 3, 3) about X, Y or Z (*axis* 0, 1, 2) by *angles* (F,), radians."""
    turns = np.zeros((len(angles), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turns[:, axis, axis] = 1.0
    turns[:, one, one] = turns[:, two, two] = np.cos(angles)
    turns[:, two, one] = np.sin(angles)
    turns[:, one, two] = -np.sin(angles)
    return turns


def parse_bvh(path: Path) -> Bvh:
    """Read the joints and channels of a BVH file.

    Raises:
        TrackFileError: the file is damaged, cut off or too large.
    """
    text = decode_text(read_bytes(path, MAX_TEXT_BYTES), path).replace("\r\n", "\n").replace("\r", "\n")
    split = _MOTION.search(text)
    if split is None or split.start() > _MAX_HEAD:
        raise TrackFileError(
            f"expected a line MOTION below the joints, found none in {path}; the file was cut off, export it again"
        )
    names, parents, offsets, channels = _Hierarchy(path).read(text[: split.start()])
    columns = sum(map(len, channels))
    head = _COUNT.match(text, split.end())
    step = _STEP.match(text, head.end()) if head else None
    if head is None or step is None or not columns:
        raise TrackFileError(
            f"expected channels, and the lines 'Frames:' and 'Frame Time:' below MOTION, found others in {path}; "
            "export it again"
        )
    check_counts(min(int(head[1]), 1), len(names), path)
    lines = split_lines(text[step.end() :], path)
    table = TextTable(lines, 0, "", path, columns)
    table.check_end(columns)
    values = table.numbers(range(columns), width=columns)
    check_counts(len(values), len(names), path)
    notes, doubts = _check_length(len(values), int(head[1]), lines, path)
    return Bvh(
        tuple(names), tuple(parents), np.array(offsets), tuple(channels), values, _rate(step[1]), notes, doubts
    )  # fmt: skip


def _check_length(found: int, stated: int, lines: list[str], path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return notes and doubts on a number of frames that is not the stated one.

    Raises:
        TrackFileError: frames are missing, and the last line has no end.
    """
    if found == stated:
        return (), ()
    if found > stated:
        return (f"The header says {stated} frames, the file has {found}.",), ()
    if lines[-1].strip():
        raise TrackFileError(
            f"expected {stated} frames as in the header, found {found} and no last line end in {path}; the file was "
            "cut off, copy or export it again"
        )
    return (), (f"the file was cut off: its header says {stated} frames, it has {found}",)


def _rate(text: str) -> float | None:
    """Return the frame rate of a frame time: a whole number if the printed digits allow one (.0083333 is 120)."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not 1e-4 <= seconds <= 100.0:
        return None
    digits = len(text.lower().partition("e")[0].partition(".")[2])
    error = 10.0**-digits if "e" not in text.lower() else 0.0
    whole = round(1.0 / seconds)
    return float(whole) if whole and abs(1.0 / whole - seconds) <= error else 1.0 / seconds


class _Hierarchy:
    """Reads the joints above MOTION."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[tuple[str, ...]] = []
        self._open: list[int] = []

    def read(self, text: str) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
        """Return names, parents, offsets and channels of the joints in *text*, parents first."""
        words = iter(text.replace("{", " { ").replace("}", " } ").split())
        try:
            for word in words:
                self._take(word.upper(), words)
        except StopIteration:
            raise self._damaged("an end within a joint") from None
        if self._open or not self.names:
            raise self._damaged("joints that are not closed" if self._open else "no joints")
        return self.names, self.parents, self.offsets, self.channels

    def _take(self, word: str, words: Iterator[str]) -> None:
        if word in ("ROOT", "JOINT", "END"):
            parts = []
            while (part := next(words)) != "{":
                parts.append(part)
            if word != "END" and not parts or len(self.names) >= MAX_JOINTS:
                raise self._damaged("a joint without a name" if not parts else f"more than {MAX_JOINTS} joints")
            self.parents.append(self._open[-1] if self._open else -1)
            self._open.append(len(self.names))
            self.names.append("" if word == "END" else " ".join(parts)[:MAX_TEXT_LENGTH])
            self.offsets.append([0.0, 0.0, 0.0])
            self.channels.append(())
        elif word == "}" and self._open:
            self._open.pop()
        elif word == "OFFSET" and self._open:
            self.offsets[self._open[-1]] = [self._number(next(words)) for _ in range(3)]
        elif word == "CHANNELS" and self._open:
            count = self._number(next(words))
            if not 0 <= count <= len(_CHANNELS):
                raise self._damaged(f"{count:g} channels of a joint")
            self.channels[self._open[-1]] = tuple(self._channel(next(words)) for _ in range(int(count)))
        elif word != "HIERARCHY":
            raise self._damaged(f"the word {word[:40]!r}")

    def _number(self, word: str) -> float:
        try:
            value = float(word.replace(",", "."))
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise self._damaged(f"{word[:40]!r} where a number is due")
        return value

    def _channel(self, word: str) -> str:
        name = word[:1].upper() + word[1:].lower()
        if name not in _CHANNELS:
            raise self._damaged(f"the channel {word[:40]!r}")
        return name

    def _damaged(self, found: str) -> TrackFileError:
        return TrackFileError(f"expected the joints of a BVH file, found {found} in {self._path}; export it again")
