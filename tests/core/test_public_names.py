"""The public interface of the package: its names, their documentation, and that importing it alone is cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import core

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import sys
import core
print(*(name for name in sys.modules if name.startswith(("core.", "numpy", "torch", "bpy"))))
core.fit_track
print("core.fit.clip" in sys.modules, "torch" in sys.modules)
"""


def imported_for_type_checkers() -> dict[str, str]:
    """Return the module of each name that ``core/__init__.py`` imports under ``if TYPE_CHECKING``."""
    tree = ast.parse((ROOT / "core" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {alias.name: node.module for node in block.body for alias in node.names}  # type: ignore[attr-defined]


def test_what_runs_is_what_a_type_checker_sees():
    assert imported_for_type_checkers() == core._MODULE_OF
    assert core.__all__ == sorted({*core._MODULE_OF, "__version__"}, key=lambda name: (not name.isupper(), name))


@pytest.mark.parametrize("name", core.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(core, name)
    if name == "__version__":
        assert re.fullmatch(r"\d+\.\d+\.\d+", value)
        return
    assert f"`{name}`" in core.__doc__
    if callable(value):
        assert value.__module__.startswith("core.") and value.__name__ == name
        assert value.__doc__ and not value.__doc__.startswith(f"{name}("), "dataclasses make a docstring of their own"


def test_the_documentation_names_nothing_else():
    assert set(re.findall(r"`(\w+)`", core.__doc__)) == set(core._MODULE_OF) | {"core", "learnable_smplify"}


def test_the_package_alone_loads_nothing():
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "True False"]


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'core' has no attribute 'fit_tracks'"):
        core.fit_tracks  # noqa: B018 - reading it is the test
    assert {*core.__all__, "__doc__"} <= set(dir(core))
