"""Commands without Blender: fit a keypoint file to an AMASS .npz, tell what is in one, convert it to plain arrays."""

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
from ..io.protected_files import ProtectedFiles
from ..math.arrays import DEVICES
from ..motion import Motion
from ..person_labels import person_labels
from ..reading import add_reading_arguments, read_all, read_tracks, reading_options
from ..track import KeypointTrack
from .exit_codes import exit_code_of
from .info import run_info

_INPUTS = ("input", "body", "betas", "regressor", "network")
"""The arguments that name files that are read."""
_PROGRAM = "python -m core"
"""The command's name where the package is not installed."""


def main(argv: Sequence[str] | None = None, *, program: str = _PROGRAM) -> int:
    """Run the command line; return the exit code: 0 all well, 1 the input or an option is at fault.

    Args:
        argv: the arguments; those of the process without it.
        program: the command's name, as its help and its errors show it.
    """
    parser = _parser(program)
    args = parser.parse_args(argv)
    return exit_code_of(parser.prog, lambda: args.run(args), interrupted="interrupted; nothing was written")


def _parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    fit = commands.add_parser("fit", help="fit SMPL to a keypoint file; writes an .npz in AMASS layout")
    fit.add_argument("input", type=Path, help="keypoint file, or a folder of one file a frame")
    fit.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz")
    fit.add_argument("--body", metavar="FILE", help="licensed SMPL file (.pkl, .npz); the free body without it")
    fit.add_argument("--regressor", type=Path, metavar="FILE", help="keypoint regressor of that body (.npy)")
    fit.add_argument("--betas", type=Path, metavar="FILE.npy", help="known shape; estimated from the track without it")
    fit.add_argument("--mode", choices=MODES, default="clip", help="all frames at once, or one after the other")
    fit.add_argument(
        "--quality", choices=tuple(QUALITIES), default="balanced",
        help="how much work goes into each frame: fast takes half the time and leaves joints that tremble; best takes "
        "half as much again and draws every frame towards the motion around it, for about a tenth less error",
    )  # fmt: skip
    fit.add_argument(
        "--smoothing", type=float, default=1.0, metavar="0..1", help="how much to smooth the keypoints (default 1)"
    )
    fit.add_argument("--out-fps", type=float, metavar="RATE", help="frame rate of the motion; the track's without it")
    fit.add_argument("--out-up", choices=("Y", "Z"), default="Z", help="up axis of the motion (default Z, as AMASS)")
    fit.add_argument("--device", default="numpy", help=", ".join(DEVICES))
    add_network_arguments(fit)
    fit.add_argument("--report", type=Path, metavar="FILE.json", help="write how well the fit explains the track")
    add_cleanup_arguments(
        fit, CleanupOptions(), "as it is without these options, so that the error reported is that of what is written"
    )
    fit.add_argument("--quiet", action="store_true", help="no progress on standard error")
    add_reading_arguments(fit)
    fit.set_defaults(run=_run_fit)
    info = commands.add_parser("info", help="tell what is in a keypoint file and how it is understood")
    info.add_argument("inputs", type=Path, nargs="+", help="keypoint files")
    info.add_argument("--json", action="store_true", help="as JSON")
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
    _check_places(args, "")
    body = resolve_body(args.body)
    options, cleanup = _fit_options(args, body), cleanup_options(args)
    readings = read_all(args.input, reading_options(args))
    tracks = [reading.track for reading in readings]
    labels = person_labels(tracks)
    for label in labels:
        _check_places(args, label)
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
        output = _labelled(args.output, label)
        motion = _cleaned(motion, track, report, body, cleanup)
        error = _at_rate(report.keypoint_error_mm, motion.num_frames, track.fps / motion.fps)
        _write(output, motion, error, report, body, args.out_up)
        if args.report is not None:
            _write_report(_labelled(args.report, label), report)
        print(
            f"{output}: {motion.num_frames} frames at {motion.fps:g} fps, stature {report.stature_m:.2f} m, "
            f"mean keypoint error {report.mean_error_mm:.1f} mm, "
            f"largest {np.nanmax(report.keypoint_error_mm):.1f} mm in frame {report.worst_frame}"
        )
        if line := report.error_line():
            print(f"  {line}")
        for flag in report.flags:
            print(f"  {flag.kind}: {flag.what}, frames {flag.first} to {flag.last}")
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


def _cleaned(
    motion: Motion, track: KeypointTrack, report: FitReport, body: BodyData, options: CleanupOptions
) -> Motion:
    if options == CleanupOptions():
        return motion
    source = analyse_motion(motion, body, held_joints(report.flags, motion, track.fps))
    if source.holds is None:
        name = track.person or "the person"
        print(f"no foot of {name} ever stands: none is locked, and the floor is below the lowest point of the clip")
    return clean_up(source, options.without_place() if track.root_relative else options)


def _write(output: Path, motion: Motion, error: np.ndarray, report: FitReport, body: BodyData, up: str) -> None:
    rest_pelvis = BodyModel(body).rest_joints(motion.betas.astype(np.float32))[0]
    extra = {name: np.asarray(part) for name, part in report.error_parts_mm().items()}
    write_motion(output, motion, up_axis=up, rest_pelvis=rest_pelvis, extra=extra | {"keypoint_error_mm": error})


def _at_rate(error: np.ndarray, num_frames: int, step: float) -> np.ndarray:
    """Return the error of each of *num_frames* frames, *step* track frames apart, from the nearest in time."""
    nearest = np.minimum((np.arange(num_frames) * step).round().astype(int), len(error) - 1)
    picked: np.ndarray = error[nearest]
    return picked


def _write_report(path: Path, report: FitReport) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report.to_dict(), indent=1, allow_nan=False), encoding="utf-8")


def _run_convert(args: argparse.Namespace) -> int:
    _check_npz(args.output)
    _check_places(args, "")
    tracks = read_tracks(args.input, reading_options(args))
    labels = person_labels(tracks)
    for label in labels:
        _check_places(args, label)
    for track, label in zip(tracks, labels, strict=True):
        output = _labelled(args.output, label)
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
    if output.suffix.lower() != ".npz":
        raise CoreError(f"expected an output that ends in .npz, got {output}; name it {output.with_suffix('.npz')}")


def _check_places(args: argparse.Namespace, label: str) -> None:
    """Refuse, before any work, outputs that cannot be files or would replace an input or each other."""
    files = vars(args)
    taken = {Path(files[name]): f"the {name}" for name in _INPUTS if files.get(name)}
    for name in ("output", "report"):
        if not files.get(name):
            continue
        path = _labelled(files[name], label)
        if path.is_dir():
            raise CoreError(f"expected a file for the {name}, found a folder at {path}; name a file in it")
        ProtectedFiles(taken).check(path, f"the {name}")
        taken[path] = f"the {name}"


def _labelled(path: Path, label: str) -> Path:
    return path.with_name(f"{path.stem}_{label}{path.suffix}") if label else path


class _Progress:
    """One line on a terminal, rewritten; a line per step elsewhere."""

    def __init__(self, label: str, *, quiet: bool) -> None:
        self._label = f"{label}: " if label else ""
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._last_what = ""
        self._last_time = 0.0

    def __call__(self, done: int, total: int, what: str) -> bool:
        now = time.monotonic()
        fresh = what != self._last_what
        if self._quiet or not (fresh or (self._live and now - self._last_time > 0.1)):
            return True
        self._last_what, self._last_time = what, now
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
