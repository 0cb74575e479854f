"""The record of a fit, stored with the figure's armature: motion, errors, doubtful stretches, source.

A record is one custom property: the bytes of an .npz archive without Python objects. So it survives saving, undo,
appending and duplicating, and a Blender without this add-on keeps it. T track frames, F scene frames, K points.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core_access import (
    DEFAULT_HANDS,
    HANDS,
    NUM_BETAS,
    SMPL,
    CoreError,
    FitReport,
    FitSource,
    Flag,
    Motion,
    PointErrors,
    ReadOptions,
    Skeleton,
    unpack_npz,
)
from .custom_properties import MARK_KEY, RECORD_KEY, text_of

if TYPE_CHECKING:
    import bpy

_VERSION = 1
_MAX_BYTES = 1 << 29
_MAX_ABOUT_BYTES = 1 << 26
"""JSON of nothing but brackets takes twenty times its size in memory."""
_MAX_FRAMES = 1_000_000
_MAX_FRAME_NUMBER = 1 << 31
_FPS = (1e-4, 1e6)
_CACHE_SIZE = 16


class RecordError(CoreError, ValueError):
    """The record of a figure cannot be read."""


class AdjustmentError(CoreError, ValueError):
    """A figure cannot be adjusted."""


@dataclass(frozen=True, eq=False)
class FigureRecord:
    """The data of a figure besides its keys.

    Attributes:
        motion: the motion without live adjustments, at the scene's frame rate; the live settings of the Result box
            start from it.
        first_frame: scene frame of the motion's first frame.
        source: where the figure came from.
        report: the report of the fit, in frames of the track; None for a motion that was not fitted.
        track_fps: frame rate of the track, frames per second.
        offset: (3,) translation of the figure when it was added to the scene, metres, Y up.
        original: the motion as first added to the scene, if `motion` has been edited since; else None.
        original_report: the report of the first fit, if frames have been fitted again since; else None.
        start_s: time of the motion's first frame in its recording, seconds.
    """

    motion: Motion
    first_frame: int
    source: FitSource
    report: FitReport | None
    track_fps: float
    offset: np.ndarray
    original: Motion | None = None
    original_report: FitReport | None = None
    start_s: float = 0.0

    @property
    def last_frame(self) -> int:
        """Scene frame of the motion's last frame."""
        return self.first_frame + self.motion.num_frames - 1

    @property
    def scale(self) -> float:
        """Scene frames per track frame."""
        return self.motion.fps / self.track_fps

    def scene_frame(self, track_frame: int) -> int:
        """Return the scene frame nearest to *track_frame* in time."""
        return min(self.first_frame + round(track_frame * self.scale), self.last_frame)

    def track_frame(self, scene_frame: float) -> int:
        """Return the track frame nearest to *scene_frame* in time."""
        last = 0 if self.report is None else len(self.report.point_error_mm) - 1
        return min(max(round((scene_frame - self.first_frame) / self.scale), 0), last)

    def error_mm(self) -> np.ndarray:
        """Return the mean error (F,) of each frame of the motion: the largest of the track frames mapped to it."""
        assert self.report is not None, "a fitted figure"
        errors = self.report.keypoint_error_mm
        found = np.full(self.motion.num_frames, np.nan)
        places = np.minimum(np.rint(np.arange(len(errors)) * self.scale).astype(np.int64), len(found) - 1)
        np.fmax.at(found, places, errors)
        if self.scale > 1.0:  # motion frames between two track frames
            nearest = np.rint(np.arange(len(found)) / self.scale).astype(np.int64)
            between = np.setdiff1d(np.arange(len(found)), places)
            found[between] = errors[np.minimum(nearest[between], len(errors) - 1)]
        return found


def store(armature: bpy.types.Object, record: FigureRecord) -> None:
    """Store *record* with *armature*, replacing an earlier one."""
    data = to_bytes(record)
    mark = hashlib.blake2b(data, digest_size=16).hexdigest()
    if RECORD_KEY in armature:
        del armature[RECORD_KEY]  # assigning bytes over bytes would cut them off at the first zero
    armature[RECORD_KEY] = data
    armature[MARK_KEY] = mark
    _cache(mark, from_bytes(data))


def load(armature: bpy.types.Object) -> FigureRecord | None:
    """Return the record of *armature*, None if it has none.

    Raises:
        RecordError: the record is damaged.
    """
    mark = text_of(armature, MARK_KEY)
    if mark in _decoded:
        _decoded.move_to_end(mark)
        return _decoded[mark]
    data = armature.get(RECORD_KEY)
    if data is None:
        return None
    if not isinstance(data, bytes):
        raise RecordError(_fault("bytes", type(data).__name__))
    record = from_bytes(data)
    if mark == hashlib.blake2b(data, digest_size=16).hexdigest():
        _cache(mark, record)
    return record


