"""The script of the fitting process: a Python that has PyTorch runs this file by its path.

    python serve_fits.py '{"packages": {"core": ".../core/__init__.py", ...}, "idle_s": 600}'

The small pure-Python packages that the core needs are loaded from the add-on's copies, so they need not be installed in
that Python.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def run() -> int:
    """Load the packages by their paths, and serve; return the exit code."""
    # This folder is not on the path: it contains modules with common names.
    load_package = runpy.run_path(str(_FOLDER / "run_in_blender.py"))["load_package"]
    settings = json.loads(sys.argv[1])
    for name, file in settings["packages"].items():
        load_package(name, Path(file))
    load_package("blender_addon", _FOLDER / "__init__.py")
    from blender_addon.torch_backend.server import serve

    return serve(settings["idle_s"])


if __name__ == "__main__":
    sys.exit(run())
