"""Convert one input of a batch: fit its people, show them in an empty session and write the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from ..core_access import (
    AS_RECORDED,
    ConvertOptions,
    FittedPerson,
    Progress,
    fit_file,
    labelled,
    person_report,
)
from ..export.presets import ExportTarget
from ..export.writers import export_figures, save_session, write_amass
from ..figure.create import Figure, FigureOptions
from ..figure.stage import set_stage
from ..result.live_settings import adjust
from ..result.show import show
from ..torch_access import fit_in
from ..track.armatures import read_armatures
from .inputs import is_animation, is_armature
from .onto_character import check_character, convert_animation, write_character


def convert(request: Mapping[str, Any], progress: Progress) -> dict[str, object]:
    """Convert one input for the batch. The current session is replaced by an empty one.

    Args:
        request: as for `core.batch.workers.Convert`.
        progress: called with the completed fraction (0 to 1) and the name of the step; an exception it raises ends
            the work.

    Returns:
        ``outputs`` (file names), ``people`` (one dictionary per person) and ``blender`` (Blender's version).

    Raises:
        CoreError: the input cannot be used, or a file cannot be written.
    """
    options = ConvertOptions.from_dict(request["options"])
    if options.character and is_animation(Path(request["source"])):
        return convert_animation(request, options, progress)
    if options.character:
        progress(0.0, "checking the character")
        check_character(options.character, options.armature, options.bones)
    readings = []
    if is_armature(Path(request["source"])):
        progress(0.0, "opening the animation")
        bpy.ops.wm.read_homefile(use_empty=True)
        readings = read_armatures(request["source"], options.reading)
    fitted = fit_file(
        Path(request["source"]),
        options,
        lambda share, what: progress(0.7 * share, what),
        workers=request.get("workers"),
        readings=readings,
        fit=fit_in(options.torch_python),
    )
    bpy.ops.wm.read_homefile(use_empty=True)
    as_recorded = options.first_frame == AS_RECORDED
    begin = 1 if as_recorded else int(options.first_frame)
    placing = FigureOptions(options.cleanup.ground == "contacts", "CLIP", begin, as_recorded)
    figures = show(fitted, request["stem"], placing)
    for figure, person in zip(figures, fitted, strict=True):
        progress(0.7, "cleaning up")
        adjust(figure.armature, options.cleanup.without_place() if person.track.root_relative else options.cleanup)
    people = [person_report(person, figure.motion) for person, figure in zip(fitted, figures, strict=True)]
    target = Path(request["folder"]) / request["stem"]
    if options.character:
        progress(0.8, "putting the motion onto the character")
        armatures, labels = [figure.armature for figure in figures], [person.label for person in fitted]
        outputs, facts = write_character(armatures, labels, target, options)
        people = [{**person, "character": asdict(found)} for person, found in zip(people, facts, strict=True)]
        return {"outputs": outputs, "people": people, "blender": bpy.app.version_string}
    outputs = []
    for number, kind in enumerate(options.formats):
        progress(0.7 + 0.3 * number / len(options.formats), f"writing {kind}")
        outputs += _write(fitted, figures, target.with_name(f"{target.name}.{kind}"), options)
    return {"outputs": outputs, "people": people, "blender": bpy.app.version_string}


def _write(
    fitted: Sequence[FittedPerson], figures: Sequence[Figure], target: Path, options: ConvertOptions
) -> list[str]:
    """Write the format that the suffix of *target* names, one file for each person or all; return the file names."""
    if target.suffix == ".blend":
        set_stage(figures, bpy.context.scene)
        figures[0].armature.users_collection[0].asset_mark()
        return [save_session(target).name]
    names = []
    for person, figure in zip(fitted, figures, strict=True):
        path = labelled(target, person.label)
        if target.suffix == ".npz":
            error = {} if person.solved_by else {"keypoint_error_mm": person.frame_errors_mm()}
            write_amass(figure.armature, path, scene=bpy.context.scene, extra=error, layout=options.npz_layout)
        else:
            export_figures([figure.armature], path, target=ExportTarget(correctives=options.correctives))
        names.append(path.name)
    return names
