"""The release command: notes of the right version, checksums that others can check, and nothing replaced."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

import build_addon
import core

REPOSITORY = Path(__file__).resolve().parents[2]
CHANGELOG = """# Changes

## 2.1.0, unreleased

- New.

## 2.0.0, 2026-11-01

- Larger
  files.

### Fixed

- A crash.

## 2.0, 2025-01-01

## 1.0.0, 2024-01-01

- First.
"""


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The script of the folder .ci, which is no package."""
    spec = importlib.util.spec_from_file_location("release_script", REPOSITORY / ".ci" / "release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_notes_are_the_section_of_the_version(release: ModuleType) -> None:
    notes = release.release_notes(CHANGELOG, "2.0.0", is_draft=False)
    assert notes == "- Larger\n  files.\n\n### Fixed\n\n- A crash.\n"
    assert release.release_notes(CHANGELOG, "1.0.0", is_draft=False) == "- First.\n"


def test_the_changelog_of_the_repository_has_notes(release: ModuleType) -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert release.release_notes(text, core.__version__, is_draft=True).startswith("- ")


@pytest.mark.parametrize(
    ("version", "words"), [("2.1.0", "'unreleased'"), ("2.0", "found none"), ("3.0.0", "found none")]
)
def test_a_version_that_is_not_ready_has_no_notes(release: ModuleType, version: str, words: str) -> None:
    with pytest.raises(build_addon.BuildError, match=words):
        release.release_notes(CHANGELOG, version, is_draft=False)


def test_a_draft_may_be_unreleased(release: ModuleType) -> None:
    assert release.release_notes(CHANGELOG, "2.1.0", is_draft=True) == "- New.\n"


def test_the_checksums_are_those_of_all_files(release: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    for name in ("b.zip", "a.whl", "repository/index.json"):
        (tmp_path / name).write_bytes(name.encode())
    text = release.checksums(tmp_path)
    names = ["a.whl", "b.zip", "repository/index.json"]
    assert text == "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names)
    if shutil.which("sha256sum"):
        (tmp_path / "SUMS").write_text(text, encoding="utf-8")
        subprocess.run(["sha256sum", "--check", "--strict", "SUMS"], cwd=tmp_path, capture_output=True, check=True)


def test_a_folder_that_exists_is_left_alone(
    release: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.main(["--website", "https://example.org", "--output", str(tmp_path), "--draft"]) == 1
    assert "name another one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing(release: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["--website", "no address", "--output", str(tmp_path / "new"), "--draft"]) == 1
    assert "https://" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed")
def test_the_repository_names_the_zip_beside_it(release: ModuleType, tmp_path: Path) -> None:
    website = "https://example.org/smplify"
    path = build_addon.build(tmp_path, cache=REPOSITORY / ".cache" / "wheels", website=website)
    folder = tmp_path / "repository"
    release.make_repository(path, folder)
    (entry,) = json.loads((folder / "index.json").read_text(encoding="utf-8"))["data"]
    assert (entry["id"], entry["version"], entry["website"]) == ("learnable_smplify", core.__version__, website)
    assert entry["archive_url"] == f"./{path.name}"
    copied = (folder / path.name).read_bytes()
    assert entry["archive_size"] == len(copied)
    assert entry["archive_hash"] == f"sha256:{hashlib.sha256(copied).hexdigest()}"
    assert path.name in (folder / "index.html").read_text(encoding="utf-8")


def test_the_wheel_is_built_from_what_its_own_test_builds_it_from(release: ModuleType) -> None:
    text = (REPOSITORY / "tests" / "packaging" / "test_distribution.py").read_text(encoding="utf-8")
    (sources,) = re.findall(r"^SOURCES = \((.*)\)$", text, re.MULTILINE)
    assert set(release.SOURCES) == {"core", *re.findall(r'"([^"]+)"', sources)}
