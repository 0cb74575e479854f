"""The files that the open project consists of and reads; no export may replace them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

from .core_access import ProtectedFiles, atomic_path, gender_files
from .figure.custom_properties import FILE_KEY, RECORD_KEY
from .figure.record import RecordError, load
from .package import addon_preferences, body_file
from .track.session import TRACKS


def project_files() -> ProtectedFiles:
    """Return the files that must not be overwritten while this project is open; see `project_paths`."""
    return ProtectedFiles(project_paths())


def save_text(filepath: str, text: str) -> None:
    """Write *text*, as UTF-8, to the file that a file browser returned as *filepath*.

    Raises:
        OutputError: the open project consists of that file or reads it; see `project_paths`.
        OSError: the file cannot be written; what was there before is kept.
    """
    path = Path(bpy.path.abspath(filepath))
    project_files().check(path)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def project_paths() -> dict[Path, str]:
    """Return the files that the open project consists of and reads, each with its role.

    They are the .blend, its libraries, images and other external files, the sources of its figures (keypoints, body,
    betas, network), and the files chosen in the boxes of all scenes and in the preferences.
    """
    named = [*_blend_files(), *_figure_files(), *_character_files(), *_chosen_files()]
    files: dict[Path, str] = {}
    for path, role in named:
        if path:
            files.setdefault(Path(path), role)
    return files


def _blend_files() -> Iterator[tuple[str, str]]:
    yield bpy.data.filepath, "the open project"
    for library in bpy.data.libraries:
        yield bpy.path.abspath(library.filepath, library=library.parent), "a linked library"
    for path in bpy.utils.blend_paths(absolute=True, packed=False, local=False):
        yield path, "a file that the project uses"


def _figure_files() -> Iterator[tuple[str, str]]:
    """Yield the source files of each figure, from its record and from those of its other takes."""
    for item in (*bpy.data.objects, *bpy.data.actions):
        try:
            record = load(item) if RECORD_KEY in item else None
        except RecordError:  # its sources are unknown
            continue
        if record is None:
            continue
        source = record.source
        for path, what in (
            (source.file, "motion" if record.report is None else "keypoints"),
            (item.smplify.moved_file if hasattr(item, "smplify") else "", "keypoints"),
            (source.body, "body"),
            (source.betas_file, "betas"),
            (str(source.fit.get("network") or ""), "network"),
            (str(source.fit.get("prior") or ""), "prior"),
        ):
            yield bpy.path.abspath(path, library=item.library), f"the {what} of {item.name}"


def _character_files() -> Iterator[tuple[str, str]]:
    """Yield the files that characters were opened from."""
    for armature in bpy.data.objects:
        path = armature.get(FILE_KEY)
        if isinstance(path, str):
            yield path, f"the file of {armature.name}"


def _chosen_files() -> Iterator[tuple[str, str]]:
    """Yield the files that the next fit of any scene would read."""
    bodies = [body_file(addon_preferences(bpy.context))]
    for scene in bpy.data.scenes:
        settings = getattr(scene, "smplify", None)
        if settings is None:  # the add-on is not enabled, as on the command line
            continue
        yield bpy.path.abspath(settings.track.filepath, library=scene.library), "the chosen keypoints"
        for take in settings.track.takes:
            yield bpy.path.abspath(take.path, library=scene.library), "a chosen take"
        yield bpy.path.abspath(settings.track.static, library=scene.library), "the chosen static trial"
        yield bpy.path.abspath(settings.body.betas_file, library=scene.library), "the chosen betas"
        bodies.append(bpy.path.abspath(settings.body.file, library=scene.library))
    yield TRACKS.request.path, "the chosen keypoints"
    for path in filter(None, bodies):
        yield path, "the chosen body"
        if Path(path).is_file():
            yield from ((str(file), "the chosen body") for file in gender_files(Path(path)).values())
