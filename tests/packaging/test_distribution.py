"""The wheel and the source distribution: what they hold, and what an installed copy does in a clean environment."""

from __future__ import annotations

import configparser
import email
import email.message
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import core

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "README.md", "NOTICE", "LICENSE")
WALK = REPOSITORY / "samples" / "walk.trc"
PIP_OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:")
SMALL_PACKAGES = {"numpy", "array-api-compat", "c3d", "threadpoolctl"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("build") is None, reason="requirements/build.txt is not installed"),
]

PACKAGES = """
import importlib.metadata, json
print(json.dumps([distribution.metadata["Name"] for distribution in importlib.metadata.distributions()]))
"""

USE = """
import json, sys, types
import learnable_smplify
names = {name: type(getattr(learnable_smplify, name)).__name__ for name in learnable_smplify.__all__}
body = learnable_smplify.resolve_body(None)
print(json.dumps({
    "file": learnable_smplify.__file__,
    "version": learnable_smplify.__version__,
    "names": list(names),
    "vertices": len(body.v_template),
    "strays": sorted({"core", "torch", "bpy"} & set(sys.modules)),
}))
"""

RIGHT_CALL = """
from pathlib import Path
from learnable_smplify import FitOptions, FitReport, Motion, fit_track, read_tracks, resolve_body

motion, report = fit_track(read_tracks(Path("walk.trc"))[0], resolve_body(None), FitOptions(quality="fast"))
checked: tuple[Motion, FitReport] = (motion, report)
"""

