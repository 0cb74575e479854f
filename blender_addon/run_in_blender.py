"""The command line for a Blender in which the extension is not enabled.

    blender --background --python-exit-code 1 --python run_in_blender.py -- INPUT... -o OUT

Blender runs this file by its path, outside any package, so the package around it is loaded by its path too.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def _load_package(name: str, folder: Path) -> None:
    """Load the package in *folder* as *name*, unless a package of that name is loaded already."""
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def run() -> int:
    """Run the command line on what stands after ``--``; return its exit code."""
    if not (_FOLDER / "core").is_dir():
        _load_package("core", _FOLDER.parent / "core")
    _load_package("blender_addon", _FOLDER)
    from blender_addon.cli import main

    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return main(arguments, prog="run_in_blender.py")


if __name__ == "__main__":
    sys.exit(run())
