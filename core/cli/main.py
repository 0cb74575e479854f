"""Commands without Blender: fit SMPL to a keypoint file, print what a file contains, or convert it to plain arrays."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..amass import write_motion
from ..body.betas_file import read_betas
from ..body.catalog import resolve_body
from ..body.data import BodyData
from ..body.model import BodyModel
from ..body.smpl_file import read_regressor
from ..cleanup import CleanupOptions, add_cleanup_arguments, analyse_motion, clean_up, cleanup_options, held_joints
from ..errors import CoreError
from ..fit import FitOptions, FitReport, fit_track
from ..fit.arguments import add_network_arguments, network_options
from ..fit.options import MODES
from ..fit.quality import QUALITIES
from ..io.atomic_files import atomic_path
from ..io.protected_files import check_outputs
from ..math.arrays import DEVICES
from ..motion import Motion
from ..person_labels import person_labels
from ..reading import add_reading_arguments, read_all, read_tracks, reading_options
from ..track import KeypointTrack
from .exit_codes import exit_code_of
from .info import run_info

_INPUTS = ("input", "body", "betas", "regressor", "network")
"""The arguments that name input files."""
_PROGRAM = "python -m core"
"""The command's name when the package is not installed."""

_MAX_FLAGS = 20
"""How many flags are printed for a person."""


def main(argv: Sequence[str] | None = None, *, program: str = _PROGRAM) -> int:
    """Run the command line and return the exit code: 0 on success, 1 for a bad input or option.

    Args:
        argv: the arguments; those of the process when None.
        program: the command's name in its help and error messages.
    """
    parser = _parser(program)
    args = parser.parse_args(argv)
    return exit_code_of(parser.prog, lambda: args.run(args), interrupted="interrupted; nothing was written")


def _parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    fit = commands.add_parser("fit", help="fit SMPL to a keypoint file; writes an .npz in AMASS layout")
    fit.add_argument("input", type=Path, help="keypoint file, or a folder with one file per frame")
    fit.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz")
    fit.add_argument("--body", metavar="FILE", help="licensed SMPL file (.pkl, .npz); default: the free body")
    fit.add_argument("--regressor", type=Path, metavar="FILE", help="keypoint regressor for that body (.npy)")
    fit.add_argument("--betas", type=Path, metavar="FILE.npy", help="known shape; default: estimated from the track")
    fit.add_argument("--mode", choices=MODES, default="clip", help="fit all frames at once, or one after the other")
    fit.add_argument(
        "--quality", choices=tuple(QUALITIES), default="balanced",
        help="work per frame: fast takes half the time but leaves joint jitter; best takes half as long again and "
        "refines every frame towards the motion around it, for about a tenth less error",
    )  # fmt: skip
    fit.add_argument(
        "--smoothing", type=float, default=1.0, metavar="0..1", help="how much to smooth the keypoints (default 1)"
    )
    fit.add_argument("--out-fps", type=float, metavar="RATE", help="frame rate of the motion; default: the track's")
    fit.add_argument("--out-up", choices=("Y", "Z"), default="Z", help="up axis of the motion (default Z, as in AMASS)")
    fit.add_argument("--device", default="numpy", help="where to compute: " + ", ".join(DEVICES) + " (default numpy)")
    add_network_arguments(fit)
    fit.add_argument("--report", type=Path, metavar="FILE.json", help="write the fit's errors and flags")
    add_cleanup_arguments(
        fit, CleanupOptions(), "off by default, so that the reported error is that of the written motion"
    )
    fit.add_argument("--quiet", action="store_true", help="print no progress on standard error")
    add_reading_arguments(fit)
    fit.set_defaults(run=_run_fit)
    info = commands.add_parser("info", help="print what a keypoint file contains and how it is interpreted")
    info.add_argument("inputs", type=Path, nargs="+", help="keypoint files")
    info.add_argument("--json", action="store_true", help="print JSON")
    add_reading_arguments(info)
    info.set_defaults(run=_run_info)
    convert = commands.add_parser("convert", help="write the keypoints as plain arrays (.npz, metres, Y up)")
    convert.add_argument("input", type=Path)
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz")
    add_reading_arguments(convert)
    convert.set_defaults(run=_run_convert)
    return parser


def _run_info(args: argparse.Namespace) -> int:
    return run_info(args.inputs, reading_options(args), sys.stdout, as_json=args.json)


