"""The files that the open project lives in and reads, which no export may replace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy

from .core_access import ProtectedFiles, gender_files
from .figure.custom_properties import RECORD_KEY
from .figure.record import RecordError, recall
from .package import addon_preferences, body_file
from .track.session import TRACKS


def project_files() -> ProtectedFiles:
    """Return the files that must not be written onto while this project is open; see `project_paths`."""
    return ProtectedFiles(project_paths())


def project_paths() -> dict[Path, str]:
    """Return the files that the open project lives in and reads, each with what it is.

    They are the .blend, the libraries, images and other files it uses, the files that its figures were made from
    (keypoints, body, betas, network), and those that the boxes of any scene and the preferences name.
    """
    named = [*_blend_files(), *_figure_files(), *_chosen_files()]
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
    """Yield what each figure was made from, as its record says."""
    for armature in bpy.data.objects:
        try:
            record = recall(armature) if RECORD_KEY in armature else None
        except RecordError:  # it no longer says what it was made from
            continue
        if record is None:
            continue
        source = record.source
        for path, what in (
            (source.file, "motion" if record.report is None else "keypoints"),
            (source.body, "body"),
            (source.betas_file, "betas"),
            (str(source.fit.get("network") or ""), "network"),
        ):
            yield bpy.path.abspath(path, library=armature.library), f"the {what} of {armature.name}"


def _chosen_files() -> Iterator[tuple[str, str]]:
    """Yield what the next fit reads, of whichever scene."""
    bodies = [body_file(addon_preferences(bpy.context))]
    for scene in bpy.data.scenes:
        settings = getattr(scene, "smplify", None)
        if settings is None:  # the add-on is not enabled: this is a command line
            continue
        yield bpy.path.abspath(settings.track.filepath, library=scene.library), "the chosen keypoints"
        yield bpy.path.abspath(settings.body.betas_file, library=scene.library), "the chosen betas"
        bodies.append(bpy.path.abspath(settings.body.file, library=scene.library))
    yield TRACKS.request.path, "the chosen keypoints"
    for path in filter(None, bodies):
        yield path, "the chosen body"
        if Path(path).is_file():
            yield from ((str(file), "the chosen body") for file in gender_files(Path(path)).values())
