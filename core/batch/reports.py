"""The report beside the outputs of an input: what earlier runs wrote, and whether the input is done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..convert_options import ConvertOptions
from ..errors import InputMissingError

REPORT_SUFFIX = ".smplify.json"
_CHUNK = 1 << 20


def fingerprint(source: Path, options: ConvertOptions) -> str:
    """Return a hash of all that an input's outputs depend on: the input, the options, files they name, the version.

    Raises:
        InputMissingError: one of these files is gone.
        OSError: it cannot be read.
    """
    digest = hashlib.sha256(__version__.encode())
    digest.update(json.dumps(options.as_dict(), sort_keys=True).encode())
    for path in (source, *map(Path, options.files().values())):
        if not path.exists():
            raise InputMissingError(f"expected a file at {path}, found none; put it back, or name another one")
        members = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        for member in members:
            digest.update(os.fsencode(member.name))
            if member.is_file():
                _update_with_file(digest, member)
    return digest.hexdigest()


def _update_with_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)


def file_entry(path: Path) -> dict[str, object]:
    """Return the report's entry for the file at *path*: name, size and hash, which identify it later."""
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": _file_hash(path)}


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    _update_with_file(digest, path)
    return digest.hexdigest()


def _read_report(path: Path) -> dict[str, Any]:
    """Return the report of an earlier run at *path*; empty if it is missing or damaged."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return report if _is_report(report) else {}


def _is_report(report: object) -> bool:
    """Return whether *report* has the structure that `conversion` writes, in the parts that are read here."""
    if not isinstance(report, dict) or not isinstance(report.get("fingerprint"), str):
        return False
    outputs, kept = report.get("outputs", []), report.get("kept", [])
    if not isinstance(outputs, list) or not isinstance(kept, list):
        return False
    entries = [*outputs, *(entry for entry in kept if not isinstance(entry, str))]
    return all(isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in entries)


def _entries_in(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of all files of earlier runs; ``kept`` may contain plain file names."""
    kept = [{"file": entry} if isinstance(entry, str) else entry for entry in report.get("kept", [])]
    return [*report.get("outputs", []), *kept]


def _names_in(report: Mapping[str, Any]) -> set[str]:
    return {str(entry["file"]) for entry in _entries_in(report)}


def written_before(path: Path) -> set[str]:
    """Return the names of the files that earlier runs wrote, according to the report at *path*."""
    return _names_in(_read_report(path))


def names_written_in(folder: Path) -> set[str]:
    """Return the names of the files in *folder* that earlier runs wrote, according to the reports in it."""
    return set().union(*map(written_before, folder.glob(f"*{REPORT_SUFFIX}")))


def entries_before(path: Path) -> list[dict[str, Any]]:
    """Return the entries of the report at *path* for those files of earlier runs that still exist."""
    return [entry for entry in _entries_in(_read_report(path)) if path.with_name(entry["file"]).exists()]


def is_as_written(path: Path, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the file at *path* is unchanged since a run wrote it, according to the report's *entries*.

    An empty file counts as unchanged: a power cut can leave one, and it contains nobody's work.
    """
    known = [entry for entry in entries if entry["file"] == path.name]
    if not known or not path.is_file():
        return False
    size, digest = path.stat().st_size, _file_hash(path)
    as_known = [entry.get("bytes", size) == size and entry.get("sha256", digest) == digest for entry in known]
    return size == 0 or any(as_known)


def is_done(path: Path, mark: str) -> bool:
    """Return whether the report at *path* is of the fingerprint *mark*, finished, and all its files are complete."""
    report = _read_report(path)
    if report.get("fingerprint") != mark or report.get("status") != "converted" or not report.get("outputs"):
        return False
    places = [(path.parent / entry["file"], entry.get("bytes")) for entry in report["outputs"]]
    return all(file.is_file() and file.stat().st_size == size for file, size in places)
