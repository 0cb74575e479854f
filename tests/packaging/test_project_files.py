"""The pages and settings for contributors name what exists: links, functions, commands, versions, kinds of files."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.formats.dispatch import TRACK_SUFFIXES

yaml = pytest.importorskip("yaml", reason="needs PyYAML")

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "training/README.md",
    *(path.relative_to(REPOSITORY).as_posix() for path in sorted((REPOSITORY / "docs").rglob("*.md"))),
)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
PLACE = re.compile(r"`((?:core|blender_addon|training|tests|docs|samples|requirements)/[\w./-]*)`")
FORMS = sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def links_of(page: str) -> list[tuple[str, Path]]:
    """Return (text, file) of each link of *page* that leads into the repository."""
    folder = (REPOSITORY / page).parent
    found = ((match["text"], match["target"]) for match in LINK.finditer(text_of(page)))
    return [(text, folder / target) for text, target in found if "://" not in target]


def names_in(path: Path) -> set[str]:
    """Return what a module defines or assigns at its top."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def commands_of(path: Path) -> Iterator[str]:
    """Yield what the steps of a workflow run."""
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def pinned() -> dict[str, list[str]]:
    """Return the lines of constraints.txt by package, without spaces and comments."""
    found: dict[str, list[str]] = {}
    for line in text_of("constraints.txt").splitlines():
        pin = without_spaces(line.partition("#")[0])
        if pin:
            found.setdefault(pin.partition("==")[0], []).append(pin)
    return found


def without_spaces(text: str) -> str:
    return re.sub(r"[\s'\"]", "", text)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert [str(path) for _, path in links_of(page) if not path.exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_linked_name_is_defined_in_its_file(page: str) -> None:
    named = [(text.strip("`"), path) for text, path in links_of(page) if text.startswith("`") and path.suffix == ".py"]
    missing = [f"{name} in {path.name}" for name, path in named if name not in names_in(path)]
    assert missing == []


@pytest.mark.parametrize("page", ["docs/CONTRIBUTING.md", "docs/SECURITY.md"])
def test_every_named_file_or_folder_is_there(page: str) -> None:
    places = [Path(place) for place in PLACE.findall(text_of(page))]
    expected = [place.parent if place.stem == "NAME" else place for place in places]
    assert [str(place) for place in expected if not (REPOSITORY / place).exists()] == []


def test_the_pages_are_full_of_names_to_check() -> None:
    assert len(links_of("docs/CONTRIBUTING.md")) > 30 and len(links_of("docs/SECURITY.md")) > 10
    assert {"fetch_wheel", "BUNDLED_WHEELS", "Wheel"} <= names_in(REPOSITORY / "build_addon.py")
    assert "fetch_wheels" not in names_in(REPOSITORY / "build_addon.py")


def test_the_fast_tests_are_there() -> None:
    (command,) = re.findall(r"^\S+python -m pytest .*(-m .*)$", text_of("docs/CONTRIBUTING.md"), re.MULTILINE)
    places = re.sub(r'"[^"]*"', "", command).split()[1:]
    assert places and all((REPOSITORY / place).exists() for place in places)


def test_the_workflow_names_what_exists() -> None:
    commands = [command for path in WORKFLOWS for command in commands_of(path)]
    files = [
        name for command in commands for name in re.findall(r"(?:requirements/|\.ci/|tests/|build_)[\w./-]+", command)
    ]
    assert {".ci/test", "requirements/test.txt", "tests/packaging/test_distribution.py", "build_addon.py"} <= set(files)
    assert [name for name in files if not (REPOSITORY / name).exists()] == []
    for command in commands:
        if "pip install" in command:
            assert "-c constraints.txt" in command, "what is not pinned changes from day to day"
    order = [name for name in files if name in ("requirements/torch.txt", "requirements/test.txt")]
    assert order == ["requirements/torch.txt", "requirements/test.txt"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_pins_its_actions(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["defaults"]["run"]["shell"] == "bash", "another shell goes on after a command that failed"
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_the_library_is_tested_on_three_systems_and_two_pythons() -> None:
    matrix = yaml.safe_load(text_of(".github/workflows/tests.yml"))["jobs"]["library"]["strategy"]["matrix"]
    assert [system.partition("-")[0] for system in matrix["system"]] == ["ubuntu", "windows", "macos"]
    assert matrix["python"] == ["3.11", "3.13"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_the_questions_of_a_form_have_distinct_labels(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert form["name"] and form["description"] and form["labels"]
    assert (
        len({field["id"] for field in fields}) == len({field["attributes"]["label"] for field in fields}) == len(fields)
    )


def test_a_bug_report_says_what_is_needed_to_repeat_it() -> None:
    form = yaml.safe_load(text_of(".github/ISSUE_TEMPLATE/bug.yml"))
    fields = {field["id"]: field for field in form["body"] if "id" in field}
    for name in ("happened", "version", "blender", "system", "kind", "info"):
        assert fields[name]["validations"]["required"], name
    kinds = " ".join(fields["kind"]["attributes"]["options"])
    assert set(re.findall(r"\.\w+", kinds)) == set(TRACK_SUFFIXES)


def test_pre_commit_uses_the_pinned_versions() -> None:
    hooks = [hook for source in yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"] for hook in source["hooks"]]
    assert [hook["entry"].split()[0] for hook in hooks] == ["ruff", "ruff", "mypy"]
    for hook in hooks:
        for wanted in hook["additional_dependencies"]:
            pins = [pin.partition(";")[0] for pin in pinned()[wanted.partition("==")[0]]]
            assert wanted in pins, hook["id"]
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["mypy"]
    assert hooks[-1]["language_version"] == f"python{settings['python_version']}"
    library = [line.partition("#")[0].strip() for line in text_of("requirements/core.txt").splitlines()]
    assert set(filter(None, library)) < {line.partition("==")[0] for line in hooks[-1]["additional_dependencies"]}
