"""Convert files of the CMU Graphics Lab Motion Capture Database to motions in AMASS layout.

    python -m training.prepare_cmu FOLDER [--output data/cmu] [--fps 30] [--collection CMU]

FOLDER is searched for cgspeed's BVH files (SUBJECT_CLIP.bvh) and for Acclaim files as CMU publishes them (SUBJECT.asf
beside SUBJECT_CLIP.amc). The motions are Y up, with SMPL's joints and zero betas; clavicles and hands do not move.

The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF
EIA-0196217. It is free for all uses, but may not be resold as data.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.amass import write_motion
from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.cli.exit_codes import EXIT_FAILED, exit_code_of
from core.errors import CoreError, InputMissingError
from core.io.own_files import OVERWRITE_HELP
from core.motion import Motion

from .cmu.actor import actor_to_motion
from .cmu.asf_amc import AMC_BONES, read_asf_amc
from .cmu.bvh import BVH_BONES, read_cmu_bvh
from .outputs import check_files

HOW_TO_GET = (
    "download cgspeed's BVH conversion of CMU's motions (search for 'cgspeed CMU BVH conversion'), or .asf and .amc "
    "files from http://mocap.cs.cmu.edu, and unpack them there"
)


def convert(path: Path, body: BodyData, fps: float | None) -> Motion:
    """Convert one .bvh or .amc file to a motion; the .asf of an .amc lies beside it and is named after its subject.

    Args:
        path: the file.
        body: the body whose leg length and pelvis the motion is scaled to.
        fps: frame rate to resample the motion to; None for the file's own.

    Raises:
        CoreError: a file is missing, damaged, or has another skeleton.
    """
    if path.suffix.lower() == ".bvh":
        motion = actor_to_motion(read_cmu_bvh(path), BVH_BONES, body, str(path))
    else:
        skeleton = path.with_name(f"{subject_and_clip(path)[0]}.asf")
        motion = actor_to_motion(read_asf_amc(skeleton, path), AMC_BONES, body, str(path))
    return motion if fps is None else motion.resampled(fps)


def subject_and_clip(path: Path) -> tuple[str, str]:
    """Return subject and clip from a file name, ``02_05.bvh``; without an _, the folder names the subject."""
    subject, underscore, clip = path.stem.partition("_")
    return (subject, clip.replace("_", "-")) if underscore else (path.parent.name, path.stem)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code: 1 if any file could not be converted."""
    parser = argparse.ArgumentParser(prog="python -m training.prepare_cmu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the .bvh, or .asf and .amc files; searched recursively")
    parser.add_argument("--output", type=Path, default=Path("data/cmu"), metavar="FOLDER")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    parser.add_argument(
        "--fps", type=float, default=30.0, help="frame rate to write; 0 for the files' own (default 30)"
    )
    parser.add_argument("--collection", default="CMU", metavar="NAME", help="first part of the output names")
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".bvh", ".amc"))
    if not paths:
        raise InputMissingError(f"expected .bvh or .amc files in {options.folder}, found none; {HOW_TO_GET}")
    targets = {path: _target(path, options) for path in paths}
    skeletons = [path for path in options.folder.rglob("*") if path.suffix.lower() == ".asf"]
    check_files(
        {"a clip": set(targets.values())}, {"the recordings": [*paths, *skeletons]}, overwrite=options.overwrite
    )
    body = load_free_body()
    failed, frames = 0, 0
    for path in paths:
        try:
            motion = convert(path, body, options.fps or None)
        except CoreError as error:
            failed += 1
            print(f"left out: {error}", file=sys.stderr)
            continue
        target = targets[path]
        write_motion(target, replace(motion, gender="neutral"), up_axis="Y")
        frames += motion.num_frames
        print(f"{path} -> {target}: {motion.num_frames} frames, {motion.fps:g} fps")
    print(f"{len(paths) - failed} clips, {frames} frames in {options.output}; {failed} left out")
    return EXIT_FAILED if failed else 0


def _target(path: Path, options: argparse.Namespace) -> Path:
    """Return the output file of a recording."""
    subject, clip = subject_and_clip(path)
    target: Path = options.output / f"{options.collection}_{subject}_{clip}_poses.npz"
    return target


if __name__ == "__main__":
    sys.exit(main())
