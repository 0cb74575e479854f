"""What must not stand in any file of the repository, and what must."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import core

REPOSITORY = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "blender_addon", "core", "training", "tests", "build_addon.py", "README.md",
    ".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "pyproject.toml", "constraints.txt", "requirements",
    "LICENSE", "NOTICE", "CHANGELOG.md", "samples", "docs",
}  # fmt: skip
LARGEST_BYTES = 1_000_000
WEIGHTS_FOLDERS, LARGEST_WEIGHTS_BYTES = ("core/network/assets", "training/weights"), 30_000_000


def pattern_of(*alternatives: str) -> str:
    """Join *alternatives*, written with a ~ inside, so that this file does not hold what it looks for."""
    return "(?:" + "|".join(alternatives).replace("~", "") + ")"


MACHINE_PATHS = re.compile(r"(?<![\w.$}>])/" + pattern_of("ro~ot", "wo~rk", r"home/\w+", r"Users/\w+") + "/")
PACKAGE_HOSTS = re.compile(pattern_of(r"pypi~\.org", "python~hosted", r"debian~\.org", r"pytorch~\.org/whl"))
TORCH_INDEX_FILE = "blender_addon/torch_backend/builds.py:"
UNFINISHED = re.compile(r"\b" + pattern_of("TO~DO", "FIX~ME", "XX~X", "raise ~NotImplementedError") + r"\b")


def tracked_files() -> list[Path]:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]


def findings(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(REPOSITORY)
        found += [
            f"{name}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if pattern.search(line)
        ]
    return found


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, PACKAGE_HOSTS, UNFINISHED], ids=["paths", "hosts", "unfinished"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    found = findings(pattern)
    assert [text for text in found if pattern is not PACKAGE_HOSTS or not text.startswith(TORCH_INDEX_FILE)] == []


def test_the_one_file_with_an_index_names_pytorchs_own_alone() -> None:
    """The add-on has to tell pip where the builds are that the usual index does not have."""
    found = [text for text in findings(PACKAGE_HOSTS) if text.startswith(TORCH_INDEX_FILE)]
    assert len(found) == 1 and 'INDEX = "https://download.' in found[0]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATHS, "open('/ro~ot/x')"),
        (PACKAGE_HOSTS, "https://pypi~.org/simple"),
        (UNFINISHED, "# TO~DO later"),
        (UNFINISHED, "raise ~NotImplementedError"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text.replace("~", ""))
    assert not pattern.search(text)


def test_the_top_level_holds_only_what_is_agreed() -> None:
    assert {path.relative_to(REPOSITORY).parts[0] for path in tracked_files()} <= TOP_LEVEL


def test_the_version_stands_in_one_place() -> None:
    """The wheel, the extension's manifest and the reports take it from there."""
    version = re.compile(rf"version[\W_]{{0,6}}[=:]\s*[\"']?{re.escape(core.__version__)}\b", re.IGNORECASE)
    found = [text.partition(":")[0] for text in findings(version)]
    assert found == ["core/__init__.py"]
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d[\d.]*)", changes, re.MULTILINE)[0] == core.__version__


def test_no_tracked_file_is_large() -> None:
    for path in tracked_files():
        is_weights = path.relative_to(REPOSITORY).parent.as_posix() in WEIGHTS_FOLDERS
        assert path.stat().st_size <= (LARGEST_WEIGHTS_BYTES if is_weights else LARGEST_BYTES), path.name


def test_the_commands_of_the_readme_exist() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    scripts = re.findall(r"bash (\.ci/[\w-]+)", readme)
    modules = set(re.findall(r"python(?:3\.11|\.exe)? -m ((?:core|blender_addon|training)[\w.]*)", readme))
    files = set(re.findall(r"(?:samples|requirements)/[\w.-]+\.\w+", readme)) | {"constraints.txt"}
    assert scripts[:2] == [".ci/demo", ".ci/test"]
    assert all((REPOSITORY / name).is_file() for name in (*scripts, *files))
    for module in modules:
        path = REPOSITORY.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"README names {module}"
