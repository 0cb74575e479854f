"""The editions of the extension: what each has, and that none offers or imports what it goes without."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon

REPOSITORY = Path(__file__).resolve().parents[2]
WEBSITE = "https://example.org/smplify"
FILES = "Read keypoint files and body models, write animation files"
OF_PYTORCH = {"smplify.check_python", "smplify.install_torch", "smplify.cancel_torch", "smplify.remove_torch"}
OF_LIVE = {"smplify.start_live", "smplify.record_live", "smplify.stop_live"}
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed")

# Installs each zip over the one before, and prints what a user finds then.
INSTALL_AND_LOOK = """
import contextlib, importlib, io, json, pkgutil, sys
import bpy
track, *zips = sys.argv[1:]
package = "bl_ext.user_default.learnable_smplify"
PROGRAMS = ("__main__", "probe_script", "run_in_blender", "serve_fits")

def refusal(operator):
    try:
        operator()
    except RuntimeError as refused:
        return str(refused)

def command_line(*arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = importlib.import_module(package + ".batch.cli").main([*arguments])
    return code, " ".join(said.getvalue().split())

for path in zips:
    bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
    modules = pkgutil.walk_packages(sys.modules[package].__path__, package + ".")
    for module in modules:
        if module.name.rpartition(".")[2] not in PROGRAMS:
            importlib.import_module(module.name)
    preferences = bpy.context.preferences.addons[package].preferences
    fit = bpy.context.scene.smplify.fit
    menu = sys.modules[package + ".fit.devices"].menu_items
    fit.device = "numpy"
    offered = [item[0] for item in menu(fit, bpy.context)]
    fit.device = "cuda"
    bpy.ops.smplify.open_track(filepath=track, wait=True)
    print("RESULT " + json.dumps({
        "operators": ["smplify." + name for name in dir(bpy.ops.smplify)],
        "panels": [name for name in dir(bpy.types) if name.startswith("SMPLIFY_PT_")],
        "settings": [item.identifier for item in preferences.bl_rna.properties],
        "devices": offered,
        "device description": fit.bl_rna.properties["device"].description,
        "menu with cuda": [item[:3] for item in menu(fit, bpy.context)],
        "refused fit": refusal(bpy.ops.smplify.fit),
        "refused command": command_line(track, "-o", "out", "--device", "cuda", "--torch-python", "missing"),
        "help": command_line("--help"),
        "torch": "torch" in sys.modules,
    }))
"""


def build(name: str, folder: Path) -> Path:
    return build_addon.build(folder, cache=REPOSITORY / ".cache" / "wheels", edition=name, website=WEBSITE)


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("editions")
    return {name: build(name, folder) for name in build_addon.EDITIONS}


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def manifest_of(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode("utf-8"))


def test_the_files_of_the_editions_have_names_of_their_own(zips: dict[str, Path]) -> None:
    version = manifest_of(zips["whole"])["version"]
    assert {name: path.name for name, path in zips.items()} == {
        "whole": f"learnable_smplify-{version}.zip",
        "gpu": f"learnable_smplify-{version}-gpu.zip",
        "platform": f"learnable_smplify-{version}-platform.zip",
    }


def test_only_the_edition_for_a_gpu_has_what_serves_pytorch(zips: dict[str, Path]) -> None:
    more = names_in(zips["gpu"]) - names_in(zips["whole"])
    assert {"torch_backend/client.py", "serve_fits.py", "background/python.py", "background/codec.py"} <= more
    assert all(name.startswith(("torch_backend/", "serve_fits.py", "background/")) for name in more)
    less = names_in(zips["whole"]) - names_in(zips["platform"])
    assert all(name.startswith("live/") or name.endswith("__main__.py") for name in less) and "live/panel.py" in less
    assert names_in(zips["platform"]) < names_in(zips["whole"]) < names_in(zips["gpu"])


def test_each_edition_asks_for_the_network_for_what_it_does_there(zips: dict[str, Path]) -> None:
    live = "Listen to live senders, only when you ask"
    both = "Set up PyTorch, and listen to live senders, only when you ask"
    assert {name: manifest_of(path)["permissions"] for name, path in zips.items()} == {
        "whole": {"files": FILES, "network": live},
        "gpu": {"files": FILES, "network": both},
        "platform": {"files": FILES},
    }


def test_the_editions_differ_in_nothing_else_of_the_manifest(zips: dict[str, Path]) -> None:
    others = []
    for path in zips.values():
        manifest = manifest_of(path)
        del manifest["permissions"]
        others.append(manifest)
    assert others[0] == others[1] == others[2], "one id, so that a Blender has one of them"


@needs_bpy
def test_one_is_installed_over_the_other_and_each_offers_what_it_has(zips: dict[str, Path], tmp_path: Path) -> None:
    resources = tmp_path / "user"
    for name in ("config", "scripts", "extensions"):
        (resources / name).mkdir(parents=True)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    track = str(REPOSITORY / "samples" / "walk.trc")
    order = ("whole", "gpu", "platform", "whole")
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", INSTALL_AND_LOOK, track, *(str(zips[name]) for name in order)],
        cwd=tmp_path, env={**variables, "BLENDER_USER_RESOURCES": str(resources)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert len(found) == len(order), done.stdout + done.stderr
    for name, seen in zip(order, found, strict=True):
        has_torch, has_live = name == "gpu", name != "platform"
        assert OF_PYTORCH & set(seen["operators"]) == (OF_PYTORCH if has_torch else set()), name
        assert OF_LIVE & set(seen["operators"]) == (OF_LIVE if has_live else set()), name
        assert ("SMPLIFY_PT_live" in seen["panels"]) == has_live
        assert "body_file" in seen["settings"] and ("fit_place" in seen["settings"]) == has_torch
        assert seen["devices"] == (["numpy", "cpu", "cuda", "mps"] if has_torch else ["numpy"])
        assert ("PyTorch" in seen["device description"]) == has_torch
        code, text = seen["help"]
        assert code == 0 and ("--torch-python" in text) == has_torch
        assert ("where to compute: numpy, cpu, cuda, mps" if has_torch else "where to compute: numpy (") in text
        code, text = seen["refused command"]
        assert code == 2 and ("found no file at" in text if has_torch else refuses_cuda(text)), text
        if not has_torch:
            assert refuses_cuda(seen["refused fit"])
            assert [item[0] for item in seen["menu with cuda"]] == ["numpy", "cuda"], "to change it"
            assert "-gpu" in seen["menu with cuda"][1][2]
    assert not found[0]["torch"]


def refuses_cuda(text: str) -> bool:
    """Return whether *text* refuses the device cuda, and says how to get the edition that has it."""
    return "expected the device numpy" in text and "got 'cuda'" in text and "build_addon.py --edition gpu" in text
