"""The extension zip: its bytes, its manifest, and the package that comes out of it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon
import core

REPOSITORY = Path(__file__).resolve().parents[2]
WHEEL_CACHE = REPOSITORY / ".cache" / "wheels"
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed")

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
OUTSIDE = ("core", "blender_addon", "training", "bpy", "torch")
import numpy
prefix = sys.argv[1]
core = importlib.import_module(prefix + ".core")
skipped = prefix + ".core.__main__"
names = [m.name for m in pkgutil.walk_packages(core.__path__, core.__name__ + ".") if m.name != skipped]
for name in names:
    importlib.import_module(name)
model = sys.modules[prefix + ".core.body.model"]
free_body = sys.modules[prefix + ".core.body.free_body"]
body = model.BodyModel(free_body.load_free_body())
pose = numpy.broadcast_to(numpy.eye(3, dtype=numpy.float32), (1, 24, 3, 3))
vertices = body.vertices(pose, numpy.zeros(10, numpy.float32), numpy.zeros((1, 3), numpy.float32))
print(json.dumps({
    "imported": len(names),
    "stature": float(numpy.ptp(vertices[0, :, 1])),
    "strays": sorted(n for n in sys.modules if n.split(".")[0] in OUTSIDE),
    "files": [sys.modules[n].__file__ for n in (*names, "array_api_compat")],
}))
"""

INSTALL = """
import json, sys
import bpy
path, identifier = sys.argv[1:]
bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
package = sys.modules["bl_ext.user_default." + identifier]
import array_api_compat, c3d, threadpoolctl
print("RESULT " + json.dumps({
    "enabled": [a.module for a in bpy.context.preferences.addons if a.module.startswith("bl_ext.")],
    "file": package.__file__,
    "wheels": [array_api_compat.__file__, c3d.__file__, threadpoolctl.__file__],
}))
"""

INSTALL_OVER_ITSELF = """
import sys
from pathlib import Path
import bpy
path, identifier = sys.argv[1:]
package = "bl_ext.user_default." + identifier

def install():
    bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)

install()
preferences = bpy.context.preferences.addons[package].preferences
preferences.body_file, preferences.fit_place = "/somewhere/SMPL_NEUTRAL.pkl", "PRIVATE"
folder = sys.modules[package + ".package"].user_folder()
(folder / "pytorch").mkdir(parents=True)
before = Path(sys.modules[package].__file__)
before.with_name("only_in_the_old_version.py").touch()
install()
preferences = bpy.context.preferences.addons[package].preferences
assert not before.with_name("only_in_the_old_version.py").exists(), "it was installed anew"
assert (preferences.body_file, preferences.fit_place) == ("/somewhere/SMPL_NEUTRAL.pkl", "PRIVATE")
assert (folder / "pytorch").is_dir() and before.parent not in folder.parents
print("KEPT")
"""


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addon.build(tmp_path_factory.mktemp("first"), cache=WHEEL_CACHE)


@pytest.fixture(scope="module")
def manifest(extension: Path) -> dict[str, object]:
    with zipfile.ZipFile(extension) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode("utf-8"))


def test_two_builds_give_the_same_bytes(extension: Path, tmp_path: Path) -> None:
    again = build_addon.build(tmp_path, cache=WHEEL_CACHE)
    assert again.name == extension.name
    assert again.read_bytes() == extension.read_bytes()


def test_entries_are_sorted_and_carry_no_times_or_odd_permissions(extension: Path) -> None:
    with zipfile.ZipFile(extension) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
    assert [info.filename for info in infos] == sorted({info.filename for info in infos})
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}


def test_the_zip_of_the_gpu_edition_holds_every_source_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_addon.build(tmp_path, cache=WHEEL_CACHE, edition="gpu")) as archive:
        names = set(archive.namelist())
    sources = {
        f"{prefix}{path.relative_to(REPOSITORY / folder).as_posix()}"
        for folder, prefix in (("blender_addon", ""), ("core", "core/"))
        for path in (REPOSITORY / folder).rglob("*.py")
    }
    assert sources <= names
    others = {name for name in names - sources if not name.startswith("wheels/")}
    assert {"blender_manifest.toml", "LICENSE", "NOTICE", "core/LICENSE", "core/body/assets/free_body.npz"} <= others
    assert all(Path(name).suffix in {".toml", ".npz", ".json", ".md", ".txt", ".typed", ""} for name in others), others
    parts = {part for name in names for part in name.split("/")}
    assert not parts & {"tests", "training", "samples", "__pycache__", ".."}
    assert not any(name.startswith("/") or part.startswith(".") for name in names for part in name.split("/"))


