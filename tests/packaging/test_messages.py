"""A message is text for people: nothing is decided by the words of an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_LOOKS = {
    "startswith",
    "endswith",
    "find",
    "index",
    "count",
    "search",
    "match",
    "fullmatch",
    "findall",
    "finditer",
    "partition",
}


def decisions_by_text(source: str) -> Iterator[int]:
    """Yield the lines at which the text of a caught error, ``str(error)``, is compared or searched."""
    for handler in ast.walk(ast.parse(source)):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        text = f"str({handler.name})"
        for node in ast.walk(handler):
            if isinstance(node, ast.Compare):
                looked_at = [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKS:
                looked_at = [node.func.value, *node.args]
            else:
                continue
            if any(ast.unparse(item) == text for item in looked_at):
                yield node.lineno


@pytest.mark.parametrize("folder", ["core", "blender_addon", "training"])
def test_nothing_is_decided_by_the_words_of_an_error(folder: str) -> None:
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in files
        for line in decisions_by_text(path.read_text(encoding="utf-8"))
    ]
    assert files and found == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ('wrong = "--layout" in str(error)', True),
        ('wrong = str(error).startswith("Left out ")', True),
        ("wrong = PATTERN.search(str(error))", True),
        ('reason = str(error).partition(": ")[2]', True),
        ("print(str(error))", False),
        ('wrong = "layout" in error.options', False),
    ],
)
def test_decisions_by_text_are_found(line: str, is_found: bool) -> None:
    assert bool(list(decisions_by_text(f"try:\n    f()\nexcept E as error:\n    {line}"))) == is_found
