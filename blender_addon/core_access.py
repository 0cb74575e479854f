"""The one place where the add-on reaches the core library, and everything it uses of it.

The core stands beside this package as ``core`` in the repository, and inside it (``<this package>.core``) in the
extension zip, where ``build_addon.py`` copies the folder unchanged. The rule is explicit: the copy inside the package
is used if there is one, else the top-level package. Nothing is rewritten when the zip is built, and no module of the
add-on imports the core in any other way.

Registering the add-on does not import this module; the first use does. No Blender is needed for it.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

VENDORED = importlib.util.find_spec(f"{__package__}.core") is not None
"""Whether the core is the copy inside this package."""

CORE_NAME = f"{__package__}.core" if VENDORED else "core"
"""The name under which the core is imported."""


def core_module(name: str) -> ModuleType:
    """Return the core's module *name* ("motion", "body.model")."""
    return importlib.import_module(f"{CORE_NAME}.{name}")


read_motion = core_module("amass").read_motion
write_motion = core_module("amass").write_motion
unpack_npz = core_module("io.npz").unpack_npz
DEVICES = core_module("math.arrays").DEVICES
DeviceError = core_module("math.arrays").DeviceError
resolve_body = core_module("body.catalog").resolve_body
read_betas = core_module("body.betas_file").read_betas
NUM_BETAS = core_module("body.data").NUM_BETAS
BodyData = core_module("body.data").BodyData
gender_files = core_module("body.genders").gender_files
landmark_regressor = core_module("body.landmarks").landmark_regressor
BodyModel = core_module("body.model").BodyModel
local_rotations = core_module("body.model").local_rotations
world_positions = core_module("body.model").world_positions
world_rotations = core_module("body.model").world_rotations
BodyError = core_module("errors").BodyError
CoreError = core_module("errors").CoreError
FitCancelled = core_module("errors").FitCancelled
InputMissingError = core_module("errors").InputMissingError
MotionError = core_module("errors").MotionError
OutputError = core_module("errors").OutputError
CleanupOptions = core_module("cleanup").CleanupOptions
CleanupSource = core_module("cleanup").CleanupSource
add_cleanup_arguments = core_module("cleanup").add_cleanup_arguments
cleanup_options = core_module("cleanup").cleanup_options
held_joints = core_module("cleanup").held_joints
placed = core_module("cleanup").placed
prepare = core_module("cleanup").prepare
steadied = core_module("cleanup").steadied
TrackError = core_module("errors").TrackError
EXIT_FAILED = core_module("cli.exit_codes").EXIT_FAILED
EXIT_INTERRUPTED = core_module("cli.exit_codes").EXIT_INTERRUPTED
TEMPORARY_PREFIX = core_module("io.atomic_files").TEMPORARY_PREFIX
atomic_path = core_module("io.atomic_files").atomic_path
replace_file = core_module("io.atomic_files").replace_file
FitOptions = core_module("fit").FitOptions
QUALITIES = core_module("fit.quality").QUALITIES
FitReport = core_module("fit").FitReport
Flag = core_module("fit").Flag
fit_track = core_module("fit").fit_track
find_tracks = core_module("formats").find_tracks
missing_shares = core_module("cli.info").missing_shares
bones_between = core_module("layouts.bones").bones_between
Motion = core_module("motion").Motion
person_labels = core_module("person_labels").person_labels
ProtectedFiles = core_module("io.protected_files").ProtectedFiles
Reading = core_module("reading").Reading
ReadOptions = core_module("reading").ReadOptions
add_reading_arguments = core_module("reading").add_reading_arguments
read_all = core_module("reading").read_all
read_tracks = core_module("reading").read_tracks
reading_options = core_module("reading").reading_options
axis_angle_to_quat_wxyz = core_module("math.rotations").axis_angle_to_quat_wxyz
matrix_to_axis_angle = core_module("math.rotations").matrix_to_axis_angle
matrix_to_quat_wxyz = core_module("math.rotations").matrix_to_quat_wxyz
quat_wxyz_to_axis_angle = core_module("math.rotations").quat_wxyz_to_axis_angle
JOINT_NAMES = core_module("smpl_skeleton").JOINT_NAMES
JOINT_PARENTS = core_module("smpl_skeleton").JOINT_PARENTS
NUM_BODY_ROTATIONS = core_module("smpl_skeleton").NUM_BODY_ROTATIONS
NUM_JOINTS = core_module("smpl_skeleton").NUM_JOINTS
KeypointTrack = core_module("track").KeypointTrack
