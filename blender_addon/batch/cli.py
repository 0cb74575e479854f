"""The command line: keypoint files and folders in, animation files out.

python -m blender_addon INPUT... -o OUT [--formats blend fbx ...]          with bpy from PyPI
blender --background --command smplify INPUT... -o OUT                     with the extension enabled
blender --background --python-exit-code 1 --python run_in_blender.py -- INPUT... -o OUT
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core_access import (
    AS_RECORDED,
    DEVICES,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    PLANTED,
    REPORT_SUFFIX,
    SUMMARY_NAME,
    TRACK_SUFFIXES,
    BatchError,
    BatchOptions,
    CoreError,
    InputMissingError,
    RetargetOptions,
    add_batch_arguments,
    add_convert_arguments,
    batch_command,
    check_options,
    convert_options,
    join_signed_axis,
    named_points_file,
    raise_on_interrupt,
    read_bone_map,
    say,
    say_error,
)
from ..torch_access import HAS_TORCH_BACKEND, torch_python_for
from .character_check import check_character_file
from .inputs import ANIMATION_SUFFIXES, ARMATURE_SUFFIXES, is_armature
from .worker_process import WorkerProcess

FORMAT_NAMES = ("blend", "fbx", "glb", "bvh", "usd", "npz", "mot", "trc")
CHARACTER_FORMATS = ("blend", "fbx", "glb")
_RETARGET = ("feet", "hands", "steps", "fingers", "root_motion", "controls")
EXIT_USAGE = 2
_LARGEST_FRAME = 1_048_574
"""Blender's last frame."""
_WORKER = "--worker"

