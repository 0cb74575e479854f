"""The fitting process uses the core that the extension carries, wherever Blender installed it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import build_addon
from tests.conftest import REPOSITORY

FIT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from bl_ext.user_default.some_id import core_access
from bl_ext.user_default.some_id.torch_backend.client import FitServer
from bl_ext.user_default.some_id.torch_backend.fitting import end_servers, run_fit
from bl_ext.user_default.some_id.core_access import FitOptions, ReadOptions, fit_track, read_tracks, resolve_body

assert core_access.VENDORED and "core" not in sys.modules
track = read_tracks(Path(sys.argv[2]), ReadOptions())[0]
body, options = resolve_body(None), FitOptions(device="cpu", quality="fast")
there, _ = run_fit(track, body, options, python=Path(sys.executable))
end_servers()
here, _ = fit_track(track, body, options)
assert type(there) is type(here) and (there.poses == here.poses).all() and (there.trans == here.trans).all()
print("the same")
"""


def test_the_core_inside_the_extension_fits(torch_python: Path, tmp_path: Path) -> None:
    package = tmp_path / "bl_ext" / "user_default" / "some_id"
    for name, content in build_addon.zip_entries(REPOSITORY, [], build_addon.EDITIONS["gpu"]).items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    arguments = [str(tmp_path), str(REPOSITORY / "samples" / "walk.trc")]
    run = subprocess.run(
        [torch_python, "-c", FIT, *arguments], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "the same", run.stderr
    assert not list(package.rglob("acceleration/__pycache__/server*")), "the other Python writes nothing there"
