"""Text files of unknown origin: encodings, line ends, delimiters, and fast number parsing. R rows, C columns."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import MAX_CELLS, MAX_FILE_BYTES, MAX_FRAMES

MAX_TEXT_BYTES = 1 << 29
"""Largest text file that is read (512 MiB)."""
MAX_LINES = 8_000_000
"""Most lines of a text file; a tidy table has one per point and frame."""
MAX_COLUMNS = 20_000
"""Most columns of a table."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MISSING_WORDS = frozenset(
    ("", "nan", "+nan", "-nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#ind", "#n/a", "n/a", "na", "<na>")
    + ("null", "none", "missing", "-", "--", ".", "inf", "-inf")
)
_NAN = float("nan")


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES, *, what: str = "keypoints") -> bytes:
    """Return the content of a file that is neither empty nor larger than *limit* bytes.

    Args:
        path: the file.
        limit: its largest size.
        what: what is expected in it, for messages.

    Raises:
        TrackFileError: the file is empty, too large, or cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or a device"
            raise TrackFileError(f"expected a file with {what}, found {kind} at {path}; name a file")
        size = path.stat().st_size
        if size > limit:
            raise TrackFileError(
                f"expected a file of at most {limit >> 20} MiB, found {size >> 20} MiB in {path}; split it"
            )
        data = path.read_bytes()
    except OSError as error:
        raise TrackFileError(
            f"expected a readable file, found {error.strerror or error} at {path}; check the file and its permissions"
        ) from error
    if not data.strip(b"\0 \t\r\n"):
        raise TrackFileError(f"expected {what}, found an empty file at {path}; export it again")
    return data


def decode_text(data: bytes, path: Path) -> str:
    """Decode UTF-8, UTF-16 or Latin-1 text, with or without a byte order mark.

    Raises:
        TrackFileError: the bytes are not text.
    """
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "")
    if not encoding:
        head = data[:2048]
        if len(head) > 1 and head[1::2].count(0) > 0.4 * len(head[1::2]) and not head[0::2].count(0):
            encoding = "utf-16-le"
        elif len(head) > 1 and head[0::2].count(0) > 0.4 * len(head[0::2]) and not head[1::2].count(0):
            encoding = "utf-16-be"
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise TrackFileError(
                f"expected {encoding} text, found invalid bytes at {error.start} in {path}; save it as UTF-8"
            ) from error
        text = data.decode("latin-1")
    if "\0" in text:
        raise TrackFileError(f"expected text, found binary data in {path}; check that it is the right file")
    return text.removeprefix("\ufeff")


def split_lines(text: str, path: Path) -> list[str]:
    """Split text with any line ends into lines.

    Raises:
        TrackFileError: there are too many lines.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    count = text.count("\n")
    if count > MAX_LINES:
        raise TrackFileError(
            f"expected at most {MAX_LINES} lines, found {count} in {path}; split it into shorter clips"
        )
    return text.split("\n")


_NUM_COUNTERS = 2
"""Cells of a row that holds a frame number and a time alone."""


def sniff_delimiter(line: str) -> str:
    """Return the delimiter of a header line: tab, semicolon, comma, bar, or "" for runs of whitespace."""
    if "\t" in line:
        return "\t"
    return max(";,|", key=line.count) if any(delimiter in line for delimiter in ";,|") else ""


