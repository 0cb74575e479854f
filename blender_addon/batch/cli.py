"""The command line: keypoint files and folders in, animation files out.

python -m blender_addon INPUT... -o OUT [--formats blend fbx ...]          with bpy from PyPI
blender --background --command smplify INPUT... -o OUT                     with the extension enabled
blender --background --python-exit-code 1 --python run_in_blender.py -- INPUT... -o OUT
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core_access import (
    DEVICES,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    QUALITIES,
    CoreError,
    add_cleanup_arguments,
    add_reading_arguments,
    cleanup_options,
    reading_options,
)
from ..torch_backend.choice import torch_python_for
from .jobs import REPORT_SUFFIX, SUMMARY_NAME, ConvertOptions, plan_jobs
from .runner import BatchOptions, run_batch

FORMAT_NAMES = ("blend", "fbx", "glb", "bvh", "usd", "npz")
EXIT_USAGE = 2
_WORKER = "--worker"

_MISSING_LIBRARY = (
    "Blender's Python module cannot be loaded: {error}\n"
    "It needs libraries of the desktop that this system does not have. On Debian and Ubuntu:\n"
    "  apt-get install libx11-6 libxext6 libxrender1 libxfixes3 libxi6 libxxf86vm1 libsm6 libice6 libxkbcommon0 libgl1 "
    "libgomp1"
)
_MISSING_BPY = (
    "this Python ({python}) has no Blender module. Install it (4.2 to 5.0 for Python 3.11, 5.1 and later for 3.13):\n"
    "  python3.11 -m pip install bpy==4.5.15\n"
    "or run the command in a Blender that has the extension: blender --background --command smplify ..."
)


def main(
    argv: Sequence[str] | None = None,
    prog: str = "python -m blender_addon",
    protected: Mapping[Path, str] | None = None,
) -> int:
    """Run the command line.

    Args:
        argv: the arguments; those of the process by default.
        prog: the program name in messages.
        protected: files that must not be overwritten, each with its role; inside Blender the files of the open
            project.

    Returns:
        The exit code: 0 for success, 1 if an input failed, 2 for wrong usage, 130 if interrupted.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    if list(argv) == [_WORKER]:
        return _serve()
    try:
        args = _parser(prog).parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    _raise_on_interrupt()
    try:
        options = _options(args, protected or {})
        jobs = plan_jobs(args.inputs, args.output)
        outcomes = run_batch(jobs, args.output, options)
    except CoreError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"{prog}: {error}; check {args.output}, its permissions and the space left", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(f"{prog}: interrupted; run it again to continue", file=sys.stderr)
        return EXIT_INTERRUPTED
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    skipped = [outcome for outcome in outcomes if outcome.status == "skipped"]
    print(
        f"{len(outcomes) - len(failed) - len(skipped)} converted, {len(skipped)} unchanged, {len(failed)} failed; "
        f"see {args.output / SUMMARY_NAME}",
        file=sys.stderr,
    )
    return EXIT_FAILED if failed else 0


def _raise_on_interrupt() -> None:
    """Make SIGINT (Ctrl-C) and SIGTERM raise KeyboardInterrupt; Blender's own handler only records them.

    A signal that the parent process set to be ignored stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _serve() -> int:
    """Run as a worker, which does not return. If Blender's module cannot be loaded, say what is missing."""
    try:
        import bpy  # noqa: F401 - checks whether it can be loaded
    except ModuleNotFoundError as error:
        if error.name != "bpy":
            raise
        print(_MISSING_BPY.format(python=sys.executable), file=sys.stderr)
        return EXIT_USAGE
    except ImportError as error:
        print(_MISSING_LIBRARY.format(error=error), file=sys.stderr)
        return EXIT_USAGE
    from .worker import serve

    serve()


def _options(args: argparse.Namespace, protected: Mapping[Path, str]) -> BatchOptions:
    convert = ConvertOptions(
        formats=tuple(dict.fromkeys(args.formats)),
        reading=reading_options(args),
        body=str(args.body.resolve()) if args.body else "",
        betas=str(args.betas.resolve()) if args.betas else "",
        quality=args.quality,
        device=args.device,
        torch_python=torch_python_for(args.device, args.torch_python),
        cleanup=cleanup_options(args),
    )
    return BatchOptions(convert=convert, jobs=args.jobs, force=args.force, protected=protected)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text}")
    return number


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Fit SMPL figures to files of 3D keypoints and write them as animation files.",
        epilog=f"A report (NAME{REPORT_SUFFIX}) is written beside each input's outputs; {SUMMARY_NAME} sums up all "
        "inputs. Inputs that are converted and unchanged are skipped.",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="keypoint file, or a folder of them")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for the results")
    parser.add_argument(
        "--formats", nargs="+", choices=FORMAT_NAMES, default=["blend"], metavar="FORMAT",
        help=f"formats to write: {', '.join(FORMAT_NAMES)} (default: blend)",
    )  # fmt: skip
    add_reading_arguments(parser)
    fit = parser.add_argument_group("fitting")
    fit.add_argument("--body", type=Path, metavar="FILE", help="an SMPL body (.pkl or .npz; default: the free body)")
    fit.add_argument("--betas", type=Path, metavar="FILE.npy", help="the shape, if it is known (10 numbers)")
    fit.add_argument(
        "--quality", choices=tuple(QUALITIES), default=ConvertOptions().quality,
        help="fast takes half the time and leaves jitter; best takes half as much again, for about a tenth less error "
        "(default: balanced)",
    )  # fmt: skip
    fit.add_argument("--device", default="numpy", metavar="NAME", help=f"{', '.join(DEVICES)} (default: numpy)")
    fit.add_argument(
        "--torch-python", type=Path, metavar="FILE",
        help="a Python that has PyTorch, for devices other than numpy (default: the one set in the preferences, else "
        "this one)",
    )  # fmt: skip
    add_cleanup_arguments(
        parser, ConvertOptions().cleanup,
        "by default feet are locked and stand on the floor, since sliding feet are rarely wanted; the motion is not "
        "smoothed again, since the fit has already smoothed the points according to their noise",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="number of inputs to convert in parallel (default: 1)"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="convert inputs again that are already done, and replace files that this tool did not write or that were "
        "changed since",
    )
    return parser
