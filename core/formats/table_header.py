"""Headers of tables in their many forms, brought to one line of ``name_x`` columns.

Known are comments and ``sep=`` above the header, names over a row of axes (with rows of individuals, scorers or units,
as DeepLabCut and spreadsheets have them), units and brackets in the cells ("RHip_X (m)", "RHip [X]"), and ``NAME_3DX``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import TrackFileError
from .textfile import is_number, sniff_delimiter, split_cells

_MAX_HEADER_ROWS = 8
_MAX_PREAMBLE = 60
_UNITS = ("m", "mm", "cm", "in", "inch", "inches", "ft", "meters", "metres", "millimeters", "millimetres")
_UNIT = re.compile(r"\s*[(\[]\s*(" + "|".join(_UNITS) + r")\s*[)\]]\s*$", re.IGNORECASE)
_BRACKETED_AXIS = re.compile(r"[\s_.]*[(\[]\s*([xyz])\s*[)\]]$", re.IGNORECASE)
_AFTER_AXIS = re.compile(
    r"(.*[a-z\d][\s._:-]+[xyz])[\s._-]+(" + "|".join((*_UNITS, "3d", "world", "global")) + ")", re.IGNORECASE
)
"""A coordinate with a word after its axis: "RHip_x_mm", "RHip.X.world"."""
_QUOTED = re.compile(r"'([^']*)'")
_3D_AXIS = re.compile(r"_3D([XYZ])$")
_ROW_WORDS = ("coords", "coord", "axis", "axes")
_PEOPLE_WORDS = ("individuals", "individual", "subject", "subjects", "person")
_SEPARATOR = re.compile(r"sep=(.)$", re.IGNORECASE)
_MAX_CELL = 200
_MAX_TIDY = 12
"""A table with a row per point has fewer columns than this, and each axis once."""


@dataclass(frozen=True)
class TableHeader:
    """The header of a table.

    Attributes:
        cells: one name per column, such as "frame" or "RHip_x".
        start: index of the first line of data.
        delimiter: the delimiter of the cells.
        units: the unit that the header states, or None.
    """

    cells: list[str]
    start: int
    delimiter: str
    units: str | None = None


def find_header(lines: Sequence[str], path: Path) -> TableHeader:
    """Return the header of a table: its first line with columns of axes, or else its first line.

    Above it may be comments and lines about the recording.

    Raises:
        TrackFileError: the first lines are empty or comments.
    """
    header = _first_header(lines, path)
    if header is None:
        raise TrackFileError(f"expected a table of keypoints, found only comments at its beginning in {path}")
    return header


def _first_header(lines: Sequence[str], path: Path) -> TableHeader | None:
    given = ""
    first: TableHeader | None = None
    for start, line in enumerate(islice(lines, _MAX_PREAMBLE)):
        match = _SEPARATOR.match(line.strip().strip('"'))
        given = match.group(1) if match else given
        if match or not line.strip():
            continue
        if is_comment(line):
            line = _header_in_comment(line, given, path)
            if not line:
                continue
        delimiter = given or sniff_delimiter(line)
        rows = _header_rows([line, *islice(lines, start + 1, start + _MAX_HEADER_ROWS)], delimiter, path)
        found = _with_axis_row(rows, start, delimiter) if first is None else None
        found = found or _one_row(rows[0], start, delimiter)
        if _has_axes(found.cells):
            return found
        first = first or found
    return first


def _header_in_comment(line: str, given: str, path: Path) -> str:
    """Return the header that a comment consists of, as NumPy's savetxt writes it; "" if it is another."""
    text = line.strip().lstrip("#/% ")
    cells = split_cells(text, given or sniff_delimiter(text), path)
    return text if len(cells) > _MAX_TIDY and _has_axes([cell.strip() for cell in cells]) else ""


def _header_rows(lines: Iterable[str], delimiter: str, path: Path) -> list[list[str]]:
    """Return the cells of the lines up to the first that ends in a number, which is data."""
    rows: list[list[str]] = []
    for line in lines:
        cells = [cell.strip() for cell in split_cells(line, delimiter, path)]
        if rows and cells and cells[-1][-1:].isdigit() and is_number(cells[-1].replace(",", ".")):
            break
        rows.append(cells)
    return rows


def has_header(lines: Sequence[str], path: Path) -> bool:
    """Return whether one of the first lines names columns of x, y and z."""
    header = _first_header(lines, path)
    return header is not None and _has_axes(header.cells)


