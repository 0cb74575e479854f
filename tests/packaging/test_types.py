"""Types are checked in the core, the add-on and the training, and across the boundary between add-on and core."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")

REPOSITORY = Path(__file__).resolve().parents[2]
CORE_ACCESS = REPOSITORY / "blender_addon" / "core_access.py"

CALLS = """
from pathlib import Path
from blender_addon.core_access import FitOptions, fit_track, read_tracks, resolve_body
track, body = read_tracks(Path("walk.trc"))[0], resolve_body(None)
motion, report = fit_track(track, body, FitOptions(quality="fast"))
frames: int = motion.num_frames
error: float = report.mean_error_mm
"""
WRONG_CALLS = {
    "fit_track(track)": "call-arg",
    "fit_track(track, body, 3)": "arg-type",
    'fit_track(Path("walk.trc"), body)': "arg-type",
    "FitOptions(quality=1)": "arg-type",
    "motion.shape": "attr-defined",
    "text: str = report.mean_error_mm": "assignment",
}
"""What each of these lines after those is: mypy's name of the error."""


def check(program: str, folder: Path) -> dict[int, str]:
    """Return what mypy says of *program*, kept in *folder*, with the repository's settings, by line number."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    said = re.findall(r"program\.py:(\d+): (.*)$", done.stdout, re.MULTILINE)
    assert len(said) == len(done.stdout.splitlines()) and not done.stderr, done.stdout + done.stderr
    assert done.returncode == any(text.startswith("error: ") for _, text in said)
    return {int(line): text for line, text in said}


def names_of(branch: list[ast.stmt], prefix: str) -> set[tuple[str, str]]:
    """Return the names that a branch of `core_access` imports, each with its module below the core."""
    found = set()
    for node in branch:
        assert isinstance(node, ast.ImportFrom)
        module = "." * node.level + (node.module or "") + "."
        assert module.startswith(prefix)
        found |= {(module.removeprefix(prefix)[:-1], item.name) for item in node.names if item.asname is None}
    return found


def branches() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return what `core_access` takes from the core beside the add-on, and from the copy inside it."""
    tree = ast.parse(CORE_ACCESS.read_text(encoding="utf-8"))
    (choice,) = (node for node in tree.body if isinstance(node, ast.If))
    return names_of(choice.body, "core."), names_of(choice.orelse, ".core.")


def test_the_settings_cover_core_addon_and_training() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert {"core", "blender_addon", "training"} <= set(settings["files"])
    assert re.search(r"python\" -m mypy$", (REPOSITORY / ".ci" / "test").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_addon_takes_the_same_names_from_either_core() -> None:
    beside, inside = branches()
    assert beside == inside
    assert ("fit", "fit_track") in beside


def test_the_addon_sees_the_types_of_all_that_it_takes_from_the_core(tmp_path: Path) -> None:
    names = sorted(name for _, name in branches()[0])
    lines = [f"reveal_type(core_access.{name})" for name in names]
    said = check("\n".join(["from blender_addon import core_access", *lines]), tmp_path)
    shown = {name: said[line] for line, name in enumerate(names, 2)}
    assert "track: core.track.KeypointTrack, body: core.body.data.BodyData" in shown["fit_track"]
    assert [name for name, text in shown.items() if 'Revealed type is "Any"' in text] == []


def test_a_wrong_call_across_the_boundary_is_an_error_and_a_right_one_is_not(tmp_path: Path) -> None:
    said = check(CALLS + "\n".join(WRONG_CALLS), tmp_path)
    first = CALLS.count("\n") + 1
    assert {line: text.rpartition("[")[2].rstrip("]") for line, text in said.items()} == dict(
        enumerate(WRONG_CALLS.values(), first)
    )