_TORCH_PYTHON = (
    "a Python that has PyTorch, for devices other than numpy (default: the one set in the preferences, else this one)"
)
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
        args = _parser(prog).parse_args(join_signed_axis(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    raise_on_interrupt()
    try:
        options = _options(args, protected or {})
        check_character_file(options.convert)
        return batch_command(args.inputs, args.output, options, WorkerProcess)
    except CoreError as error:
        say_error(prog, error)
        return EXIT_USAGE
    except OSError as error:
        say(f"{prog}: {error}; check {args.output}, its permissions and the space left", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(f"{prog}: interrupted; run it again to continue", file=sys.stderr)
        return EXIT_INTERRUPTED


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
    if "usd" in args.formats:
        check_formats(args.formats, has_usd=_has_usd())
    options = replace(
        convert_options(args),
        torch_python=torch_python_for(args.device, args.torch_python),
        formats=tuple(dict.fromkeys(args.formats)),
        up_axis="",
        first_frame=args.start_frame,
        correctives=args.correctives,
        **_character_options(args),
    ).resolved()
    check_options(options)
    suffixes = (*TRACK_SUFFIXES, *ANIMATION_SUFFIXES) if args.character else TRACK_SUFFIXES
    protected = {**protected, **named_points_file(args)}
    return BatchOptions(
        options, args.jobs, overwrite=args.overwrite, protected=protected, suffixes=suffixes, shard=args.shard
    )


def _character_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that concern the character, by their names in `ConvertOptions`.

    Raises:
        CoreError: they do not fit each other, or the files are missing or malformed.
    """
    given = {name: getattr(args, name) for name in _RETARGET if getattr(args, name) is not None}
    if args.character is None:
        if given or args.bones is not None:
            raise BatchError("expected --character FILE with the options for a character, found none; give the file")
        return {}
    others = [kind for kind in args.formats if kind not in CHARACTER_FORMATS]
    if others:
        raise BatchError(
            f"expected formats out of {', '.join(CHARACTER_FORMATS)} for a character, found {', '.join(others)}"
        )
    path, armature = args.character, ""
    if "#" in path and not Path(path).exists():
        path, _, armature = path.rpartition("#")
    if not Path(path).is_file():
        raise InputMissingError(f"expected a file at {path}, found none")
    if not is_armature(Path(path)):
        raise BatchError(f"expected a character in one of {', '.join(ARMATURE_SUFFIXES)}, found {path}")
    if args.bones is not None:
        read_bone_map(Path(args.bones))
    RetargetOptions(**{name: value for name, value in given.items() if name != "controls"})  # checks the values
    return {"character": path, "armature": armature, "bones": args.bones or "", "retarget": given}


def check_formats(formats: Sequence[str], *, has_usd: bool) -> None:
    """Refuse USD where Blender was built without it.

    Raises:
        BatchError: this Blender cannot write one of *formats*.
    """
    if "usd" in formats and not has_usd:
        raise BatchError(
            "expected formats that this Blender writes, found usd, without which it was built; leave it out, or use "
            "Blender from blender.org or the bpy module"
        )


def _has_usd() -> bool:
    """Return whether Blender has USD; without any Blender the worker says what is missing."""
    try:
        import bpy
    except ImportError:
        return True
    return bool(bpy.app.build_options.usd)


def _steps(text: str) -> str | float:
    """Return the length of steps: "leg", "same" or a factor."""
    try:
        return text if text in ("leg", "same") else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected leg, same or a factor, got {text!r}") from None


def _add_character_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("your own character")
    group.add_argument(
        "--character", metavar="FILE[#ARMATURE]",
        help="put the motions onto this character (.fbx, .glb, .gltf, .vrm, .blend) and write it instead of the "
        f"figures; formats: {', '.join(CHARACTER_FORMATS)}. The inputs may then be animation files too "
        f"({', '.join(ANIMATION_SUFFIXES)}), whose armatures are put onto it at the file's own rate",
    )  # fmt: skip
    group.add_argument("--bones", metavar="FILE", help="bone map of the character as JSON (default: detected)")
    group.add_argument("--feet", type=float, metavar="X", help="how firmly feet are planted, 0 to 1 (default: 1)")
    group.add_argument("--hands", type=float, metavar="X", help="how firmly hands keep contacts, 0 to 1 (default: 1)")
    group.add_argument("--steps", type=_steps, help="length of steps: leg, same or a factor (default: leg)")
    group.add_argument(
        "--fingers", choices=("follow", "leave", "relaxed"), help="what the fingers do (default: follow)"
    )
    group.add_argument(
        "--root-motion", choices=("hips", "bone", "object"),
        help="what carries the path: the hips, the bone above them, or the object (default: hips)",
    )  # fmt: skip
    group.add_argument(
        "--controls", choices=("fk", "ik"),
        help="which controls of a control rig its limbs follow; both are keyed (default: fk)",
    )  # fmt: skip


def _frame(text: str) -> int | str:
    if text == AS_RECORDED:
        return text
    try:
        frame = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a frame or {AS_RECORDED}, got {text!r}") from None
    if abs(frame) > _LARGEST_FRAME:
        raise argparse.ArgumentTypeError(f"expected a frame from -{_LARGEST_FRAME} to {_LARGEST_FRAME}, got {text}")
    return frame


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Fit SMPL figures to files of 3D keypoints and write them as animation files.",
        epilog=f"A report (NAME{REPORT_SUFFIX}) is written beside each input's outputs; {SUMMARY_NAME} sums up all "
        "inputs. Inputs that are converted and unchanged are skipped.",
    )
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT",
        help="keypoint file, or a folder of them; or a file with an animated armature "
        f"({', '.join(ARMATURE_SUFFIXES)}), whose joints are fitted, or with --character put onto it",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for the results")
    parser.add_argument(
        "--formats", nargs="+", choices=FORMAT_NAMES, default=["blend"], metavar="FORMAT",
        help=f"formats to write: {', '.join(FORMAT_NAMES)} (default: blend)",
    )  # fmt: skip
    parser.add_argument(
        "--start-frame", type=_frame, default=1, metavar="N",
        help="frame at which the motions begin in .blend, .fbx and .usd files (default: %(default)s); "
        f"{AS_RECORDED}: as late after frame 1 as the input begins in its recording, where it has times. Each file has "
        "the motion's own rate and range, see --out-fps",
    )  # fmt: skip
    parser.add_argument(
        "--correctives", action="store_true",
        help="write the pose correctives of the figures as shape keys with animated values into .fbx, .glb and .usd "
        "files; .blend files always have them",
    )  # fmt: skip
    add_convert_arguments(
        parser, PLANTED,
        "by default feet are locked and stand on the floor, since sliding feet are rarely wanted; the motion is not "
        "smoothed again, since the fit has already smoothed the points according to their noise",
        devices=DEVICES if HAS_TORCH_BACKEND else DEVICES[:1],
    )  # fmt: skip
    # Every edition accepts it, so that the error is about the device, and says which edition has it.
    parser.add_argument(
        "--torch-python", type=Path, metavar="FILE", help=_TORCH_PYTHON if HAS_TORCH_BACKEND else argparse.SUPPRESS
    )
    _add_character_arguments(parser)
    add_batch_arguments(parser)
    return parser
