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
    from core.amass import is_amass, read_motion, write_motion
    from core.batch import (
        REPORT_SUFFIX,
        SUMMARY_NAME,
        BatchError,
        BatchOptions,
        WorkerDied,
        WorkerStartError,
        failure,
    )
    from core.body.catalog import resolve_body
    from core.body.corrective_basis import corrective_basis
    from core.body.data import NUM_BETAS, BodyData
    from core.body.genders import gender_files
    from core.body.landmarks import landmark_regressor
    from core.body.model import BodyModel, local_rotations
    from core.cleanup import (
        PLANTED,
        CleanupOptions,
        CleanupSource,
        analyse_motion,
        held_joints,
        place_in_room,
        smooth_and_lock_feet,
    )
    from core.cli.arguments import add_batch_arguments, add_convert_arguments, convert_options, named_points_file
    from core.cli.batch import batch_command
    from core.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, exit_code_of, raise_on_interrupt, say_error
    from core.cli.info import missing_shares
    from core.convert_options import ConvertOptions
    from core.errors import (
        BodyError,
        CoreError,
        FitCancelled,
        InputMissingError,
        MotionError,
        OutputError,
        TrackError,
        TrackFileError,
    )
    from core.fingers import DEFAULT_HANDS, HANDS, has_fingers, on_skeleton, without_fingers
    from core.fit import FitOptions, FitReport, Flag, PointErrors, fit_track
    from core.formats import TRACK_SUFFIXES
    from core.formats.armature import find_person, needed_bones, people_among
    from core.formats.armature_motion import motion_recording
    from core.formats.raw import RawRecording
    from core.io.atomic_files import atomic_path, not_written
    from core.io.npz import unpack_npz
    from core.io.protected_files import ProtectedFiles
    from core.layouts.bones import bones_between
    from core.live.addresses import Address
    from core.live.live_fit import LiveFrame
    from core.live.receiver import LiveReceiver, LiveStatus
    from core.live.recording import LiveRecording
    from core.live.vmc import VmcSender
    from core.math.arrays import DEVICES, DeviceError
    from core.math.rotations import (
        axis_angle_to_matrix,
        axis_angle_to_quat_wxyz,
        matrix_to_axis_angle,
        matrix_to_quat_wxyz,
        quat_wxyz_to_axis_angle,
    )
    from core.math.smoothstep import smoothstep
    from core.motion import Motion
    from core.opensim import write_mot, write_trc
    from core.person_labels import distinct_labels, labelled, person_labels
    from core.pipeline import (
        Fit,
        FitSource,
        FittedPerson,
        Progress,
        check_options,
        fit_file,
        fit_people,
        person_report,
        read_input,
    )
    from core.placement import AS_RECORDED, Person, Place, shape_of
    from core.printable import printable, say
    from core.reading import (
        NamedPoint,
        NameMap,
        Reading,
        ReadOptions,
        Recognition,
        interpret_all,
        interpret_people,
        join_signed_axis,
        read_all,
        read_name_map,
        read_people,
        read_tracks,
        recognise,
        rough_placement,
        suggested_joins,
    )
    from core.reading.name_map import BODY_POINTS, spelled
    from core.retarget.alignment import joint_positions
    from core.retarget.armature_source import ArmatureMotion, armature_source
    from core.retarget.bone_map import CERTAIN, DOUBTFUL, REQUIRED_ROLES, ROLES, BoneMap, BoneMapError, read_bone_map
    from core.retarget.live import LiveRetargeting
    from core.retarget.mapping import map_bones
    from core.retarget.options import RetargetOptions
    from core.retarget.retargeted import RetargetedMotion, RetargetReport
    from core.retarget.retargeting import retarget
    from core.retarget.rig import Rig, RigError, Skin
    from core.retarget.rig_file import write_rig
    from core.retarget.root import Carrier
    from core.retarget.source import RetargetSource
    from core.retarget.summary import rest_pose
    from core.skeleton import BODY, Skeleton
    from core.smpl_skeleton import FINGERS, JOINT_NAMES, NUM_BODY_ROTATIONS, SMPL, SMPLH
    from core.track import KeypointTrack
    from core.unity_bones import UNITY_BONES
