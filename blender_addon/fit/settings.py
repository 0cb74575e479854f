"""Set up a fit from the settings of boxes 1 to 3."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..figure.scene_time import keeps_time, scene_rate
from ..figure.shape_operators import active_armature
from ..package import addon_preferences
from ..package import body_file as preferred_body_file
from ..torch_access import fit_where_set
from ..track.reader import read_now
from ..track.session import TRACKS, TrackState
from ..track.settings import take_requests, track_request

if TYPE_CHECKING:
    from ..core_access import Reading
    from ..figure.create import FigureOptions
    from ..track.request import TrackRequest
    from .job import FitJob, HeldShape
    from .takes import FitTakes


def chosen_body_file(context: bpy.types.Context) -> str:
    """Return the absolute path of the licensed body: that of the scene, else that of the preferences, else ""."""
    own = context.scene.smplify.body.file
    return bpy.path.abspath(own) if own else preferred_body_file(addon_preferences(context))


def genders(context: bpy.types.Context) -> dict[str, Path]:
    """Return the files of the chosen body by gender; empty if the file names do not contain the gender."""
    from ..core_access import gender_files

    path = chosen_body_file(context)
    return gender_files(Path(path)) if path else {}


def body_path(context: bpy.types.Context) -> str:
    """Return the path of the body to fit, "" for the free body.

    Raises:
        CoreError: a licensed body is required, but none is set, or none of that gender.
    """
    from ..core_access import InputMissingError

    settings = context.scene.smplify.body
    if settings.kind == "FREE":
        return ""
    path = chosen_body_file(context)
    if not path:
        raise InputMissingError("expected a licensed SMPL file, found none set; choose one in box 2, or the free body")
    if settings.gender == "FILE":
        return path
    gender = settings.gender.lower()
    found = genders(context)
    if gender not in found:
        raise InputMissingError(
            f"expected the {gender} body beside {path}, named as that file is, found "
            f"{', '.join(sorted(found)) or 'no gender in its name'}; set Gender to As File, or choose another file"
        )
    return str(found[gender])


def held_shape(context: bpy.types.Context) -> HeldShape:
    """Return the current shape of the active figure.

    Raises:
        CoreError: no figure is active.
    """
    from ..core_access import CoreError
    from ..figure.armature import joint_shape
    from ..figure.body_mesh import betas_of
    from .job import HeldShape

    armature = active_armature(context)
    if armature is None:
        raise CoreError("expected an active figure to take the shape of, found none; make its armature or mesh active")
    joints = joint_shape(armature)
    return HeldShape(betas_of(armature), joints.template, armature.name)


def workers_of(setting: int) -> int | None:
    """Return the number of threads for a fit; for 0, all cores but one, which Blender's window needs."""
    if setting > 0:
        return setting
    return None if bpy.app.background else max(1, (os.cpu_count() or 2) - 1)


def figure_options(scene: bpy.types.Scene) -> FigureOptions:
    """Return how fitted figures are added to *scene*."""
    from ..figure.create import FigureOptions

    fit = scene.smplify.fit
    return FigureOptions(
        fit.floor, fit.timing, fit.begin_frame if fit.begin == "FRAME" else None, fit.begin == "RECORDING"
    )


def fit_job(context: bpy.types.Context) -> FitJob:
    """Return the fit set up in the scene of *context*.

    Raises:
        CoreError: a required setting or file is missing.
    """
    from ..core_access import InputMissingError, TrackError

    settings = context.scene.smplify
    request = track_request(settings.track)
    if not request.path:
        raise InputMissingError("expected a keypoint file, found none set; choose one in box 1")
    if request.is_armature and read_now(context.scene) is not TrackState.READ:
        raise TrackError(TRACKS.error)
    readings = tuple(TRACKS.readings) if TRACKS.state(request) is TrackState.READ else ()
    return replace(_job(context, request), readings=readings)


def takes_job(context: bpy.types.Context) -> FitTakes:
    """Return the fit of all takes set up in the scene of *context*.

    Raises:
        CoreError: a required setting or file is missing.
    """
    from ..core_access import CoreError
    from ..track.armatures import read_armatures
    from .takes import FitTakes

    settings = context.scene.smplify
    jobs, refused = [], {}
    for request in take_requests(settings.track):
        readings: tuple[Reading, ...] = ()
        if TRACKS.state(request) is TrackState.READ:
            readings = tuple(TRACKS.readings)
        elif request.is_armature:  # Blender reads it, on this thread
            try:
                readings = tuple(read_armatures(request.path, request.options()))
            except CoreError as error:
                refused[request.path] = str(error)
                continue
        jobs.append(replace(_job(context, request), readings=readings))
    return FitTakes(jobs, settings.fit.takes == "ACTIONS", refused)


def _job(context: bpy.types.Context, request: TrackRequest) -> FitJob:
    """Return the fit of *request* by the settings of boxes 2 and 3."""
    from ..core_access import ConvertOptions, FitOptions, InputMissingError, Place
    from .job import FitJob

    scene = context.scene
    settings = scene.smplify
    body, fit = settings.body, settings.fit
    if body.betas == "FILE" and not body.betas_file:
        raise InputMissingError(
            "expected a Betas File, found none set; choose one in box 2, or take betas from the track"
        )
    options = ConvertOptions(
        reading=request.options(),
        body=body_path(context),
        betas=bpy.path.abspath(body.betas_file) if body.betas == "FILE" else "",
        hands=fit.hands.lower(),
        fit=FitOptions(
            mode=fit.mode.lower(),
            smoothing=fit.smoothing,
            quality=fit.quality.lower(),
            fps=fit.motion_fps or None,
            device=fit.device,
            workers=workers_of(fit.workers),
            fingers=fit.fingers,
            pose_correctives=fit.pose_correctives,
        ),
    )
    return FitJob(
        path=request.path,
        options=options,
        person=settings.track.person,
        held=held_shape(context) if body.betas == "FIGURE" else None,
        fit=fit_where_set(addon_preferences(context)),
        place=Place(scene_rate(scene) if keeps_time(scene, fit.timing) else None, fit.floor),
    )
