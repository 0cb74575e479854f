"""Commands without Blender: fit SMPL to keypoint files, print what a file contains, or convert it to plain arrays."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..batch import REPORT_SUFFIX, SUMMARY_NAME, BatchError, BatchOptions
from ..batch.python_worker import PythonWorker
from ..cleanup import CleanupOptions
from ..convert_options import FORMATS
from ..errors import CoreError
from ..io.own_files import write_own_json, write_own_npz
from ..math.arrays import check_device
from ..person_labels import labelled, person_labels
from ..pipeline import FittedPerson, check_options, clean_person, read_input, write_person
from ..printable import printable, say
from ..reading import add_reading_arguments, join_signed_axis, read_tracks, reading_options
from ..track import KeypointTrack
from .arguments import (
    add_batch_arguments,
    add_convert_arguments,
    add_overwrite_argument,
    convert_options,
    named_points_file,
)
from .batch import batch_command
from .exit_codes import exit_code_of, raise_on_interrupt
from .info import run_info
from .live import add_live_arguments, add_send_arguments, run_send
from .names_template import TO_STANDARD_OUTPUT, write_names_template
from .outputs import Outputs, check_suffix

_INPUTS = ("input", "body", "betas", "regressor", "network", "prior", "names", "static")
"""The arguments that name input files."""
_OUTPUTS = ("output", "report")
"""The arguments that name output files."""
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
    args = parser.parse_args(join_signed_axis(sys.argv[1:] if argv is None else argv))
    raise_on_interrupt()
    if args.run in (_run_info, run_send):
        return exit_code_of(parser.prog, lambda: args.run(args))
    if args.run is _run_fit and _names_folder(args.output):
        return exit_code_of(parser.prog, lambda: _run_batch(args), interrupted="interrupted; run it again to continue")
    outputs = Outputs(_inputs(args), overwrite=args.overwrite)
    return exit_code_of(parser.prog, lambda: args.run(args, outputs), interrupted=outputs.interrupted)


def _inputs(args: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that are read, by role."""
    given = {name: vars(args).get(name) for name in _INPUTS}
    return {
        f"the {name}": [Path(path) for path in (value if isinstance(value, list) else [value])]
        for name, value in given.items()
        if value
    }


def _names_folder(output: str) -> bool:
    """Return whether the output of ``fit`` names a folder, which makes it a batch."""
    if not output or Path(output).suffix.lower().lstrip(".") in FORMATS:
        return False
    return not os.path.basename(output) or os.path.isdir(output) or not Path(output).suffix


def _parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_fit(commands.add_parser(
        "fit", help="fit SMPL to keypoint files; writes .npz files in AMASS layout, or OpenSim's .mot and .trc",
        description="Fit SMPL to a keypoint file and write OUT.npz (AMASS), OUT.mot (OpenSim's joint angles) or "
        "OUT.trc (points of the body). A motion that another tool solved is taken as it is. With a folder as OUT, fit "
        "many files: the tree "
        f"below each input folder is kept, a report (NAME{REPORT_SUFFIX}) is written beside each output, "
        f"{SUMMARY_NAME} sums up all inputs, and inputs that are done and unchanged are skipped.",
    ))  # fmt: skip
    info = commands.add_parser("info", help="print what a keypoint file contains and how it is interpreted")
    info.add_argument("inputs", type=Path, nargs="+", help="keypoint files")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.add_argument(
        "--names-template", nargs="?", const=TO_STANDARD_OUTPUT, metavar="OUT.json",
        help="instead write what the points of the one file are recognised as, to be edited and given with --names; "
        "without OUT.json print it",
    )  # fmt: skip
    add_reading_arguments(info)
    info.set_defaults(run=_run_info)
    convert = commands.add_parser("convert", help="write the keypoints as plain arrays (.npz, metres, Y up)")
    convert.add_argument("input", type=Path)
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz")
    add_reading_arguments(convert)
    add_overwrite_argument(convert)
    convert.set_defaults(run=_run_convert)
    add_live_arguments(commands.add_parser("live", help="fit points as they are sent, and send the poses on"))
    add_send_arguments(commands.add_parser("send", help="play a keypoint file to a live session"))
    return parser


def _add_fit(fit: argparse.ArgumentParser) -> None:
    """Add the arguments of the command ``fit`` to its parser."""
    fit.add_argument(
        "input", type=Path, nargs="+", metavar="INPUT",
        help="keypoint file, or a folder with one file per frame; for a batch also folders of these, and several",
    )  # fmt: skip
    fit.add_argument(
        "-o", "--output", required=True, metavar="OUT",
        help="a file OUT.npz, OUT.mot or OUT.trc; or, for a batch, a folder: it exists, ends in a separator or has no "
        "suffix",
    )  # fmt: skip
    fit.add_argument(
        "--formats", nargs="+", choices=FORMATS, metavar="FORMAT",
        help=f"formats to write with a folder as OUT: {', '.join(FORMATS)} (default: npz)",
    )  # fmt: skip
    fit.add_argument("--out-up", choices=("Y", "Z"), default="Z", help="up axis of the motion (default Z, as in AMASS)")
    fit.add_argument(
        "--report", type=Path, metavar="FILE.json", help="write the fit's errors and flags; not in a batch"
    )
    fit.add_argument("--quiet", action="store_true", help="print no progress on standard error")
    add_convert_arguments(
        fit, CleanupOptions(),
        "off by default, for one file and for many, so that the reported error is that of the written motion; "
        "Blender's batch locks feet and puts them on the floor",
    )  # fmt: skip
    add_batch_arguments(fit, "with a folder as OUT")
    fit.add_argument(
        "--scheduler", default="", metavar="FILE_OR_ADDRESS",
        help="in a batch, let the workers of a Dask cluster convert; needs the extra 'cluster'",
    )  # fmt: skip
    fit.set_defaults(run=_run_fit)


