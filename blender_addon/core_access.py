"""The only module that imports the core library; it lists everything the add-on uses.

The core is beside this package as ``core`` in the repository, and inside it (``<this package>.core``) in the extension
zip, where ``build_addon.py`` copies the folder unchanged. The copy inside the package is used if there is one, else the
top-level package. Building the zip rewrites nothing, and no other module of the add-on imports the core directly.

Registering the add-on does not import this module; the first use does. It needs no Blender.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import TYPE_CHECKING

VENDORED = importlib.util.find_spec(f"{__package__}.core") is not None
"""Whether the core is the copy inside this package."""

CORE_NAME = f"{__package__}.core" if VENDORED else "core"
"""The name under which the core is imported."""


def core_module(name: str) -> ModuleType:
    """Return the core's module *name* ("motion", "body.model")."""
    return importlib.import_module(f"{CORE_NAME}.{name}")


if TYPE_CHECKING or not VENDORED:
    from core import __version__
    from core.amass import read_motion, write_motion
    from core.body.betas_file import read_betas
    from core.body.catalog import resolve_body
    from core.body.data import NUM_BETAS, BodyData
    from core.body.genders import gender_files
    from core.body.landmarks import landmark_regressor
    from core.body.model import BodyModel, local_rotations, world_positions, world_rotations
    from core.cleanup import (
        CleanupOptions,
        CleanupSource,
        add_cleanup_arguments,
        analyse_motion,
        cleanup_options,
        held_joints,
        place_in_room,
        smooth_and_lock_feet,
    )
    from core.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED
    from core.cli.info import missing_shares
    from core.errors import BodyError, CoreError, FitCancelled, InputMissingError, MotionError, OutputError, TrackError
    from core.fit import FitOptions, FitReport, Flag, PointErrors, fit_track
    from core.fit.quality import QUALITIES
    from core.formats import find_tracks
    from core.io.atomic_files import TEMPORARY_PREFIX, atomic_path, replace_file
    from core.io.npz import unpack_npz
    from core.io.protected_files import ProtectedFiles
    from core.layouts.bones import bones_between
    from core.math.arrays import DEVICES, DeviceError
    from core.math.rotations import (
        axis_angle_to_quat_wxyz,
        matrix_to_axis_angle,
        matrix_to_quat_wxyz,
        quat_wxyz_to_axis_angle,
    )
    from core.motion import Motion
    from core.person_labels import person_labels
    from core.reading import Reading, ReadOptions, add_reading_arguments, read_all, read_tracks, reading_options
    from core.skeleton import BODY, Skeleton
    from core.smpl_skeleton import JOINT_NAMES, JOINT_PARENTS, NUM_BODY_ROTATIONS, NUM_JOINTS, SMPL
    from core.track import KeypointTrack
else:
    from .core import __version__
    from .core.amass import read_motion, write_motion
    from .core.body.betas_file import read_betas
    from .core.body.catalog import resolve_body
    from .core.body.data import NUM_BETAS, BodyData
    from .core.body.genders import gender_files
    from .core.body.landmarks import landmark_regressor
    from .core.body.model import BodyModel, local_rotations, world_positions, world_rotations
    from .core.cleanup import (
        CleanupOptions,
        CleanupSource,
        add_cleanup_arguments,
        analyse_motion,
        cleanup_options,
        held_joints,
        place_in_room,
        smooth_and_lock_feet,
    )
    from .core.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED
    from .core.cli.info import missing_shares
    from .core.errors import BodyError, CoreError, FitCancelled, InputMissingError, MotionError, OutputError, TrackError
    from .core.fit import FitOptions, FitReport, Flag, PointErrors, fit_track
    from .core.fit.quality import QUALITIES
    from .core.formats import find_tracks
    from .core.io.atomic_files import TEMPORARY_PREFIX, atomic_path, replace_file
    from .core.io.npz import unpack_npz
    from .core.io.protected_files import ProtectedFiles
    from .core.layouts.bones import bones_between
    from .core.math.arrays import DEVICES, DeviceError
    from .core.math.rotations import (
        axis_angle_to_quat_wxyz,
        matrix_to_axis_angle,
        matrix_to_quat_wxyz,
        quat_wxyz_to_axis_angle,
    )
    from .core.motion import Motion
    from .core.person_labels import person_labels
    from .core.reading import Reading, ReadOptions, add_reading_arguments, read_all, read_tracks, reading_options
    from .core.skeleton import BODY, Skeleton
    from .core.smpl_skeleton import JOINT_NAMES, JOINT_PARENTS, NUM_BODY_ROTATIONS, NUM_JOINTS, SMPL
    from .core.track import KeypointTrack
