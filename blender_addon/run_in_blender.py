"""Run the command line in a Blender in which the extension is not enabled.

    blender --background --python-exit-code 1 --python run_in_blender.py -- INPUT... -o OUT

Blender runs this file by its path, outside any package, so it loads the package around it by path too.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def load_package(name: str, file: Path) -> None:
    """Load *file*, a package's ``__init__.py`` or a module, as *name*, unless that name is already loaded."""
    if name in sys.modules:
        return
    folders = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a Python file at {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def run() -> int:
    """Run the command line with the arguments after ``--``; return its exit code."""
    if not (_FOLDER / "core").is_dir():
        load_package("core", _FOLDER.parent / "core" / "__init__.py")
    load_package("blender_addon", _FOLDER / "__init__.py")
    from blender_addon.batch.cli import main
    from blender_addon.project_files import project_paths

    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return main(arguments, prog="run_in_blender.py", protected=project_paths())


if __name__ == "__main__":
    sys.exit(run())