def _run_info(args: argparse.Namespace) -> int:
    if args.names_template is not None:
        if len(args.inputs) > 1:
            raise CoreError(f"expected one file for --names-template, got {len(args.inputs)}; give one")
        return write_names_template(args.inputs[0], reading_options(args), args.names_template)
    return run_info(args.inputs, reading_options(args), sys.stdout, as_json=args.json)


def _run_batch(args: argparse.Namespace) -> int:
    if args.report is not None:
        raise BatchError(
            f"expected no --report for a batch, got {args.report}; leave it out: each output has a report beside it"
        )
    formats = tuple(dict.fromkeys(args.formats or ("npz",)))
    options = replace(convert_options(args), up_axis=args.out_up, formats=formats).resolved()
    check_options(options)
    if not args.scheduler:  # the machines of a cluster have devices of their own
        check_device(options.fit.device)
    batch = BatchOptions(
        options,
        jobs=args.jobs,
        overwrite=args.overwrite,
        shard=args.shard,
        scheduler=args.scheduler,
        protected=named_points_file(args),
    )
    return batch_command(args.input, Path(args.output), batch, PythonWorker, quiet=args.quiet)


def _run_fit(args: argparse.Namespace, outputs: Outputs) -> int:
    if len(args.input) > 1:
        raise BatchError(f"expected a folder for the outputs of {len(args.input)} inputs, got {args.output}; give one")
    if args.formats:
        raise BatchError(f"expected --formats with a folder as OUT alone, got {args.output}; its suffix is its format")
    args.input, args.output = args.input[0], Path(args.output)
    check_suffix(args.output, FORMATS)
    outputs.check(_files(args, ""))
    options = replace(convert_options(args), up_axis=args.out_up)
    given = read_input(args.input, options)
    outputs.plan(_files(args, label) for label in given.labels)
    for note in given.readings[0].people_left_out:
        say(note)
    for reading, label in zip(given.readings, given.labels, strict=True):
        for doubt in (doubt for doubt in reading.track.doubts if doubt not in reading.people_left_out):
            say(f"Doubt{f' ({label})' if label else ''}: {doubt}")
    people = []
    for number, label in enumerate(given.labels):
        progress = _Progress(label, quiet=args.quiet)
        people.append(given.fit_person(number, progress))
        progress.end()
    for person in people:
        motion, notes = clean_person(person, options.cleanup)
        for note in notes:
            say(note)
        output = labelled(args.output, person.label)
        write_person(output, person, motion, up_axis=options.up_axis, layout=options.npz_layout)
        if args.report is not None:
            write_own_json(labelled(args.report, person.label), person.report.to_dict())
        _print_result(output, person)
    return 0


def _print_result(output: Path, person: FittedPerson) -> None:
    motion, report = person.motion, person.report
    errors = f"as {person.solved_by} solved it"
    if not person.solved_by:
        errors = (
            f"mean keypoint error {report.mean_error_mm:.1f} mm, "
            f"largest {np.nanmax(report.keypoint_error_mm):.1f} mm in frame {report.worst_frame}, counted from 0"
        )
    say(f"{output}: {motion.num_frames} frames at {motion.fps:g} fps, stature {report.stature_m:.2f} m, {errors}")
    if line := report.error_line():
        say(f"  {line}")
    for flag in report.flags[:_MAX_FLAGS]:
        say(f"  {flag.kind}: {flag.what}, frames {flag.first} to {flag.last}")
    if len(report.flags) > _MAX_FLAGS:
        say(f"  and {len(report.flags) - _MAX_FLAGS} more; --report FILE.json writes all of them")


def _run_convert(args: argparse.Namespace, outputs: Outputs) -> int:
    check_suffix(args.output)
    outputs.check(_files(args, ""))
    tracks = read_tracks(args.input, reading_options(args))
    labels = person_labels(tracks)
    outputs.plan(_files(args, label) for label in labels)
    for track, label in zip(tracks, labels, strict=True):
        output = labelled(args.output, label)
        _write_track(output, track)
        say(f"{output}: {track.num_frames} frames of {track.layout.title} at {track.fps:g} fps, metres, Y up")
    return 0


def _write_track(output: Path, track: KeypointTrack) -> None:
    arrays = {
        "positions": track.positions,
        "confidence": track.confidence,
        "fps": np.array(track.fps),
        "layout": np.array(track.layout.name),
        "names": np.array(track.layout.names),
        **({"start_s": np.array(track.start_s)} if track.start_s else {}),
    }
    write_own_npz(output, arrays)


def _files(args: argparse.Namespace, label: str) -> dict[str, Path]:
    """Return the files that are written for the person *label*, by role."""
    given = vars(args)
    return {f"the {name}": labelled(Path(given[name]), label) for name in _OUTPUTS if given.get(name)}


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
        text = printable(f"{self._label}{what}")
        if self._live:
            print(f"\r\x1b[K{text} {done / max(total, 1):.0%}", end="", file=sys.stderr, flush=True)
        else:
            say(text, file=sys.stderr)
        return True

    def end(self) -> None:
        """Clear the line."""
        if self._live and not self._quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
