"""Every block of docs/python.md and every command of the guide's page on batches runs as it stands there."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "python.md"
BATCH_PAGE = REPOSITORY / "docs" / "guide" / "batch.md"
# Blender as a module has no program's command line and no extensions: it gets the add-on and its command otherwise.
ENABLED = "import blender_addon\nblender_addon.register()\n"
PROGRAMS = {
    "blender --background --command smplify": f"{sys.executable} -m blender_addon",
    "python": sys.executable,
}


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


COMMANDS = [line for page in (PAGE, BATCH_PAGE) for block in blocks("bash", page) for line in block.splitlines()]


@pytest.fixture
def folder(tmp_path) -> Path:
    shutil.copytree(REPOSITORY / "samples", tmp_path / "samples")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def need_bpy() -> None:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs Blender's Python module")


def test_the_page_has_blocks_of_all_kinds() -> None:
    assert len(blocks("python")) >= 6
    assert len(COMMANDS) >= 9
    assert set(re.findall(r"^```(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == {"python", "bash"}


@pytest.mark.parametrize("block", blocks("python"), ids=range(1, len(blocks("python")) + 1))
def test_a_python_block_runs(block: str, folder: Path) -> None:
    if "import bpy" in block:
        need_bpy()
        # Blender's module can end with a crash when all is done; what was asked for must be done by then.
        block = f"{ENABLED}{block}\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n"
    run([sys.executable, "-c", block], folder)

    for name in re.findall(r'(?:export\(filepath=|write_motion\()"([^"]+)"', block):
        assert (folder / name).stat().st_size > 1000, name


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str, folder: Path) -> None:
    if "-m core" not in command:
        need_bpy()
    for shown, program in PROGRAMS.items():
        if command.startswith(f"{shown} "):
            command = program + command.removeprefix(shown)
            break
    words = shlex.split(command)
    run(words, folder)

    if "-o" in words:
        assert (folder / words[words.index("-o") + 1]).exists()


LIST_OPERATORS = """
import bpy, json, os, sys
found = {}
for name in dir(bpy.ops.smplify):
    if "INTERNAL" in getattr(getattr(bpy.types, f"SMPLIFY_OT_{name}"), "bl_options", ()):
        continue
    properties = getattr(bpy.ops.smplify, name).get_rna_type().properties
    found[name] = [[item.identifier, item.is_hidden] for item in properties if item.identifier != "rna_type"]
print(json.dumps(found))
sys.stdout.flush()
os._exit(0)
"""
OF_THE_FILE_BROWSER = {"filter_glob", "check_existing"}


def test_the_table_names_every_operator_with_its_arguments(folder: Path) -> None:
    need_bpy()
    rows = re.findall(r"^\|(.+?)\|.+?\|(.*?)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {
        name: set(re.findall(r"`([a-z_]+)`", arguments))
        for names, arguments in rows
        for name in re.findall(r"`smplify\.(\w+)`", names)
    }
    there_are = json.loads(run([sys.executable, "-c", ENABLED + LIST_OPERATORS], folder).splitlines()[-1])

    assert set(documented) == set(there_are)
    for name, arguments in documented.items():
        known = {identifier for identifier, _ in there_are[name]}
        shown = {identifier for identifier, hidden in there_are[name] if not hidden} - OF_THE_FILE_BROWSER
        extra = {"which"} if name == "go_to_worst" else set()
        assert shown <= arguments <= known | extra, name