def test_no_text_in_the_zip_names_a_folder_of_this_machine(extension: Path) -> None:
    here = (str(REPOSITORY).encode(), str(Path.home()).encode() + b"/")
    with zipfile.ZipFile(extension) as archive:
        guilty = [name for name in archive.namelist() for place in here if place in archive.read(name)]
    assert guilty == []


def test_manifest_is_complete(manifest: dict[str, object], extension: Path) -> None:
    assert manifest["schema_version"] == "1.0.0"
    assert manifest["type"] == "add-on"
    assert re.fullmatch(r"[a-z][a-z0-9_]+", str(manifest["id"]))
    assert manifest["version"] == core.__version__
    assert manifest["blender_version_min"] == "4.2.0"
    assert "website" not in manifest, "a setting of the build, without a default"
    assert manifest["maintainer"] and manifest["name"]
    tagline = str(manifest["tagline"])
    assert 0 < len(tagline) <= 64 and tagline[-1].isalnum()
    permissions = manifest["permissions"]
    assert isinstance(permissions, dict)
    assert set(permissions) == {"files", "network"}, "what the add-on does outside Blender, and nothing else"
    assert all(0 < len(reason) <= 64 and reason[-1].isalnum() for reason in permissions.values())
    assert "platforms" not in manifest
    assert extension.stat().st_size < 60_000_000
    assert extension.name == f"{manifest['id']}-{manifest['version']}.zip"


def test_every_wheel_is_pure_python_pinned_and_listed(manifest: dict[str, object], extension: Path) -> None:
    with zipfile.ZipFile(extension) as archive:
        inside = [f"./{name}" for name in archive.namelist() if name.startswith("wheels/")]
    assert sorted(inside) == sorted(manifest["wheels"])  # type: ignore[call-overload]
    assert sorted(inside) == sorted(f"./wheels/{wheel.file_name}" for wheel in build_addon.BUNDLED_WHEELS)
    assert all(name.endswith("-py3-none-any.whl") for name in inside)
    constraints = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(f"{wheel.name}=={wheel.version}" in constraints for wheel in build_addon.BUNDLED_WHEELS)


@pytest.mark.parametrize(
    "text",
    ['id = "x"\n\n[permissions]\nfiles = "y"\n', 'id = "x"\n[permissions]\nfiles = "y"\n[build]\na = 1', 'id = "x"'],
)
def test_version_wheels_and_website_are_added_at_the_top_level_of_the_manifest(text: str) -> None:
    before = tomllib.loads(text)
    assert "website" not in tomllib.loads(build_addon.complete_manifest(text, "1.2.3", ["a.whl"]))
    after = tomllib.loads(build_addon.complete_manifest(text, "1.2.3", ["a.whl", "b.whl"], "https://example.org/x"))
    assert after.pop("website") == "https://example.org/x"
    assert after.pop("wheels") == ["./wheels/a.whl", "./wheels/b.whl"]
    assert after.pop("version") == "1.2.3"
    assert after == before


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('wheels = ["./wheels/old.whl"]\n', "'wheels'"),
        ('version = "0.0.1"\n', "'version'"),
        ('wheels = []\nversion = "0.0.1"\n', "'version' and 'wheels'"),
    ],
)
def test_a_manifest_that_has_what_the_build_adds_is_refused(text: str, names: str) -> None:
    with pytest.raises(build_addon.BuildError, match=f"without {names}, which the build adds"):
        build_addon.complete_manifest(text, "1.2.3", ["new.whl"])


