"""The core can be imported with only NumPy and the pure-Python wheels that it is shipped with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = ("bpy", "mathutils", "torch", "smplx", "scipy", "chumpy", "pandas", "blender_addon", "training")

PROGRAM = """
import importlib, importlib.abc, pkgutil, sys

blocked = set(sys.argv[1].split(","))

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in blocked:
            raise ImportError(f"{fullname} is blocked")
        return None

sys.meta_path.insert(0, Blocker())
import core
names = [info.name for info in pkgutil.walk_packages(core.__path__, "core.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(",".join(names))
"""


def _run(blocked: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, ",".join(blocked)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_core_module_imports_without_the_heavy_packages():
    result = _run(BLOCKED)
    assert result.returncode == 0, result.stderr
    files = {path for path in (ROOT / "core").rglob("*.py") if path.name != "__init__.py"}
    expected = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert expected <= set(result.stdout.strip().split(","))


def test_blocked_import_fails():
    result = _run(("numpy",))
    assert result.returncode != 0
    assert "numpy is blocked" in result.stderr