def is_number(cell: str) -> bool:
    """Return whether *cell* is a number, as Python writes it."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def split_cells(line: str, delimiter: str, path: Path) -> list[str]:
    """Split one line into cells, respecting quotes.

    Raises:
        TrackFileError: there are too many cells.
    """
    if line.count(delimiter or " ") > 16 * MAX_COLUMNS or (delimiter and line.count(delimiter) >= MAX_COLUMNS):
        raise TrackFileError(
            f"expected at most {MAX_COLUMNS} columns, found {line.count(delimiter or ' ') + 1} in {path}; "
            "check that rows are frames and columns are points"
        )
    if '"' in line and delimiter:
        try:
            return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error as error:
            raise TrackFileError(f"expected quoted cells, found {error} in {path}; export the table again") from error
    return line.split(delimiter) if delimiter else line.split()


@dataclass(frozen=True)
class TextTable:
    """The lines of a table below its header.

    Attributes:
        lines: all lines of the file.
        start: index of the first line of data.
        delimiter: the delimiter of the cells, "" for runs of whitespace.
        path: the file.
        width: number of columns in the header, 0 if unknown.
        keeps_empty: whether a row of empty cells among others is a frame, in which nothing was seen.
    """

    lines: list[str]
    start: int
    delimiter: str
    path: Path
    width: int = 0
    keeps_empty: bool = False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number (from 1) and the cells of every row that is not blank, or is a frame without points.

        Raises:
            TrackFileError: cells are separated by whitespace, which hides empty ones, and cells are missing.
        """
        blank = f"{self.delimiter} \t\"'"
        empty: list[int] | None = None
        for number, line in enumerate(islice(self.lines, self.start, None), self.start + 1):
            if line.strip(blank):
                yield from ((row, []) for row in empty or ())
                empty = []
                cells = split_cells(line, self.delimiter, self.path)
                if not self.delimiter and _NUM_COUNTERS < len(cells) < self.width:
                    raise TrackFileError(
                        f"expected {self.width} cells as in the header, found {len(cells)} in line {number} of "
                        f"{self.path}; between spaces an empty cell cannot be seen: separate the cells by tabs, or "
                        "write NaN for missing values"
                    )
                yield number, cells
            elif empty is not None and self.keeps_empty and self.delimiter and self.delimiter in line:
                empty.append(number)

    def numbers(self, columns: Sequence[int], *, width: int | None = None) -> np.ndarray:
        """Return the cells of *columns* as (R, C) float64; empty and absent cells are NaN.

        Args:
            columns: indices of the columns to read.
            width: number of columns in the header, if cells beyond them are an error.

        Raises:
            TrackFileError: a cell is not a number, or a row has more cells than the header.
        """
        values, num_rows = array("d"), 0  # a list of rows would take many times their numbers
        leading = list(columns) == list(range(len(columns)))
        for number, cells in self.rows():
            if width is not None and len(cells) > width and any(map(str.strip, cells[width:])):
                raise TrackFileError(
                    f"expected {width} columns as in the header, found {len(cells)} in line {number} of "
                    f"{self.path}; export the file again"
                )
            if leading:
                selected = cells[: len(columns)]
                selected += [""] * (len(columns) - len(selected))
            else:
                selected = [cells[column] if column < len(cells) else "" for column in columns]
            values.fromlist(self._floats(selected, number))
            num_rows += 1
            if num_rows > MAX_FRAMES or len(values) > MAX_CELLS + 2 * MAX_FRAMES:
                raise TrackFileError(
                    f"expected at most {MAX_FRAMES} rows and {MAX_CELLS} numbers, found more in {self.path}; split it"
                )
        return np.frombuffer(values).reshape(num_rows, -1) if values else np.empty((0, len(columns)))

    def check_end(self, width: int) -> None:
        """Reject a table that ends within a row: the file was cut off.

        Raises:
            TrackFileError: the last row is short and has no line end.
        """
        last = self.lines[-1]
        num_cells = len(split_cells(last, self.delimiter, self.path)) if last.strip() else width
        if num_cells < width:
            raise TrackFileError(
                f"expected {width} cells in the last row, found {num_cells} and no line end in {self.path}; "
                "the file was cut off, copy or export it again"
            )

    def _floats(self, cells: Sequence[str], number: int) -> list[float]:
        try:
            return [float(cell) if cell else _NAN for cell in cells]
        except ValueError:
            return [self.to_float(cell, number) for cell in cells]

    def to_float(self, cell: str, number: int) -> float:
        """Return one cell as a number; NaN if it is empty or a word for missing.

        Raises:
            TrackFileError: it is neither.
        """
        cell = cell.strip().strip("\"'").strip()
        if cell.lower() in _MISSING_WORDS:
            return _NAN
        try:
            return float(cell.replace(",", ".") if self.delimiter != "," else cell)
        except ValueError:
            raise TrackFileError(
                f"expected a number, found {cell[:40]!r} in line {number} of {self.path}; correct or clear the cell"
            ) from None
