"""The requirement files, the pins, and what an environment made from them holds."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENT_FILES = sorted((REPOSITORY / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = {
    "torch": ["torch"],
    "train": ["train"],
    "cluster": ["cluster"],
    "blender": ["blender", "blender-4.2", "blender-5.0", "blender-5.2"],
}
"""The requirement files whose pins each extra of pyproject.toml must allow."""
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][A-Za-z0-9.]*)( *; *(?P<marker>.+))?")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lines_of(path: Path) -> list[tuple[str, str]]:
    """Return (text, comment) of each line that is not only a comment."""
    parts = (line.partition("#") for line in path.read_text(encoding="utf-8").splitlines())
    return [(text.strip(), comment.strip()) for text, _, comment in parts if text.strip()]


def pins() -> dict[str, set[str]]:
    """Return the versions that constraints.txt gives each package; two where Pythons differ."""
    found: dict[str, set[str]] = {}
    for text, _ in lines_of(REPOSITORY / "constraints.txt"):
        match = PIN.fullmatch(text)
        assert match, f"constraints.txt: expected name==version, got {text!r}"
        versions = found.setdefault(normal(match["name"]), set())
        assert match["marker"] or not versions, f"constraints.txt pins {match['name']} twice"
        versions.add(match["version"])
    return found


def requirements(path: Path) -> list[str]:
    """Return the names that *path* asks for itself, without the files that it includes."""
    texts = [text for text, _ in lines_of(path) if not text.startswith("-r ")]
    return [normal(re.split(r"[=<>!~; ]", text)[0]) for text in texts]


def test_every_pin_is_exact() -> None:
    assert len(pins()) > 20


@pytest.mark.parametrize("path", REQUIREMENT_FILES, ids=lambda path: path.name)
def test_every_requirement_has_a_pin_and_a_reason(path: Path) -> None:
    for text, comment in lines_of(path):
        if text.startswith("-r "):
            assert (path.parent / text.removeprefix("-r ")).is_file()
            continue
        match = PIN.fullmatch(text)
        assert match or normal(text) in pins(), f"{path.name}: {text} has no exact version"
        assert len(comment.split()) >= 3, f"{path.name}: {text} has no reason beside it"


def test_the_main_job_needs_neither_torch_nor_smplx() -> None:
    main = [name for file in ("core", "blender") for name in requirements(REPOSITORY / "requirements" / f"{file}.txt")]
    assert main == ["numpy", "array-api-compat", "c3d", "threadpoolctl", "bpy"]
    script = (REPOSITORY / ".ci" / "demo").read_text(encoding="utf-8")
    assert re.findall(r"requirements/([\w.-]+)\.txt", script) == ["core", "blender"]


def names_and_ranges(texts: list[str]) -> dict[str, Requirement]:
    """Return requirements by name, without the distribution's extras that others include."""
    parsed = [Requirement(text) for text in texts]
    return {normal(found.name): found for found in parsed if found.name != PROJECT["project"]["name"]}


def pinned_in(file: str) -> dict[str, set[str]]:
    """Return the versions that *file* of requirements/ installs under constraints.txt."""
    path, found = REPOSITORY / "requirements" / f"{file}.txt", {}
    for name, (text, _) in zip(requirements(path), lines_of(path), strict=True):
        match = PIN.fullmatch(text)
        found[name] = {match["version"]} if match else pins()[name]
    return found


def test_the_library_asks_for_the_packages_that_are_tested_in_ranges_that_hold_their_pins() -> None:
    ranges, tested = names_and_ranges(PROJECT["project"]["dependencies"]), pinned_in("core")
    assert list(ranges) == list(tested)
    for name, wanted in ranges.items():
        assert all(wanted.specifier.contains(version) for version in tested[name]), wanted
        assert {part.operator for part in wanted.specifier} == {">=", "<"}, "an oldest and a first that is unknown"


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_asks_for_what_is_tested(extra: str) -> None:
    ranges = names_and_ranges(PROJECT["project"]["optional-dependencies"][extra])
    for file in EXTRAS[extra]:
        tested = pinned_in(file)
        assert ranges.keys() == tested.keys()
        assert all(ranges[name].specifier.contains(version) for name in tested for version in tested[name])


def test_every_extra_has_its_requirement_file_and_the_trainer_needs_torch() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert extras.keys() == EXTRAS.keys()
    assert f"{PROJECT['project']['name']}[torch]" in extras["train"]


def test_the_distribution_lists_every_package_of_the_core() -> None:
    folders = {path.parent.relative_to(REPOSITORY / "core") for path in (REPOSITORY / "core").rglob("__init__.py")}
    expected = sorted(".".join(("learnable_smplify", *folder.parts)) for folder in folders)
    assert PROJECT["tool"]["setuptools"]["packages"] == expected, "add or take away what pyproject.toml lists"


def test_the_build_backend_is_the_pinned_one() -> None:
    ranges = names_and_ranges(PROJECT["build-system"]["requires"])
    assert list(ranges) == ["setuptools"]
    assert all(ranges["setuptools"].specifier.contains(version) for version in pins()["setuptools"])
    assert requirements(REPOSITORY / "requirements" / "build.txt") == ["build", "setuptools"]


def test_torch_is_pinned_and_installed_before_what_depends_on_it() -> None:
    assert lines_of(REPOSITORY / "requirements" / "torch.txt")[0][0] == "torch==2.13.0"
    script = (REPOSITORY / ".ci" / "test").read_text(encoding="utf-8")
    order = re.findall(r"requirements/([\w.-]+)\.txt", script.split("stage ", 1)[1])
    assert order[0] == "torch" and "test" in order


def test_this_environment_holds_exactly_the_pinned_versions() -> None:
    if not (Path(sys.prefix) / ".requirements-hash").is_file():
        pytest.skip("this environment was not made by the scripts in .ci")
    wrong = []
    for distribution in importlib.metadata.distributions():
        name, version = normal(distribution.metadata["Name"]), distribution.version.partition("+")[0]
        if name in {"pip", "bpy"} or name.startswith(("nvidia-", "cuda-", "triton")):
            continue
        if version not in pins().get(name, set()):
            wrong.append(f"{name} {version}")
    assert wrong == [], "installed, but not as constraints.txt says"
