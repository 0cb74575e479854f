"""A user's map from the points of a file to points of the body; stored as JSON.

::

    {"format": "smplify point names", "version": 1, "layout": "halpe26", "points": [
      {"index": 0, "name": "RHip", "body_point": "right_hip"},
      {"index": 1, "name": "M042", "body_point": null}
    ]}

``{"RHip": "right_hip", "7": "left_hip"}`` is the same in short: a point's name, or its index from 0.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import TrackError
from ..formats.raw import MAX_POINTS, MAX_TEXT_LENGTH, RawRecording
from ..formats.textfile import decode_text, read_bytes
from ..layouts import LAYOUTS, NAMED
from ..markers.labels import ROLES, marker_roles
from ..printable import printable
from .point_names import match_layout

FORMAT = "smplify point names"
VERSION = 1
JOINTS = NAMED.names
"""Points of the body that a point can be, besides the markers on it, `ROLES`."""
BODY_POINTS: tuple[str, ...] = tuple(dict.fromkeys((*JOINTS, *ROLES)))
_MAX_BYTES = 1 << 21
_KEYS = ("format", "version", "about", "layout", "points", "joints", "markers")
_POINT_KEYS = ("index", "name", "body_point", "place")
_NUM_NEAR = 3
_MAX_LISTED, _MAX_SHOWN = 6, 60


def _fault(expected: str, found: str, source: str) -> TrackError:
    return TrackError(f"expected {expected}, found {found} in {source}; correct --names", options=("names",))


@dataclass(frozen=True)
class NamedPoint:
    """One point of a file and its body point.

    Attributes:
        name: its name in the file; empty if only the index is known.
        index: its index in the file, from 0, for points without a name and for names that stand twice; or None.
        body_point: one of `BODY_POINTS`, or a point of the map's layout; None to leave the point out.
    """

    name: str = ""
    index: int | None = None
    body_point: str | None = None

    @property
    def label(self) -> str:
        """The point in messages."""
        return repr(self.name) if self.name else f"point {self.index}"


@dataclass(frozen=True)
class NameMap:
    """A user's names for the points of a file.

    Points that are not in the map are read without it.

    Attributes:
        points: the points; no point of the file and no point of the body occurs twice.
        layout: name of the layout that is used if it has all points; None for the one that the points belong to.
    """

    points: tuple[NamedPoint, ...]
    layout: str | None = None

    @classmethod
    def from_json(cls, text: str, source: str = "the name map") -> NameMap:
        """Return the map in JSON *text*; *source* names it in messages.

        Raises:
            TrackError: *text* is no name map.
        """
        try:
            return cls.from_values(json.loads(text, object_pairs_hook=_unique_keys), source)
        except (ValueError, RecursionError) as error:
            if isinstance(error, TrackError):
                raise
            raise _fault("JSON", printable(str(error)[:100]), source) from error

    @classmethod
    def from_values(cls, values: object, source: str = "the name map") -> NameMap:
        """Return the map in *values*, as JSON has it; *source* names it in messages.

        Raises:
            TrackError: *values* are no name map.
        """
        if isinstance(values, NameMap):
            return values
        if not isinstance(values, Mapping):
            raise _fault('{"their name": "our name"}', _short(values), source)
        layout, points = None, values
        if "points" in values and not isinstance(values["points"], str):
            _check_head(values, source)
            layout, points = values.get("layout"), values["points"]
        if not isinstance(points, Mapping | list | tuple):
            raise _fault('"points" as a list', _short(points), source)
        if len(points) > MAX_POINTS:
            raise _fault(f"at most {MAX_POINTS} points", str(len(points)), source)
        items = points.items() if isinstance(points, Mapping) else points
        known = {*BODY_POINTS, *(() if layout is None else LAYOUTS[layout].names)}
        named = [_point(item, source) for item in items]
        unknown = [point.body_point for point in named if point.body_point and point.body_point not in known]
        if unknown:
            texts = [f"{name[:_MAX_SHOWN]!r}{_near(name)}" for name in unknown]
            raise _fault("names of points of the body (info --names-template lists them)", _listed(texts), source)
        _check_unique(named, source)
        return cls(tuple(named), layout)

    def to_json(self, about: str = "", places: Mapping[int, Sequence[float]] | None = None) -> str:
        """Return the map as JSON text, one point per line, for editing.

        Args:
            about: says what the points are of.
            places: where the points are, by index; for the reader only.
        """
        lines = []
        for point in self.points:
            entry: dict[str, object] = {"index": point.index, "name": point.name, "body_point": point.body_point}
            if places and point.index is not None and point.index in places:
                entry["place"] = [float(f"{value:.4g}") for value in places[point.index]]
            lines.append(f"  {json.dumps(entry, ensure_ascii=False)}")
        head = {"format": FORMAT, "version": VERSION, **({"about": about} if about else {}), "layout": self.layout}
        rest = {"joints": list(JOINTS), "markers": list(ROLES)}
        listed = ",\n".join(lines)
        return f'{json.dumps(head)[:-1]}, "points": [\n{listed}\n],\n{json.dumps(rest)[1:]}\n'

    def resolve(self, recording: RawRecording) -> dict[int, str | None]:
        """Return the body points of the named points of *recording*, by index.

        Raises:
            TrackError: it lacks points, or two entries name the same one.
        """
        self.check([recording])
        found = self._indices(recording)
        counts = Counter(found.values())
        twice = [point.label for point, index in found.items() if counts[index] > 1]
        if twice:
            raise _fault("each point once", f"{_listed(twice)} for the same point", str(recording.source))
        return {index: point.body_point for point, index in found.items()}

    def check(self, recordings: Sequence[RawRecording]) -> None:
        """Raise `TrackError` if none of *recordings* has a point that is named."""
        found = set().union(*(self._indices(recording) for recording in recordings))
        lacking = [point for point in self.points if point.body_point and point not in found]
        if lacking:
            raise _lacking(lacking, recordings)

    def within(self, recording: RawRecording) -> NameMap:
        """Return the map without points that *recording* does not have."""
        return replace(self, points=tuple(self._indices(recording)))

    def _indices(self, recording: RawRecording) -> dict[NamedPoint, int]:
        """Return the index in *recording* of each point that it has: by its name, or by its index without one."""
        by_name: dict[str, list[int]] = {}
        for index, name in enumerate(recording.names or ()):
            by_name.setdefault(name, []).append(index)
        found: dict[NamedPoint, int] = {}
        for point in self.points:
            same = by_name.get(point.name, []) if point.name else []
            number = point.index if not point.name else None
            if same:
                number = point.index if point.index in same else same[0]
            elif point.index is None and _is_number(point.name):
                number = int(point.name)
            if number is not None and number < recording.num_points:
                found[point] = number
        return found


def read_name_map(path: Path) -> NameMap:
    """Read a name map from a JSON file.

    Raises:
        TrackFileError: the file cannot be read.
        TrackError: it is no name map.
    """
    path = Path(path)
    return NameMap.from_json(decode_text(read_bytes(path, _MAX_BYTES, what="names of points"), path), str(path))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0][:_MAX_SHOWN]!r} stands twice")
    return dict(pairs)


def _check_head(values: Mapping[str, Any], source: str) -> None:
    """Check the entries of a map besides its points."""
    unknown = [str(key) for key in values if key not in _KEYS]
    if unknown:
        raise _fault(f"the keys {', '.join(_KEYS)}", _listed([repr(key) for key in unknown]), source)
    if values.get("format", FORMAT) != FORMAT or values.get("version", VERSION) != VERSION:
        found = f"{_short(values.get('format'))}, version {_short(values.get('version'))}"
        raise _fault(f'the format "{FORMAT}", version {VERSION}', found, source)
    layout = values.get("layout")
    if layout is not None and (not isinstance(layout, str) or layout not in LAYOUTS):
        raise _fault(f"a layout ({', '.join(LAYOUTS)}) or null", _short(layout), source)


def _point(item: object, source: str) -> NamedPoint:
    """Return a point from an entry of a list, or from a pair of their name or index and ours."""
    if isinstance(item, NamedPoint):
        return item
    if isinstance(item, tuple):
        item = {"name": str(item[0]), "body_point": item[1]}
    if not isinstance(item, Mapping) or not set(item) <= set(_POINT_KEYS):
        raise _fault(f"points with the keys {', '.join(_POINT_KEYS)}", _short(item), source)
    name, index, ours = item.get("name") or "", item.get("index"), item.get("body_point") or None
    if not isinstance(name, str) or not isinstance(ours, str | None):
        raise _fault("names as texts", _short(name if not isinstance(name, str) else ours), source)
    is_index = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < MAX_POINTS
    if not (is_index or (index is None and name)):
        raise _fault(f"a name, or an index from 0 to {MAX_POINTS - 1}", _short(index), source)
    return NamedPoint(printable(name[:MAX_TEXT_LENGTH]), index if is_index else None, spelled(ours or ""))


def spelled(text: str) -> str | None:
    """Return the body point that *text* spells ("Left Hip"); else *text* as it is, or None if it is empty."""
    plain = text.strip().lower().replace(" ", "_").replace("-", "_")
    return plain if plain in BODY_POINTS else text.strip() or None


def _check_unique(points: Sequence[NamedPoint], source: str) -> None:
    """Check that no point occurs twice, and that no two are the same point of the body."""
    theirs = Counter((point.name, point.index) for point in points)
    if max(theirs.values(), default=0) > 1:
        texts = [NamedPoint(*key).label for key, count in theirs.items() if count > 1]
        raise _fault("each point once", f"{_listed(texts)} twice", source)
    ours = Counter(point.body_point for point in points if point.body_point)
    for name, count in ours.items():
        if count > 1:
            texts = [point.label for point in points if point.body_point == name]
            raise _fault("one point for each point of the body", f"{_listed(texts)} as {name}", source)


def _lacking(points: Sequence[NamedPoint], recordings: Sequence[RawRecording]) -> TrackError:
    names = tuple(dict.fromkeys(name for recording in recordings for name in recording.names or ()))
    count = max(recording.num_points for recording in recordings)
    texts = []
    for point in points:
        near = _near_names(point.name, names) if point.name else []
        texts.append(point.label + (f" (near: {', '.join(near)})" if near else ""))
    has = f"it has {_listed(list(names))}" if names else f"its {count} points have no names, and indices count from 0"
    return TrackError(
        f"expected all points that --names names in {recordings[0].source}, but it lacks {_listed(texts)}; {has}; "
        "correct the names, or leave these points out of the map",
        options=("names",),
    )


def _near_names(name: str, names: Sequence[str]) -> list[str]:
    """Return which of *names* may be meant by *name*: its own in other letters of case first."""
    folded = {known.casefold(): known for known in reversed(names)}
    return [folded[match] for match in get_close_matches(name.casefold(), folded, _NUM_NEAR)]


def _near(text: str) -> str:
    """Return the points of the body that *text* may mean, for a message."""
    short = text[:MAX_TEXT_LENGTH]
    match = match_layout([short], NAMED, "")
    known = [name for name, index in zip(JOINTS, match.order, strict=True) if index == 0]
    near = list(dict.fromkeys((*known, *marker_roles([short]), *get_close_matches(short, BODY_POINTS, _NUM_NEAR, 0.5))))
    return f" (near: {', '.join(near[:_NUM_NEAR])})" if near else ""


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MAX_LISTED
    return ", ".join(texts[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _short(value: object) -> str:
    return repr(value)[:_MAX_SHOWN]


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 6