def test_caches_tests_and_hidden_files_stay_out(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "b/__pycache__/c.cpython-311.pyc", "tests/test_a.py", ".hidden/x.py", "b/.DS_Store"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert list(build_addon.source_files(tmp_path)) == ["a.py", "b/c.py"]


def test_a_wheel_whose_bytes_differ_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = build_addon.BUNDLED_WHEELS[0]
    (tmp_path / wheel.file_name).write_bytes(b"not that wheel")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(build_addon.BuildError, match=wheel.sha256):
        build_addon.fetch_wheel(wheel, tmp_path)


def test_without_any_blender_the_build_fails_unless_asked_to_skip_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_addon.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BLENDER", raising=False)
    arguments = ["--output", str(tmp_path), "--cache", str(WHEEL_CACHE)]
    assert build_addon.main(arguments) == 1
    assert "--no-validate" in capsys.readouterr().err
    assert build_addon.main([*arguments, "--no-validate"]) == 0
    assert re.search(r"\.zip: \d+ bytes", capsys.readouterr().out)


def test_an_output_that_is_no_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert build_addon.main(["--output", str(tmp_path / "file"), "--cache", str(WHEEL_CACHE)]) == 1
    assert "error: " in (message := capsys.readouterr().err) and str(tmp_path / "file") in message
    assert (tmp_path / "file").read_text() == "mine"


@needs_bpy
def test_blenders_own_tool_accepts_the_zip(extension: Path) -> None:
    assert "Success" in build_addon.validate(extension)


@needs_bpy
def test_blenders_own_tool_refuses_a_manifest_that_is_not_complete(extension: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(extension) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["blender_manifest.toml"] = entries["blender_manifest.toml"].replace(b"blender_version_min", b"other")
    build_addon.write_zip(entries, broken)
    with pytest.raises(build_addon.BuildError, match="blender_version_min"):
        build_addon.validate(broken)


def run_python(code: str, *arguments: str, folder: Path, path: list[Path], **environment: str) -> str:
    """Run *code* in a new Python, away from the repository, with *path* in front; return its output."""
    start = f"import sys; sys.path[:0] = {[str(entry) for entry in path]!r}\n"
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    result = subprocess.run(
        [sys.executable, "-I", "-B", "-c", start + code, *arguments],
        cwd=folder,
        env={**variables, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_vendored_core_works_under_blenders_package_name(extension: Path, tmp_path: Path) -> None:
    package = tmp_path / "bl_ext" / "user_default" / "some_id"
    with zipfile.ZipFile(extension) as archive:
        archive.extractall(package)
    (package / "__init__.py").write_text("", encoding="utf-8")  # the add-on itself needs bpy
    wheels = sorted((package / "wheels").iterdir())
    said = run_python(IMPORT_EVERYTHING, "bl_ext.user_default.some_id", folder=tmp_path, path=[tmp_path, *wheels])
    seen = json.loads(said)
    assert seen["strays"] == []
    assert seen["imported"] >= len([path for path in (REPOSITORY / "core").glob("*.py") if path.stem[0] != "_"])
    assert all(Path(file).is_relative_to(tmp_path) for file in seen["files"])
    assert 1.5 < seen["stature"] < 2.0


@needs_bpy
def test_the_zip_installs_into_a_clean_blender(extension: Path, manifest: dict[str, object], tmp_path: Path) -> None:
    resources = tmp_path / "user"
    for name in ("config", "scripts", "extensions"):
        (resources / name).mkdir(parents=True)
    identifier = str(manifest["id"])
    said = run_python(
        INSTALL, str(extension), identifier, folder=tmp_path, path=[], BLENDER_USER_RESOURCES=str(resources)
    )
    seen = json.loads(next(line for line in said.splitlines() if line.startswith("RESULT ")).removeprefix("RESULT "))
    assert seen["enabled"] == [f"bl_ext.user_default.{identifier}"]
    assert Path(seen["file"]).is_relative_to(resources)


@needs_bpy
def test_an_update_keeps_preferences_and_the_private_environment(manifest: dict[str, object], tmp_path: Path) -> None:
    extension = build_addon.build(tmp_path, cache=WHEEL_CACHE, edition="gpu")
    resources = tmp_path / "user"
    for name in ("config", "scripts", "extensions"):
        (resources / name).mkdir(parents=True)
    arguments = (str(extension), str(manifest["id"]))
    said = run_python(INSTALL_OVER_ITSELF, *arguments, folder=tmp_path, path=[], BLENDER_USER_RESOURCES=str(resources))
    assert "KEPT" in said.splitlines()