def adjustable(armature: bpy.types.Object) -> FigureRecord:
    """Return the record of *armature*.

    Raises:
        CoreError: the armature has no record, or a damaged one.
    """
    record = load(armature)
    if record is None:
        raise AdjustmentError(
            f"expected a figure of this add-on, but {armature.name!r} keeps no fitted motion; import its track again"
        )
    return record


_decoded: OrderedDict[str, FigureRecord] = OrderedDict()
"""Recently decoded records by their hash; panels load a record each time they are drawn."""


def _cache(mark: str, record: FigureRecord) -> None:
    _decoded[mark] = record
    while len(_decoded) > _CACHE_SIZE:
        _decoded.popitem(last=False)


def to_bytes(record: FigureRecord) -> bytes:
    """Return *record* as the bytes of an .npz archive."""
    motion, report = record.motion, record.report
    about: dict[str, object] = {
        "version": _VERSION,
        "fps": motion.fps,
        "gender": motion.gender,
        "body": motion.body,
        "skeleton": motion.skeleton.to_json(),
        "first_frame": record.first_frame,
        "track_fps": record.track_fps,
        "source": asdict(record.source),
        "start_s": record.start_s,
    }
    arrays = {"betas": motion.betas, "offset": np.asarray(record.offset, dtype=np.float64)}
    for name, item in (("", motion), ("original_", record.original)):
        if item is not None:
            arrays |= {f"{name}poses": item.poses.astype(np.float32), f"{name}trans": item.trans.astype(np.float32)}
    for name, found in (("", report), ("original_", record.original_report)):
        if found is not None:
            about[f"{name}report"], packed = _packed(found)
            arrays |= {f"{name}{key}": array for key, array in packed.items()}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # uncompressed: motion hardly shrinks, and compressing would block the main thread
    return stream.getvalue()


