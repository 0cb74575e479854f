"""The one place where the add-on reaches the core library, and everything it uses of it.

The core stands beside this package as ``core`` in the repository, and inside it (``<this package>.core``) in the
extension zip, where ``build_addon.py`` copies the folder unchanged. The rule is explicit: the copy inside the package
is used if there is one, else the top-level package. Nothing is rewritten when the zip is built, and no module of the
add-on imports the core in any other way.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

VENDORED = importlib.util.find_spec(f"{__package__}.core") is not None
"""Whether the core is the copy inside this package."""


def core_module(name: str) -> ModuleType:
    """Return the core's module *name* ("motion", "body.model")."""
    package = f"{__package__}.core" if VENDORED else "core"
    return importlib.import_module(f"{package}.{name}")


Motion = core_module("motion").Motion
BodyData = core_module("body.data").BodyData
BodyModel = core_module("body.model").BodyModel
world_rotations = core_module("body.model").world_rotations
world_positions = core_module("body.model").world_positions
axis_angle_to_quat_wxyz = core_module("rotations").axis_angle_to_quat_wxyz
quat_wxyz_to_axis_angle = core_module("rotations").quat_wxyz_to_axis_angle
atomic_path = core_module("files").atomic_path
JOINT_NAMES = core_module("skeletons").JOINT_NAMES
JOINT_PARENTS = core_module("skeletons").JOINT_PARENTS
NUM_JOINTS = core_module("skeletons").NUM_JOINTS
NUM_BODY_ROTATIONS = core_module("skeletons").NUM_BODY_ROTATIONS
NUM_BETAS = core_module("body.data").NUM_BETAS
CoreError = core_module("errors").CoreError
InputMissingError = core_module("errors").InputMissingError
FitCancelled = core_module("errors").FitCancelled
KeypointTrack = core_module("track").KeypointTrack