def _run_fit(args: argparse.Namespace) -> int:
    _check_npz(args.output)
    _check_outputs(args, "")
    body = resolve_body(args.body)
    options, cleanup = _fit_options(args, body), cleanup_options(args)
    readings = read_all(args.input, reading_options(args))
    tracks = [reading.track for reading in readings]
    labels = person_labels(tracks)
    for label in labels:
        _check_outputs(args, label)
    for note in readings[0].people_left_out:
        print(note)
    for track, label in zip(tracks, labels, strict=True):
        for doubt in track.doubts:
            print(f"Doubt{f' ({label})' if label else ''}: {doubt}")
    fits = []
    for track, label in zip(tracks, labels, strict=True):
        progress = _Progress(label, quiet=args.quiet)
        fits.append(fit_track(track, body, options, progress))
        progress.end()
    for track, label, (motion, report) in zip(tracks, labels, fits, strict=True):
        output = _with_label(args.output, label)
        motion = _clean_up(motion, track, report, body, cleanup)
        error = _resample_error(report.keypoint_error_mm, motion.num_frames, track.fps / motion.fps)
        _write(output, motion, error, report, body, args.out_up)
        if args.report is not None:
            _write_report(_with_label(args.report, label), report)
        print(
            f"{output}: {motion.num_frames} frames at {motion.fps:g} fps, stature {report.stature_m:.2f} m, "
            f"mean keypoint error {report.mean_error_mm:.1f} mm, "
            f"largest {np.nanmax(report.keypoint_error_mm):.1f} mm in frame {report.worst_frame}"
        )
        if line := report.error_line():
            print(f"  {line}")
        for flag in report.flags[:_MAX_FLAGS]:
            print(f"  {flag.kind}: {flag.what}, frames {flag.first} to {flag.last}")
        if len(report.flags) > _MAX_FLAGS:
            print(f"  and {len(report.flags) - _MAX_FLAGS} more; --report FILE.json writes all of them")
    return 0


def _fit_options(args: argparse.Namespace, body: BodyData) -> FitOptions:
    betas = None if args.betas is None else read_betas(args.betas)
    regressor = None if args.regressor is None else read_regressor(args.regressor, len(body.v_template))
    return FitOptions(
        mode=args.mode,
        betas=betas,
        regressor=regressor,
        smoothing=args.smoothing,
        quality=args.quality,
        fps=args.out_fps,
        device=args.device,
        **network_options(args),
    )


def _clean_up(
    motion: Motion, track: KeypointTrack, report: FitReport, body: BodyData, options: CleanupOptions
) -> Motion:
    if options == CleanupOptions():
        return motion
    source = analyse_motion(motion, body, held_joints(report.flags, motion, track.fps))
    if source.holds is None:
        name = track.person or "the person"
        print(f"no foot of {name} ever stands: none is locked, and the floor is at the clip's lowest point")
    return clean_up(source, options.without_place() if track.root_relative else options)


def _write(output: Path, motion: Motion, error: np.ndarray, report: FitReport, body: BodyData, up: str) -> None:
    rest_pelvis = BodyModel(body).rest_joints(motion.betas.astype(np.float32))[0]
    extra = {name: np.asarray(part) for name, part in report.error_parts_mm().items()}
    write_motion(output, motion, up_axis=up, rest_pelvis=rest_pelvis, extra=extra | {"keypoint_error_mm": error})


def _resample_error(error: np.ndarray, num_frames: int, step: float) -> np.ndarray:
    """Return the errors (num_frames,) at frames *step* track frames apart, each from the nearest track frame."""
    nearest = np.minimum((np.arange(num_frames) * step).round().astype(int), len(error) - 1)
    picked: np.ndarray = error[nearest]
    return picked


def _write_report(path: Path, report: FitReport) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report.to_dict(), indent=1, allow_nan=False), encoding="utf-8")


def _run_convert(args: argparse.Namespace) -> int:
    _check_npz(args.output)
    _check_outputs(args, "")
    tracks = read_tracks(args.input, reading_options(args))
    labels = person_labels(tracks)
    for label in labels:
        _check_outputs(args, label)
    for track, label in zip(tracks, labels, strict=True):
        output = _with_label(args.output, label)
        _write_track(output, track)
        print(f"{output}: {track.num_frames} frames of {track.layout.title} at {track.fps:g} fps, metres, Y up")
    return 0


def _write_track(output: Path, track: KeypointTrack) -> None:
    with atomic_path(output) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream,
            positions=track.positions,
            confidence=track.confidence,
            fps=np.array(track.fps),
            layout=np.array(track.layout.name),
            names=np.array(track.layout.names),
        )


def _check_npz(output: Path) -> None:
    if not output.name:
        raise CoreError(f"expected the name of a file that ends in .npz, got {output}, a folder; name a file in it")
    if output.suffix.lower() != ".npz":
        raise CoreError(f"expected an output that ends in .npz, got {output}; name it {output.with_suffix('.npz')}")


def _check_outputs(args: argparse.Namespace, label: str) -> None:
    """Refuse, before the fit, outputs that are folders or would replace an input or each other."""
    files = vars(args)
    outputs = {f"the {name}": _with_label(files[name], label) for name in ("output", "report") if files.get(name)}
    check_outputs(outputs, {f"the {name}": Path(files[name]) for name in _INPUTS if files.get(name)})


def _with_label(path: Path, label: str) -> Path:
    return path.with_name(f"{path.stem}_{label}{path.suffix}") if label else path


class _Progress:
    """Print progress: one line on a terminal, rewritten in place; elsewhere one line per step."""

    def __init__(self, label: str, *, quiet: bool) -> None:
        self._label = f"{label}: " if label else ""
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._last_step = ""
        self._last_time = 0.0

    def __call__(self, done: int, total: int, what: str) -> bool:
        now = time.monotonic()
        is_new_step = what != self._last_step
        if self._quiet or not (is_new_step or (self._live and now - self._last_time > 0.1)):
            return True
        self._last_step, self._last_time = what, now
        text = f"{self._label}{what}"
        if self._live:
            print(f"\r\x1b[K{text} {done / max(total, 1):.0%}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
        return True

    def end(self) -> None:
        """Clear the line."""
        if self._live and not self._quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
