"""Every block of Python and every command of the pages for scripts and of the guide runs as it stands there."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.blender_addon.walk import part_of_the_walk

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "python.md"
AUTOMATION_PAGE = REPOSITORY / "docs" / "automation.md"
GUIDE = REPOSITORY / "docs" / "guide"
COMMAND_PAGES = (PAGE, AUTOMATION_PAGE, GUIDE / "batch.md", GUIDE / "opensim.md")
PROGRAM_PAGES = [GUIDE / f"{name}.md" for name in ("unreal", "unity", "mixamo", "vrm")]
# Blender as a module has no program's command line and no extensions: it gets the add-on and its command otherwise.
LEAVE = "import os, sys\nsys.stdout.flush()\nos._exit(0)\n"
"""Blender's module can end with a crash when all is done; what was asked for must be done by then."""
ENABLED = "import blender_addon\nblender_addon.register()\n"
PROGRAMS = {
    "blender --background --command smplify": f"{sys.executable} -m blender_addon",
    "python": sys.executable,
}


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


COMMANDS = list(
    dict.fromkeys(line for page in COMMAND_PAGES for block in blocks("bash", page) for line in block.splitlines())
)
NUM_FRAMES = 90
BLOCKS = [(page, block) for page in (PAGE, AUTOMATION_PAGE) for block in blocks("python", page)]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the beginning of each sample: what the pages do does not depend on the length of a clip."""
    samples = tmp_path / "samples"
    samples.mkdir()
    for name in ("walk.trc", "walk_wrong_units.trc"):
        part_of_the_walk(samples / name, 0, NUM_FRAMES, sample=name)
    write_arrays(samples / "walk.npz", NUM_FRAMES)
    assert sorted(path.name for path in samples.iterdir()) == sorted(os.listdir(REPOSITORY / "samples"))
    return tmp_path


def write_arrays(path: Path, num_frames: int) -> None:
    """Write the first frames of the sample in arrays to *path*."""
    with np.load(REPOSITORY / "samples" / "walk.npz") as whole:
        arrays = {name: whole[name] for name in whole.files}
    np.savez(path, **{name: array[:num_frames] if array.ndim else array for name, array in arrays.items()})


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


@pytest.mark.parametrize(
    "block", [block for _, block in BLOCKS], ids=[f"{page.stem}-{number}" for number, (page, _) in enumerate(BLOCKS, 1)]
)
def test_a_python_block_runs(block: str, folder: Path) -> None:
    if "import bpy" in block:
        need_bpy()
        block = f"{ENABLED}{block}\n{LEAVE}"
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


FIT = """
import bpy
bpy.ops.smplify.open_track(filepath="short.npz", wait=True)
bpy.ops.smplify.fit()
"""


def test_the_exports_of_the_pages_for_programs_run_after_a_fit(folder: Path) -> None:
    need_bpy()
    exports = [block for page in PROGRAM_PAGES for block in blocks("python", page)]
    # On the pages they are steps of a list.
    exports += [
        line
        for page in PROGRAM_PAGES
        for line in re.findall(r"^ +(bpy\.ops\..*)$", page.read_text(encoding="utf-8"), re.M)
    ]
    assert len(exports) == len(PROGRAM_PAGES)
    write_arrays(folder / "short.npz", 20)
    run([sys.executable, "-c", f"{ENABLED}{FIT}" + "\n".join(exports) + f"\n{LEAVE}"], folder)
    names = re.findall(r'filepath="([^"]+)"', "".join(exports))
    assert [name for name in names if not (folder / name).stat().st_size > 1000] == []


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
