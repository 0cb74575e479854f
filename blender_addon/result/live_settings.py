"""Apply the live settings of the Result box: clean the fitted motion up and key it, without fitting again.

The slow half of the clean-up is done once per motion and shape and cached for the session (see `cleanup_cache`). Keys
that the user has edited are never overwritten without asking: the setting is reverted and the choice is shown.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

import bpy
import numpy as np

from ..core_access import (
    BodyData,
    CleanupOptions,
    CleanupSource,
    CoreError,
    Motion,
    analyse_motion,
    has_fingers,
    held_joints,
    place_in_room,
    resolve_body,
    smooth_and_lock_feet,
)
from ..figure.animation import frames_of, read_motion, rekey_motion
from ..figure.armature import rest_bones
from ..figure.body_mesh import betas_of
from ..figure.custom_properties import APPLIED_KEY, MARK_KEY, json_of
from ..figure.fcurves import Keys
from ..figure.key_listeners import notify
from ..figure.keyframe_hash import keys_edited, mark_keys, motion_keys
from ..figure.record import AdjustmentError, FigureRecord, adjustable, store
from ..figure.takes import present_take
from ..ui.quiet import quiet
from .cleanup_cache import CLEANUP_CACHE, Key
from .error_curve import key_errors


def settings_of(armature: bpy.types.Object) -> CleanupOptions:
    """Return the live settings of *armature* as clean-up options."""
    properties = armature.smplify
    return CleanupOptions(
        smoothing=properties.smoothing,
        foot_lock=properties.foot_lock,
        ground=properties.ground,
        height_m=properties.height_m,
        root=properties.root,
    )


def applied_settings(armature: bpy.types.Object) -> CleanupOptions:
    """Return the live settings that the keys of *armature* were written with, all off if they are damaged."""
    stored = json_of(armature, APPLIED_KEY)
    try:
        return CleanupOptions(**stored) if isinstance(stored, dict) else CleanupOptions()
    except (TypeError, ValueError):
        return CleanupOptions()


def follow_settings(armature: bpy.types.Object) -> None:
    """Apply a change of the live settings of *armature*; on an error, revert it and show why."""
    properties = armature.smplify
    if properties.quiet or settings_of(armature) == applied_settings(armature):
        return
    try:
        record = adjustable(armature)
        _check_keyed(armature)
        keys = motion_keys(armature)
        if keys_edited(armature, keys):
            properties.edited = True
            _show(armature, applied_settings(armature))
            return
        _apply(armature, record, settings_of(armature), keys)
    except CoreError as error:
        _show(armature, applied_settings(armature))
        properties.trouble = str(error)


def take_settings(armature: bpy.types.Object, options: CleanupOptions) -> bool:
    """Set the live settings of *armature* to *options* and apply them as one change; return whether that succeeded.

    On failure the settings are as before, and the figure's `trouble` says why.
    """
    _show(armature, options)
    follow_settings(armature)
    return settings_of(armature) == options


def refuse_edited(armature: bpy.types.Object) -> None:
    """Raise if the keys of *armature* were edited since they were written; the Result box then shows the choice.

    Raises:
        AdjustmentError: the keys were edited.
        CoreError: bones are missing, or the keys are in the NLA.
    """
    _check_keyed(armature)
    if keys_edited(armature):
        armature.smplify.edited = True
        raise AdjustmentError(
            f"expected the keys of {armature.name!r} as they were written, but they were edited since; choose in the "
            "Result box whether to keep or to overwrite the edits, then do this again"
        )


def overwrite_edits(armature: bpy.types.Object) -> None:
    """Write the keys according to the live settings, discarding edits.

    Raises:
        CoreError: the figure has no record, or its body cannot be read.
    """
    _apply(armature, adjustable(armature), settings_of(armature))


def adjust(armature: bpy.types.Object, options: CleanupOptions) -> None:
    """Set the live settings of *armature* to *options* and write its keys accordingly, discarding edits.

    Raises:
        CoreError: the figure has no record, or its body cannot be read.
    """
    record = adjustable(armature)
    _show(armature, options)
    if options != applied_settings(armature):
        _apply(armature, record, options)


def keep_edits(armature: bpy.types.Object) -> None:
    """Make the edited keys of *armature* the motion that the live settings start from, and reset the settings.

    Raises:
        CoreError: the figure has no record, or no keys.
    """
    record = adjustable(armature)
    _check_keyed(armature)
    motion = replace(read_motion(armature, record.motion.fps), betas=record.motion.betas)
    first, _ = frames_of(armature)
    original = record.original if record.original is not None else record.motion
    replace_motion(armature, replace(record, motion=motion, first_frame=first, original=original))


def restore_original(armature: bpy.types.Object) -> None:
    """Restore the motion that the figure was added to the scene with, and reset the live settings.

    Raises:
        CoreError: the figure has no record, or its body cannot be read.
    """
    record = adjustable(armature)
    motion = record.original if record.original is not None else record.motion
    report = record.original_report or record.report
    replace_motion(armature, replace(record, motion=motion, report=report, original=None, original_report=None))


def replace_motion(armature: bpy.types.Object, record: FigureRecord) -> None:
    """Replace the record of the figure, key its motion, and reset the live settings."""
    _check_keyed(armature)
    store(armature, record)
    key_errors(armature, record)
    _show(armature, CleanupOptions())
    _write(armature, record, record.motion, CleanupOptions())


def change_motion(armature: bpy.types.Object, record: FigureRecord) -> None:
    """Replace the record of the figure; keep the live settings and apply them to the new motion.

    Raises:
        CoreError: the figure's body cannot be read; nothing is changed.
    """
    _check_keyed(armature)
    _body_of(record)
    store(armature, record)
    key_errors(armature, record)
    _apply(armature, record, settings_of(armature))


def _check_keyed(armature: bpy.types.Object) -> None:
    """Raise if there is nothing to key, or if keys would be written in addition to NLA strips or to another take.

    Raises:
        CoreError: bones are missing, the keys are in the NLA, or the action is not that of the present take.
    """
    rest_bones(armature)
    animation, present = armature.animation_data, present_take(armature)
    if animation is not None and animation.action is not None and present not in (None, animation.action):
        raise AdjustmentError(
            f"expected {armature.name!r} to have the action of its take, {present.name!r}, found "
            f"{animation.action.name!r}; choose the take in the Result box"
        )
    if animation is None or animation.action is not None:
        return
    strips = [strip.name for track in animation.nla_tracks for strip in track.strips]
    if strips:
        raise AdjustmentError(
            f"expected the keys of {armature.name!r} in its action, found them in the NLA ({', '.join(strips)}); "
            "select the strip in the NLA editor and press Tab, so that its action can be edited"
        )


def _body_of(record: FigureRecord) -> BodyData:
    return resolve_body(record.source.body or None, fingers=has_fingers(record.motion.skeleton))


def _apply(armature: bpy.types.Object, record: FigureRecord, options: CleanupOptions, keys: Keys | None = None) -> None:
    source = _source(armature, record)
    _write(armature, record, place_in_room(source, _smoothed(source, options), options), options, keys)
    if options.foot_lock > 0.0 and source.holds is None:
        armature.smplify.trouble = "No foot contact was found in this motion, so there is nothing to lock"


def _write(
    armature: bpy.types.Object,
    record: FigureRecord,
    motion: Motion,
    options: CleanupOptions,
    keys: Keys | None = None,
) -> None:
    _check_keyed(armature)
    keys = motion_keys(armature) if keys is None else keys
    rekey_motion(armature, motion, keys, first_frame=record.first_frame)
    mark_keys(armature, keys)
    armature[APPLIED_KEY] = json.dumps(asdict(options))
    armature.smplify.edited = False
    armature.smplify.trouble = ""
    notify(armature)


def keyed_source(armature: bpy.types.Object) -> tuple[CleanupSource, CleanupOptions]:
    """Return an analysis for the clean-up, and the options with which it gives the motion keyed on *armature*.

    Keys that were edited are read and analysed.

    Raises:
        CoreError: the figure has no record or no keys, or its body cannot be read.
    """
    record = adjustable(armature)
    if keys_edited(armature):
        return analyse_motion(read_motion(armature, record.motion.fps), _body_of(record)), CleanupOptions()
    return _source(armature, record), applied_settings(armature)


def _show(armature: bpy.types.Object, options: CleanupOptions) -> None:
    """Set the live settings to *options* without applying them."""
    with quiet(armature.smplify):
        for name, value in asdict(options).items():
            setattr(armature.smplify, name, value)


def show_applied(armature: bpy.types.Object) -> None:
    """Show the live settings that the keys of *armature* were written with, without edits and errors."""
    _show(armature, applied_settings(armature))
    armature.smplify.edited = False
    armature.smplify.trouble = ""


def store_cleanup_source(armature: bpy.types.Object, source: CleanupSource) -> None:
    """Cache the clean-up's analysis of the motion of *armature*, made when it was added to the scene."""
    CLEANUP_CACHE.store(_key(armature, betas_of(armature)), source)


