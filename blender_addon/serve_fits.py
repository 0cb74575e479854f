"""The script of the fitting process: a Python that has PyTorch runs this file by its path.

    python serve_fits.py '{"packages": {"core": ".../core/__init__.py", ...}, "idle_s": 600}'

The small pure-Python packages that the core needs need not be installed there: they are loaded from where the add-on
has them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from run_in_blender import load_package  # type: ignore[import-not-found]  # it lies beside this script

_FOLDER = Path(__file__).resolve().parent


def run() -> int:
    """Load the packages by their paths, and serve; return the exit code."""
    # The folder of this file has modules whose names are common words; nothing else may take them for its own.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != _FOLDER]
    settings = json.loads(sys.argv[1])
    for name, file in settings["packages"].items():
        load_package(name, Path(file))
    load_package("blender_addon", _FOLDER / "__init__.py")
    from blender_addon.torch_backend.server import serve

    return serve(settings["idle_s"])


if __name__ == "__main__":
    sys.exit(run())