def _packed(report: FitReport) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Split *report* into values for JSON and arrays."""
    errors = report.point_errors
    about = {
        "point_names": report.point_names,
        "flags": [asdict(flag) for flag in report.flags],
        "stature_m": report.stature_m,
        "sigma_mm": report.sigma_mm,
        "timings_s": report.timings_s,
        "notes": report.notes,
        "point_errors": None if errors is None else {**asdict(errors), "offset_mm": errors.offset_mm.tolist()},
    }
    arrays = {
        "fitted_betas": report.betas,
        "noise_mm": report.noise_mm,
        "point_error_mm": report.point_error_mm.astype(np.float32),
    }
    return about, arrays


_REPORT_ARRAYS = ("fitted_betas", "noise_mm", "point_error_mm")
_ARRAYS = (
    "about", "betas", "offset", "poses", "trans", "original_poses", "original_trans", *_REPORT_ARRAYS,
    *(f"original_{name}" for name in _REPORT_ARRAYS),
)  # fmt: skip


def from_bytes(data: bytes) -> FigureRecord:
    """Return the record that `to_bytes` encoded as *data*.

    Raises:
        RecordError: *data* is damaged, or of a later version.
    """
    arrays = unpack_npz(data, _ARRAYS, where="the figure's record", error=RecordError, max_bytes=_MAX_BYTES)
    try:
        about = _about(arrays["about"])
        if about["version"] != _VERSION:
            raise RecordError(_fault(f"version {_VERSION}", f"version {about['version']}"))
        motion = _motion(arrays, about, "")
        first, now = (_report(arrays, about, prefix) for prefix in ("original_", ""))
        return FigureRecord(
            motion=motion,
            first_frame=_frame(about["first_frame"]),
            source=_source(about["source"]),
            report=now,
            track_fps=_rate(about["track_fps"]),
            offset=_checked(arrays["offset"], (3,), "offset").astype(np.float64),
            original=_motion(arrays, about, "original_") if "original_poses" in arrays else None,
            original_report=first,
            start_s=_time(about.get("start_s", 0.0)),
        )
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as fault:
        if isinstance(fault, RecordError):
            raise
        raise RecordError(_fault("a whole record", f"{type(fault).__name__}: {str(fault)[:120]}")) from fault


def _about(text: np.ndarray) -> dict[str, Any]:
    if text.nbytes > _MAX_ABOUT_BYTES:
        raise RecordError(_fault(f"a description of up to {_MAX_ABOUT_BYTES} bytes", str(text.nbytes)))
    about = json.loads(text.tobytes())
    if not isinstance(about, dict):
        raise RecordError(_fault("an object as its description", type(about).__name__))
    return about


def _motion(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any], prefix: str) -> Motion:
    poses, trans = arrays[f"{prefix}poses"].astype(np.float64), arrays[f"{prefix}trans"].astype(np.float64)
    if len(poses) > _MAX_FRAMES:
        raise RecordError(_fault(f"up to {_MAX_FRAMES} frames", str(len(poses))))
    betas = _checked(arrays["betas"], (NUM_BETAS,), "betas").astype(np.float64)
    fps, gender, body = _rate(about["fps"]), str(about["gender"]), str(about["body"])
    skeleton = Skeleton.from_json(about["skeleton"]) if "skeleton" in about else SMPL  # earlier versions had no other
    return Motion(poses, betas, trans, fps, gender, body, skeleton)


def _report(arrays: Mapping[str, np.ndarray], whole: Mapping[str, Any], prefix: str) -> FitReport | None:
    if f"{prefix}report" not in whole:
        return None
    about = whole[f"{prefix}report"]
    names = tuple(str(name) for name in about["point_names"])
    errors = arrays[f"{prefix}point_error_mm"].astype(np.float64)
    num_frames = len(errors)
    _checked(errors, (num_frames, len(names)), "point_error_mm")
    flags = [
        Flag(str(flag["kind"]), str(flag["what"]), int(flag["first"]), int(flag["last"])) for flag in about["flags"]
    ]
    wrong = [flag for flag in flags if not 0 <= flag.first <= flag.last < num_frames]
    if num_frames == 0 or wrong:
        raise RecordError(_fault(f"flags within {num_frames} frames", str(wrong[:3])))
    return FitReport(
        point_names=names,
        point_error_mm=errors,
        flags=tuple(flags),
        betas=_checked(arrays[f"{prefix}fitted_betas"], (NUM_BETAS,), "fitted_betas").astype(np.float64),
        stature_m=_positive(about["stature_m"]),
        noise_mm=_checked(arrays[f"{prefix}noise_mm"], (len(names),), "noise_mm").astype(np.float64),
        sigma_mm=float(about["sigma_mm"]),
        timings_s={str(step): float(seconds) for step, seconds in about["timings_s"].items()},
        notes=tuple(str(note) for note in about["notes"]),
        point_errors=_point_errors(about.get("point_errors"), len(names)),
    )


def _point_errors(about: Mapping[str, Any] | None, num_points: int) -> PointErrors | None:
    """Return the stored errors of the points; None for records of versions that did not store them."""
    if about is None:
        return None
    offsets = _checked(np.asarray(about["offset_mm"], dtype=np.float64), (num_points,), "offset_mm")
    return PointErrors(float(about["white_mm"]), float(about["smooth_mm"]), float(about["constant_mm"]), offsets)


def _source(about: Mapping[str, Any]) -> FitSource:
    return FitSource(
        file=str(about["file"]),
        number=int(about["number"]),
        reading=ReadOptions(**about["reading"]),
        body=str(about["body"]),
        betas_file=str(about.get("betas_file", "")),
        fit=dict(about["fit"]),
        hands=_hands(about.get("hands", DEFAULT_HANDS)),
    )


def _hands(value: Any) -> str:
    if value not in HANDS:
        raise RecordError(_fault(f"hands {' or '.join(HANDS)}", str(value)[:40]))
    return str(value)


def _checked(array: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if array.shape != shape or array.dtype.kind not in "iuf":
        raise RecordError(_fault(f"{name} {shape}", f"{array.dtype} {array.shape}"))
    return array


def _time(value: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise RecordError(_fault("a finite time", str(value)[:40]))
    return number


def _positive(value: Any) -> float:
    number = float(value)
    if not (np.isfinite(number) and number > 0.0):
        raise RecordError(_fault("a number above 0", str(value)))
    return number


def _rate(value: Any) -> float:
    number = _positive(value)
    if not _FPS[0] <= number <= _FPS[1]:
        raise RecordError(_fault("a frame rate", str(value)))
    return number


def _frame(value: Any) -> int:
    number = int(value)
    if abs(number) > _MAX_FRAME_NUMBER:
        raise RecordError(_fault("the number of a frame", str(value)[:40]))
    return number


def _fault(expected: str, found: str) -> str:
    return f"expected {expected} in the figure's record, found {found}; import the figure again to have one"
