"""Who imports whom: no circles, and no arrows up. Imports inside functions and for type checkers count as well."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ("core", "blender_addon", "training", "tests", "build_addon")
MAY_IMPORT = {
    "core": {"core"},
    "blender_addon": {"core", "blender_addon"},
    "training": {"core", "training"},
    "build_addon": {"core", "build_addon"},
    "tests": set(PARTS),
}

Graph = dict[str, dict[str, int]]
"""The modules that each module imports, each with the line."""


def modules_of(root: Path) -> dict[str, Path]:
    """Return the files of all parts below *root*, by the name of the module."""
    files = [path for part in PARTS for path in (root / part).rglob("*.py")] + [root / "build_addon.py"]
    found = {}
    for path in filter(Path.is_file, files):
        names = path.relative_to(root).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def targets_of(node: ast.Import | ast.ImportFrom, package: list[str]) -> list[str]:
    """Return the names of what *node*, in a module of *package*, imports; modules or names in them."""
    if isinstance(node, ast.Import):
        return [item.name for item in node.names]
    base = package[: len(package) - node.level + 1] if node.level else []
    module = [*base, *([node.module] if node.module else [])]
    return [".".join([*module, item.name]) for item in node.names]


def import_graph(root: Path) -> Graph:
    """Return who imports whom.

    A module of a package that is imported from outside loads the package's ``__init__`` too.
    """
    modules = modules_of(root)
    graph: Graph = {}
    for name, path in modules.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        found: dict[str, int] = {}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for target in targets_of(node, package):
                module = target if target in modules else target.rpartition(".")[0]
                names = module.split(".")
                for depth in range(1, len(names) + 1):
                    loaded = ".".join(names[:depth])
                    if loaded in modules and (loaded == module or not f"{name}.".startswith(f"{loaded}.")):
                        found.setdefault(loaded, node.lineno)
        graph[name] = {target: line for target, line in found.items() if target != name}
    return graph


def find_circle(graph: Graph) -> list[str]:
    """Return the modules of one circle, the first one again at the end; none where there is no circle."""
    done: set[str] = set()
    for start in graph:
        way: list[str] = []
        branches = [iter([start])]
        while branches:
            module = next(branches[-1], None)
            if module is None:
                branches.pop()
                if way:
                    done.add(way.pop())
            elif module in way:
                return [*way[way.index(module) :], module]
            elif module not in done:
                way.append(module)
                branches.append(iter(graph[module]))
    return []


def arrows_up(graph: Graph) -> list[str]:
    """Return the imports that go against `MAY_IMPORT`."""
    return [
        f"{name}:{line} imports {target}"
        for name, targets in graph.items()
        for target, line in targets.items()
        if target.partition(".")[0] not in MAY_IMPORT[name.partition(".")[0]]
    ]


def shown(graph: Graph, circle: list[str]) -> str:
    return "\n".join(
        f"{name}:{graph[name][target]} imports {target}" for name, target in zip(circle, circle[1:], strict=False)
    )


@pytest.fixture(scope="module")
def graph() -> Graph:
    return import_graph(REPOSITORY)


def test_no_modules_import_each_other_in_a_circle(graph: Graph) -> None:
    circle = find_circle(graph)
    assert circle == [], f"a circle of imports:\n{shown(graph, circle)}"


def test_nothing_imports_what_stands_above_it(graph: Graph) -> None:
    assert arrows_up(graph) == []


def test_the_addon_reaches_the_core_at_one_place(graph: Graph) -> None:
    places = [
        name
        for name, targets in graph.items()
        if name.startswith("blender_addon") and any(target.partition(".")[0] == "core" for target in targets)
    ]
    assert places == ["blender_addon.core_access"]


def test_the_graph_is_that_of_the_repository(graph: Graph) -> None:
    assert {name.partition(".")[0] for name in graph} == set(PARTS)
    assert "core.body.model" in graph["core.body.keypoints"]
    assert "core.fit" in graph["blender_addon.core_access"]
    assert "blender_addon.registration" in graph["blender_addon"], "imported inside a function"
    assert "core.track" in graph["core.reading.findings"]


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"core/a.py": "from .b import f", "core/b.py": "import core.c", "core/c.py": ""}, []),
        ({"core/a.py": "from . import b", "core/b.py": "def f():\n    from .a import g"}, ["core.a", "core.b"]),
        (
            {
                "core/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from core.c import C",
                "core/b.py": "from .a import a",
                "core/c.py": "from .b import b",
            },
            ["core.a", "core.b", "core.c"],
        ),
        (
            {
                "core/p/__init__.py": "from .x import x",
                "core/p/x.py": "from ..q import q",
                "core/q.py": "import core.p.y",
            }
            | {"core/p/y.py": ""},
            ["core.p", "core.p.x", "core.q"],
        ),
    ],
)
def test_circles_are_found(files: dict[str, str], circle: list[str], tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = find_circle(import_graph(tmp_path))
    assert sorted(set(found)) == circle
    assert not found or found[0] == found[-1]


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("core/a.py", "def f():\n    import blender_addon.batch.jobs", "core.a:2 imports blender_addon.batch.jobs"),
        ("training/a.py", "from blender_addon.batch import jobs", "training.a:1 imports blender_addon.batch.jobs"),
        ("blender_addon/a.py", "import training.t", "blender_addon.a:1 imports training.t"),
        ("blender_addon/a.py", "from core.c import x", ""),
    ],
)
def test_arrows_up_are_found(name: str, text: str, wrong: str, tmp_path: Path) -> None:
    for path, content in ((name, text), ("core/c.py", ""), ("blender_addon/batch/jobs.py", ""), ("training/t.py", "")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    assert arrows_up(import_graph(tmp_path)) == ([wrong] if wrong else [])