def analyse_ahead(armature: bpy.types.Object, record: FigureRecord) -> None:
    """Start the clean-up's analysis for *armature* on a thread, unless it was started before."""
    if CLEANUP_CACHE.is_known(str(armature.get(MARK_KEY))):
        return
    with suppress(CoreError):  # a figure without all of its bones: reported when a setting is changed
        betas = betas_of(armature)
        CLEANUP_CACHE.analyse_ahead(_key(armature, betas), partial(_analyse, record, betas))


def _source(armature: bpy.types.Object, record: FigureRecord) -> CleanupSource:
    """Return the clean-up's analysis of the motion of *record*, for the figure's current shape."""
    betas = betas_of(armature)
    return CLEANUP_CACHE.source(_key(armature, betas), partial(_analyse, record, betas))


def _analyse(record: FigureRecord, betas: np.ndarray) -> CleanupSource:
    """Analyse the motion of *record* for the clean-up; needs no Blender."""
    motion = replace(record.motion, betas=betas)
    held = None if record.report is None else held_joints(record.report.flags, motion, record.track_fps)
    return analyse_motion(motion, _body_of(record), held)


_last_smoothed: list[tuple[CleanupSource, CleanupOptions, Motion]] = []
"""The last smoothed motion with its source and options, reused when only ground, height or root change."""


def _smoothed(source: CleanupSource, options: CleanupOptions) -> Motion:
    smoothing_options = replace(CleanupOptions(), smoothing=options.smoothing, foot_lock=options.foot_lock)
    if not _last_smoothed or _last_smoothed[0][0] is not source or _last_smoothed[0][1] != smoothing_options:
        _last_smoothed[:] = [(source, smoothing_options, smooth_and_lock_feet(source, smoothing_options))]
    return _last_smoothed[0][2]


def _key(armature: bpy.types.Object, betas: np.ndarray) -> Key:
    return str(armature.get(MARK_KEY)), betas.tobytes()