WRONG_CALL = """
import learnable_smplify
from learnable_smplify import fit_track, resolve_body

fit_track("walk.trc", resolve_body(None))
learnable_smplify.fit_tracks
"""


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run *command* in *folder* without the settings of this Python; the caller judges how it ended."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def output_of(*command: str | Path, folder: Path) -> str:
    done = run(*command, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(folder: Path) -> Path:
    """Copy what the distribution is made of, so that building leaves nothing in the repository."""
    shutil.copytree(REPOSITORY / "core", folder / "core", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCES:
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def new_environment(folder: Path, *requirements: str | Path) -> Path:
    """Make a virtual environment with *requirements* under constraints.txt; return its folder of programs."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    output_of(*pip, "install", *PIP_OPTIONS, "-c", REPOSITORY / "constraints.txt", *requirements, folder=folder)
    return programs


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both; the wheel is built from the source distribution."""
    sources, out = copy_sources(tmp_path_factory.mktemp("sources")), tmp_path_factory.mktemp("built")
    output_of(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, sources, folder=out)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a clean environment in which the wheel is installed."""
    return new_environment(tmp_path_factory.mktemp("clean"), wheel)


def names_in_core() -> set[str]:
    """Return the files of core/ that belong into the package, relative to it."""
    files = (path.relative_to(REPOSITORY / "core") for path in (REPOSITORY / "core").rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts and path.name != "LICENSE"}


def metadata_of(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_string(archive.read(name).decode("utf-8"))


def test_the_wheel_holds_the_whole_core_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"learnable_smplify-{core.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        library = {name for name in names if ".dist-info/" not in name}
        assert library == {f"learnable_smplify/{name}" for name in names_in_core()}
        for name in library:
            assert archive.read(name) == (REPOSITORY / "core" / name.partition("/")[2]).read_bytes()
    assert "learnable_smplify/py.typed" in library
    assert sum(name.endswith(".npz") for name in library) == 3


def test_the_source_distribution_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    root = f"learnable_smplify-{core.__version__}/"
    with tarfile.open(path) as archive:
        names = {member.name.removeprefix(root) for member in archive.getmembers() if member.isfile()}
    wanted = {f"core/{name}" for name in names_in_core()} | {"core/LICENSE", "NOTICE", "README.md", "pyproject.toml"}
    assert wanted <= names
    others = {name for name in names - wanted if not name.startswith("learnable_smplify.egg-info/")}
    assert others == {"PKG-INFO", "setup.cfg"}


def test_the_metadata_tell_version_licences_and_command(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    assert metadata["Name"] == "learnable-smplify"
    assert metadata["Version"] == core.__version__
    assert metadata["License-Expression"] == "MIT AND CC0-1.0"
    assert set(metadata.get_all("Provides-Extra", [])) == {"torch", "train", "cluster", "blender"}
    scripts = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        information = f"learnable_smplify-{core.__version__}.dist-info"
        scripts.read_string(archive.read(f"{information}/entry_points.txt").decode("utf-8"))
        for name in metadata.get_all("License-File", []):
            assert archive.read(f"{information}/licenses/{name}") == (REPOSITORY / name).read_bytes()
    assert set(metadata.get_all("License-File", [])) == {"core/LICENSE", "NOTICE"}
    assert dict(scripts["console_scripts"]) == {"learnable-smplify": "learnable_smplify.__main__:command"}


def test_a_clean_environment_needs_the_small_packages_alone(programs: Path) -> None:
    names = json.loads(output_of(programs / "python", "-c", PACKAGES, folder=programs))
    assert {re.sub(r"[-_.]+", "-", name) for name in names} == SMALL_PACKAGES | {"learnable-smplify"}


def test_the_public_names_load_from_the_installed_package(programs: Path, tmp_path: Path) -> None:
    seen = json.loads(output_of(programs / "python", "-c", USE, folder=tmp_path))
    assert Path(seen["file"]).is_relative_to(programs.parent)
    assert seen["version"] == core.__version__ and seen["names"] == core.__all__
    assert seen["vertices"] == 6890 and seen["strays"] == []


def test_the_installed_command_fits_as_the_repository_does(programs: Path, tmp_path: Path) -> None:
    arguments = ("fit", WALK, "--quiet", "--report")
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    output_of(programs / "learnable-smplify", *arguments, "walk.json", "-o", "walk.npz", folder=there)
    command = (sys.executable, "-m", "core", *arguments, here / "walk.json", "-o", here / "walk.npz")
    output_of(*command, folder=REPOSITORY)
    assert (there / "walk.npz").read_bytes() == (here / "walk.npz").read_bytes()
    reports = [json.loads((folder / "walk.json").read_text(encoding="utf-8")) for folder in (here, there)]
    assert reports[0].pop("timings_s").keys() == reports[1].pop("timings_s").keys()
    assert reports[0].pop("unchanged") != reports[1].pop("unchanged"), "the hash is of the timings as well"
    assert reports[0] == reports[1]


def test_the_installed_command_offers_the_same_under_its_own_name(programs: Path, tmp_path: Path) -> None:
    for arguments in ([], ["fit"], ["info"], ["convert"]):
        installed = output_of(programs / "learnable-smplify", *arguments, "--help", folder=tmp_path)
        module = output_of(sys.executable, "-m", "core", *arguments, "--help", folder=REPOSITORY)
        assert installed.startswith(f"usage: {' '.join(['learnable-smplify', *arguments])} ")
        assert words(installed.replace("learnable-smplify", "python -m core")) == words(module)
    arguments = ["fit", "none.trc", "-o", "none.npz"]
    failed = run(programs / "learnable-smplify", *arguments, folder=tmp_path)
    assert failed.returncode == 1 and failed.stderr.startswith("learnable-smplify: ")
    other = run(programs / "python", "-m", "learnable_smplify", *arguments, folder=tmp_path)
    assert other.returncode == 1 and other.stderr.startswith("python -m learnable_smplify: ")


def words(text: str) -> list[str]:
    """Return the words of *text*: a longer name breaks its lines elsewhere."""
    return text.split()


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_type_checker_sees_the_types(programs: Path, tmp_path: Path) -> None:
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", programs / "python", "--no-color-output")
    (tmp_path / "right.py").write_text(RIGHT_CALL, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG_CALL, encoding="utf-8")
    assert "Success" in output_of(*mypy, "right.py", folder=tmp_path)
    failed = run(*mypy, "wrong.py", folder=tmp_path)
    assert failed.returncode == 1
    assert re.search(r'wrong\.py:5: error: Argument 1 to "fit_track" .*expected "KeypointTrack"', failed.stdout)
    assert re.search(r'wrong\.py:6: error: Module has no attribute "fit_tracks"', failed.stdout)
    assert "Found 2 errors" in failed.stdout


def test_an_editable_installation_runs_the_folder_itself(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "clone")
    programs = new_environment(tmp_path / "environment", "setuptools", *sorted(SMALL_PACKAGES))
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    output_of(*pip, "install", *PIP_OPTIONS, "--no-deps", "--no-build-isolation", "-e", sources, folder=tmp_path)
    seen = json.loads(output_of(programs / "python", "-c", USE, folder=tmp_path))
    assert Path(seen["file"]) == sources / "core" / "__init__.py"
    assert "1 person" in output_of(programs / "learnable-smplify", "info", WALK, folder=tmp_path)
