"""The guide names what the extension and the commands have: labels, reasons of flags, options, modules."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE = sorted((REPOSITORY / "docs" / "guide").glob("*.md"))
PAGES = [*GUIDE, REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
NOT_SHOWN = {"Body", "Keypoints", "Kind", "First Frame", "Last Frame", "Keys Were Edited", "Trouble", "Stretch", "Bone",
             "Other Bones", "Confidence"}  # fmt: skip
"""Names of properties that the boxes draw without a name, or not at all."""
MOST_BYTES, MOST_BYTES_TOGETHER = 150_000, 1_000_000


@cache
def texts_in(place: str) -> set[str]:
    """Return the string literals of a module, or of all modules in a folder, without docstrings."""
    found: set[str] = set()
    start = REPOSITORY / place
    for path in [start] if start.is_file() else start.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)
        found |= {node.value for node in constants if isinstance(node.value, str)}
    return found


@cache
def labels() -> set[str]:
    """Return what buttons, menus and boxes are called; of a text with a value in it, what stands before that."""
    return {re.split(r":? \{", text)[0] for text in texts_in("blender_addon")}


def bold_in(page: Path) -> set[str]:
    """Return what is in bold on *page*, outside blocks of code."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {" ".join(label.split()) for label in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)}


@pytest.mark.parametrize("page", GUIDE, ids=lambda path: path.stem)
def test_what_is_bold_is_a_label_of_the_extension(page: Path) -> None:
    assert sorted(bold_in(page) - labels()) == []


def test_the_labels_are_looked_up() -> None:
    assert len(bold_in(REPOSITORY / "docs" / "guide" / "sidebar.md")) > 60
    assert {"Foot Lock", "Mean error", "Doubtful stretches", "1. Track"} <= labels()
    assert not {"Foot Locking", "Sketch", "Fit an SMPL figure"} & labels()


def test_every_setting_of_the_boxes_is_explained() -> None:
    files = [
        REPOSITORY / "blender_addon" / box / "properties.py"
        for box in ("track", "body", "fit", "result", "character", "export", "live")
    ]
    declared = "".join(path.read_text(encoding="utf-8") for path in files)
    settings = set(re.findall(r'name="([^"]+)"', declared)) - NOT_SHOWN
    assert len(settings) > 30
    assert sorted(settings - set().union(*(bold_in(page) for page in GUIDE))) == []


def test_every_reason_of_a_flag_is_explained() -> None:
    source = (REPOSITORY / "blender_addon" / "result" / "flag_list.py").read_text(encoding="utf-8")
    (reasons,) = re.findall(r"^_WHY = (\{.*?^\})", source, re.MULTILINE | re.DOTALL)
    text = (REPOSITORY / "docs" / "guide" / "sidebar.md").read_text(encoding="utf-8")
    found = list(ast.literal_eval(reasons).values())
    assert len(found) == 5
    assert [reason for reason in found if f"| {reason} |" not in text] == []


def test_every_doubt_of_a_character_is_explained() -> None:
    tree = ast.parse((REPOSITORY / "core" / "retarget" / "report.py").read_text(encoding="utf-8"))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_doubts")
    texts = [call.args[0] for call in ast.walk(function) if isinstance(call, ast.Call) and call.args
             and isinstance(call.func, ast.Attribute) and call.func.attr == "append"]  # fmt: skip
    parts = [[part.value for part in ast.walk(text) if isinstance(part, ast.Constant)] for text in texts]
    found = [max(part, key=len).strip(" .:") for part in parts]
    guide = (REPOSITORY / "docs" / "guide" / "character.md").read_text(encoding="utf-8")
    assert len(found) == 6
    assert [text for text in found if text not in guide] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_option_and_module_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = set().union(*map(texts_in, ("core", "blender_addon", "training", "build_addon.py")))
    program = r"-m (?:core|blender_addon|training)|build_addon|--command smplify"
    commands = re.findall(rf"^.*(?:{program}).*$", text, re.MULTILINE)
    options = {option for line in commands for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", line)}
    assert sorted(options - known - {"--background", "--command", "--python"}) == []
    for module in re.findall(r"-m ((?:core|blender_addon|training)[\w.]*)", text):
        path = REPOSITORY.joinpath(*module.rstrip(".").split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page.name} names {module}"


def test_the_pictures_are_small_and_each_is_shown() -> None:
    pictures = sorted((REPOSITORY / "docs" / "pictures").iterdir())
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in pictures if f"pictures/{path.name})" not in text] == []
    sizes = [path.stat().st_size for path in pictures]
    assert max(sizes) <= MOST_BYTES and sum(sizes) <= MOST_BYTES_TOGETHER