def _has_axes(cells: Sequence[str]) -> bool:
    ends = [cell[-1:].lower() for cell in cells] + [cell[:1].lower() for cell in cells]
    return all(ends.count(axis) >= (2 if len(cells) > _MAX_TIDY else 1) for axis in "xyz")


def is_comment(line: str) -> bool:
    """Return whether a line above a header is a comment; ``#frame`` is a column."""
    text = line.lstrip(' \t"')
    return text.startswith(("//", "%")) or (text.startswith("#") and not re.match(r"#?\s*frame", text, re.IGNORECASE))


def _one_row(cells: list[str], start: int, delimiter: str) -> TableHeader:
    found = [_plain(cell) for cell in cells]
    units = {unit for _, unit in found if unit}
    return TableHeader([name for name, _ in found], start + 1, delimiter, units.pop() if len(units) == 1 else None)


def _plain(cell: str) -> tuple[str, str | None]:
    """Return a cell with its axis at the end of the name, and the unit that it states for a coordinate."""
    if len(cell) > _MAX_CELL:
        return cell, None
    unit = None
    match = _AFTER_AXIS.fullmatch(cell)
    if match:
        return match.group(1), match.group(2).lower() if match.group(2).lower() in _UNITS else None
    if cell.startswith("('"):
        return "_".join(_QUOTED.findall(cell)), None
    if cell[-1:] not in (")", "]") and "_3D" not in cell:
        return cell, None
    match = _UNIT.search(cell)
    if match and re.search(r"[xyz]\]?$", cell[: match.start()], re.IGNORECASE):
        unit, cell = match.group(1).lower(), cell[: match.start()]
    cell = _BRACKETED_AXIS.sub(lambda found: f"_{found.group(1)}", cell)
    return _3D_AXIS.sub(lambda found: f"_{found.group(1)}", cell), unit


def _axis_of(cell: str) -> str:
    """Return the axis that a cell consists of ("X", "x (mm)", "X1"), or ""."""
    match = re.fullmatch(r"([xyz])\d*", _UNIT.sub("", cell), re.IGNORECASE) if len(cell) <= _MAX_CELL else None
    return match.group(1).lower() if match else ""


def _with_axis_row(rows: list[list[str]], start: int, delimiter: str) -> TableHeader | None:
    """Return the header whose last row is x, y, z over and over, with the names above; None if there is none."""
    for number, row in enumerate(rows[1:], 1):
        axes = [_axis_of(cell) for cell in row]
        if axes.count("x") >= 2 and axes.count("x") == axes.count("y") == axes.count("z"):
            return _join(rows, number, axes, start, delimiter)
    return None


def _join(rows: list[list[str]], number: int, axes: list[str], start: int, delimiter: str) -> TableHeader:
    row = rows[number]
    first = axes.index("x")
    above = [_filled(names, axes) for names in rows[:number]]
    named = [names for names, cells in zip(above, rows, strict=False) if len(set(names[first:]) - {""}) > 1]
    points = named[-1] if named else above[-1]
    people = next(
        (names for names, cells in zip(above, rows, strict=False) if cells and cells[0].lower() in _PEOPLE_WORDS), None
    )
    cells, units = [], set()
    for column, axis in enumerate(axes):
        unit = _UNIT.search(row[column])
        units |= {unit.group(1).lower()} if unit and axis else set()
        if axis:
            person = f"{people[column]}:" if people is not None else ""
            cells.append(f"{person}{points[column]}_{axis}")
        elif column < first:
            own = row[column] if row[column].lower() not in _ROW_WORDS else ""
            cells.append(own or next((r[column] for r in rows[:number] if column < len(r) and r[column]), ""))
        else:
            cells.append(f"{points[column]}_{row[column]}")
    cells[0] = "frame" if row[0].lower() in _ROW_WORDS else cells[0]
    below = rows[number + 1] if number + 1 < len(rows) else []
    has_units = bool(below) and {cell.lower() for cell in below if cell} <= {*_UNITS, "s", "frame", "frames"}
    units |= {cell.lower() for cell in below if cell.lower() in _UNITS} if has_units else set()
    return TableHeader(cells, start + number + 1 + has_units, delimiter, units.pop() if len(units) == 1 else None)


def _filled(names: list[str], axes: list[str]) -> list[str]:
    """Return a row of names with each name repeated over its columns of axes."""
    filled, last = [], ""
    for column in range(len(axes)):
        name = names[column] if column < len(names) else ""
        last = name or last
        filled.append(last)
    return filled
