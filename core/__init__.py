"""Fit SMPL motion to tracks of 3D keypoints. Never imports bpy, and torch only where a torch device is asked for.

Installed by pip, this package is named ``learnable_smplify``; in the repository and in the Blender extension it is
``core``. The names below are its public interface; each is loaded when it is first used, so that importing the package
alone loads nothing, NumPy included.

Reading
    `read_tracks` reads a keypoint file with `ReadOptions` as a list of `KeypointTrack`; `LAYOUTS` has every `Layout`.
    `NameMap` says what points with names of your own are; `read_name_map` reads one.
Body
    `resolve_body` returns the `BodyData` of the free body or of an SMPL file; `BodyModel` poses it.
Fit
    `fit_track` fits a whole track with `FitOptions`; the `FitReport` holds its errors and each `Flag`.
    `FitStream` fits frame by frame and returns each `StreamPose`.
Motion
    `Motion` is the result; `read_motion` and `write_motion` store it in AMASS layout. `Skeleton` is its joint tree.
    `analyse_motion` analyses a motion as a `CleanupSource`; `clean_up` applies `CleanupOptions` to it.
Pipeline
    `fit_file` reads a file and fits everyone in it by `ConvertOptions`, and returns each `FittedPerson`; `clean_person`
    applies the clean-up, `write_person` writes the motion.
Errors
    `CoreError` is the base of all: `TrackFileError`, `TrackError`, `AmbiguousTrackError`, `UnseenPersonError`,
    `BodyError`, `MotionError`, `SkeletonError`, `FitOptionError`, `CleanupOptionError`, `DeviceError`,
    `InputMissingError`, `OutputError`, `UnsafePickleError`, `FitCancelled`.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it as true; importing it from typing would take longer than all the rest

if TYPE_CHECKING:
    from .amass import read_motion, write_motion
    from .body.catalog import resolve_body
    from .body.data import BodyData
    from .body.model import BodyModel
    from .cleanup import CleanupOptionError, CleanupOptions, CleanupSource, analyse_motion, clean_up
    from .convert_options import ConvertOptions
    from .errors import (
        AmbiguousTrackError,
        BodyError,
        CoreError,
        FitCancelled,
        FitOptionError,
        InputMissingError,
        MotionError,
        OutputError,
        SkeletonError,
        TrackError,
        TrackFileError,
        UnsafePickleError,
        UnseenPersonError,
    )
    from .fit import FitOptions, FitReport, FitStream, Flag, StreamPose, fit_track
    from .layouts import LAYOUTS, Layout
    from .math.arrays import DeviceError
    from .motion import Motion
    from .pipeline import FittedPerson, clean_person, fit_file, write_person
    from .reading import NameMap, ReadOptions, read_name_map, read_tracks
    from .skeleton import Skeleton
    from .track import KeypointTrack

__version__ = "0.1.0"
"""The version of the library, of the extension and of the distribution; it stands nowhere else."""

__all__ = [
    "LAYOUTS",
    "AmbiguousTrackError",
    "BodyData",
    "BodyError",
    "BodyModel",
    "CleanupOptionError",
    "CleanupOptions",
    "CleanupSource",
    "ConvertOptions",
    "CoreError",
    "DeviceError",
    "FitCancelled",
    "FitOptionError",
    "FitOptions",
    "FitReport",
    "FitStream",
    "FittedPerson",
    "Flag",
    "InputMissingError",
    "KeypointTrack",
    "Layout",
    "Motion",
    "MotionError",
    "NameMap",
    "OutputError",
    "ReadOptions",
    "Skeleton",
    "SkeletonError",
    "StreamPose",
    "TrackError",
    "TrackFileError",
    "UnsafePickleError",
    "UnseenPersonError",
    "__version__",
    "analyse_motion",
    "clean_person",
    "clean_up",
    "fit_file",
    "fit_track",
    "read_motion",
    "read_name_map",
    "read_tracks",
    "resolve_body",
    "write_motion",
    "write_person",
]

_MODULES = {
    "amass": ("read_motion", "write_motion"),
    "body.catalog": ("resolve_body",),
    "body.data": ("BodyData",),
    "body.model": ("BodyModel",),
    "cleanup": ("CleanupOptionError", "CleanupOptions", "CleanupSource", "analyse_motion", "clean_up"),
    "errors": (
        "AmbiguousTrackError",
        "BodyError",
        "CoreError",
        "FitCancelled",
        "FitOptionError",
        "InputMissingError",
        "MotionError",
        "OutputError",
        "SkeletonError",
        "TrackError",
        "TrackFileError",
        "UnsafePickleError",
        "UnseenPersonError",
    ),
    "fit": ("FitOptions", "FitReport", "FitStream", "Flag", "StreamPose", "fit_track"),
    "layouts": ("LAYOUTS", "Layout"),
    "math.arrays": ("DeviceError",),
    "motion": ("Motion",),
    "convert_options": ("ConvertOptions",),
    "pipeline": ("FittedPerson", "clean_person", "fit_file", "write_person"),
    "reading": ("NameMap", "ReadOptions", "read_name_map", "read_tracks"),
    "skeleton": ("Skeleton",),
    "track": ("KeypointTrack",),
}
"""The module of each public name, as imported above for type checkers."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:  # else a type checker would accept every name

    def __getattr__(name: str) -> object:
        """Load a public name from its module; Python calls this for a name that the package does not hold yet."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of the package, with the public ones that are not loaded yet."""
    return sorted({*globals(), *__all__})
