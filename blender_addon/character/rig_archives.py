"""``python -m blender_addon.character.rig_archives FILE... -o FOLDER``: characters at rest as .npz, without Blender.

`training.evaluate_retarget` and other programs without Blender read them (`core.retarget.rig_file`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..core_access import EXIT_FAILED, CoreError, OutputError, exit_code_of, say, write_rig
from .file import open_character
from .opening import CHARACTERS
from .read_rig import read_rig


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code, not 0 if a file could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m blender_addon.character.rig_archives", description="Write characters at rest as .npz files."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=", ".join(CHARACTERS))
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="a folder without them")
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: write_archives(options.files, options.output))


def write_archives(files: Sequence[Path], folder: Path) -> int:
    """Write the character of each file to NAME.npz in *folder*; a line on standard error tells which cannot be read.

    Replaces the open scene. Returns the exit code.

    Raises:
        OutputError: an archive exists, or two files have the same name.
    """
    archives = [folder / f"{path.stem}.npz" for path in files]
    taken = [path.name for path in archives if path.exists() or archives.count(path) > 1]
    if taken:
        raise OutputError(f"expected a new file for each character in {folder}, found {', '.join(sorted(set(taken)))}")
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    for path, archive in zip(files, archives, strict=True):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        try:
            write_rig(archive, read_rig(open_character(path)))
        except CoreError as error:
            failed = True
            say(f"left out: {error}", file=sys.stderr)
    return EXIT_FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