else:
    from .core.amass import is_amass, read_motion, write_motion
    from .core.batch import (
        REPORT_SUFFIX,
        SUMMARY_NAME,
        BatchError,
        BatchOptions,
        WorkerDied,
        WorkerStartError,
        failure,
    )
    from .core.body.catalog import resolve_body
    from .core.body.corrective_basis import corrective_basis
    from .core.body.data import NUM_BETAS, BodyData
    from .core.body.genders import gender_files
    from .core.body.landmarks import landmark_regressor
    from .core.body.model import BodyModel, local_rotations
    from .core.cleanup import (
        PLANTED,
        CleanupOptions,
        CleanupSource,
        analyse_motion,
        held_joints,
        place_in_room,
        smooth_and_lock_feet,
    )
    from .core.cli.arguments import add_batch_arguments, add_convert_arguments, convert_options, named_points_file
    from .core.cli.batch import batch_command
    from .core.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, exit_code_of, raise_on_interrupt, say_error
    from .core.cli.info import missing_shares
    from .core.convert_options import ConvertOptions
    from .core.errors import (
        BodyError,
        CoreError,
        FitCancelled,
        InputMissingError,
        MotionError,
        OutputError,
        TrackError,
        TrackFileError,
    )
    from .core.fingers import DEFAULT_HANDS, HANDS, has_fingers, on_skeleton, without_fingers
    from .core.fit import FitOptions, FitReport, Flag, PointErrors, fit_track
    from .core.formats import TRACK_SUFFIXES
    from .core.formats.armature import find_person, needed_bones, people_among
    from .core.formats.armature_motion import motion_recording
    from .core.formats.raw import RawRecording
    from .core.io.atomic_files import atomic_path, not_written
    from .core.io.npz import unpack_npz
    from .core.io.protected_files import ProtectedFiles
    from .core.layouts.bones import bones_between
    from .core.live.addresses import Address
    from .core.live.live_fit import LiveFrame
    from .core.live.receiver import LiveReceiver, LiveStatus
    from .core.live.recording import LiveRecording
    from .core.live.vmc import VmcSender
    from .core.math.arrays import DEVICES, DeviceError
    from .core.math.rotations import (
        axis_angle_to_matrix,
        axis_angle_to_quat_wxyz,
        matrix_to_axis_angle,
        matrix_to_quat_wxyz,
        quat_wxyz_to_axis_angle,
    )
    from .core.math.smoothstep import smoothstep
    from .core.motion import Motion
    from .core.opensim import write_mot, write_trc
    from .core.person_labels import distinct_labels, labelled, person_labels
    from .core.pipeline import (
        Fit,
        FitSource,
        FittedPerson,
        Progress,
        check_options,
        fit_file,
        fit_people,
        person_report,
        read_input,
    )
    from .core.placement import AS_RECORDED, Person, Place, shape_of
    from .core.printable import printable, say
    from .core.reading import (
        NamedPoint,
        NameMap,
        Reading,
        ReadOptions,
        Recognition,
        interpret_all,
        interpret_people,
        join_signed_axis,
        read_all,
        read_name_map,
        read_people,
        read_tracks,
        recognise,
        rough_placement,
        suggested_joins,
    )
    from .core.reading.name_map import BODY_POINTS, spelled
    from .core.retarget.alignment import joint_positions
    from .core.retarget.armature_source import ArmatureMotion, armature_source
    from .core.retarget.bone_map import CERTAIN, DOUBTFUL, REQUIRED_ROLES, ROLES, BoneMap, BoneMapError, read_bone_map
    from .core.retarget.live import LiveRetargeting
    from .core.retarget.mapping import map_bones
    from .core.retarget.options import RetargetOptions
    from .core.retarget.retargeted import RetargetedMotion, RetargetReport
    from .core.retarget.retargeting import retarget
    from .core.retarget.rig import Rig, RigError, Skin
    from .core.retarget.rig_file import write_rig
    from .core.retarget.root import Carrier
    from .core.retarget.source import RetargetSource
    from .core.retarget.summary import rest_pose
    from .core.skeleton import BODY, Skeleton
    from .core.smpl_skeleton import FINGERS, JOINT_NAMES, NUM_BODY_ROTATIONS, SMPL, SMPLH
    from .core.track import KeypointTrack
    from .core.unity_bones import UNITY_BONES
