"""The edition for Blender's extensions platform keeps the platform's rules, and fits without what it leaves out."""

from __future__ import annotations

import ast
import email
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon

REPOSITORY = Path(__file__).resolve().parents[2]
WEBSITE = "https://example.org/smplify"
LARGEST_REASON = 64
TAGS = {
    "3D View", "Add Curve", "Add Mesh", "Animation", "Bake", "Camera", "Compositing", "Development", "Game Engine",
    "Geometry Nodes", "Grease Pencil", "Import-Export", "Lighting", "Material", "Mesh", "Modeling", "Node", "Object",
    "Paint", "Physics", "Pipeline", "Render", "Rigging", "Scene", "Sculpt", "Sequencer", "System", "Text Editor",
    "Tracking", "User Interface", "UV",
}  # fmt: skip
"""The tags of add-ons on the platform."""
NETWORK = {"ftplib", "http", "imaplib", "pip", "requests", "smtplib", "ssl", "urllib", "urllib3", "venv", "xmlrpc"}
OF_BLENDER = {"addon_utils", "bl_ext", "blf", "bpy", "bpy_extras", "gpu", "gpu_extras", "mathutils", "numpy"}
OF_THE_WHEELS = {"array_api_compat", "c3d", "threadpoolctl"}
WHERE_ASKED_FOR = {"distributed", "torch"}
"""What the library uses as a library; nothing that the extension offers leads there."""
COPYRIGHT = re.compile(r"Copyright \([cC]\) ([\d-]+),? ([^\n]+?)(?: http\S+)?$", re.MULTILINE)
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed")

FIT = """
import json, sys
import bpy
path, track = sys.argv[1:]
bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
package = "bl_ext.user_default.learnable_smplify"
preferences = bpy.context.preferences.addons[package].preferences
bpy.ops.smplify.open_track(filepath=track, wait=True)
bpy.ops.smplify.fit()
error = bpy.context.object["fit_error_mm"]
bpy.context.scene.smplify.fit.device = "cuda"
try:
    bpy.ops.smplify.fit()
    refusal = ""
except RuntimeError as refused:
    refusal = str(refused)
menu = sys.modules[package + ".fit.devices"].menu_items
print("RESULT " + json.dumps({
    "error": error,
    "refusal": refusal,
    "devices": [item[0] for item in menu(bpy.context.scene.smplify.fit, bpy.context)],
    "operators": [name for name in dir(bpy.ops.smplify) if "torch" in name or "python" in name or "live" in name],
    "settings": [item.identifier for item in preferences.bl_rna.properties],
    "torch": "torch" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("platform")
    return build_addon.build(folder, cache=REPOSITORY / ".cache" / "wheels", edition="platform", website=WEBSITE)


@pytest.fixture(scope="module")
def files(extension: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(extension) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def manifest(files: dict[str, bytes]) -> dict[str, object]:
    return tomllib.loads(files["blender_manifest.toml"].decode("utf-8"))


@pytest.fixture(scope="module")
def imports(files: dict[str, bytes]) -> dict[str, set[str]]:
    """The packages that each module imports by their own names, wherever in it."""
    return {name: imports_of(ast.parse(content)) for name, content in files.items() if name.endswith(".py")}


def imports_of(module: ast.Module) -> set[str]:
    """Return the packages that *module* imports by their own name, wherever in it."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {item.name.partition(".")[0] for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found


def test_name_tagline_and_tags_are_as_the_platform_wants_them(manifest: dict[str, object]) -> None:
    assert "blender" not in str(manifest["name"]).lower()
    tagline = str(manifest["tagline"])
    assert len(tagline) <= LARGEST_REASON and tagline[-1].isalnum()
    assert set(manifest["tags"]) <= TAGS  # type: ignore[call-overload]
    assert manifest["website"] == WEBSITE


def test_it_asks_for_files_alone_and_says_why(manifest: dict[str, object]) -> None:
    permissions = manifest["permissions"]
    assert isinstance(permissions, dict) and set(permissions) == {"files"}
    assert 0 < len(permissions["files"]) <= LARGEST_REASON and permissions["files"][-1].isalnum()


def test_nothing_in_it_uses_the_network_or_installs(imports: dict[str, set[str]], files: dict[str, bytes]) -> None:
    # The library's live input is called by the folder live of the add-on alone, which this edition goes without.
    assert not [name for name in files if name.startswith("live/")]
    imports = {name: found for name, found in imports.items() if not name.startswith("core/live/")}
    assert {name: found & NETWORK for name, found in imports.items() if found & NETWORK} == {}
    sockets = [name for name, found in imports.items() if "socket" in found]
    used = {use for name in sockets for use in re.findall(rb"socket\.(\w+)", files[name])}
    assert used <= {b"gethostname"}, "the name of this computer, which marks what it works on"
    assert [name for name, content in files.items() if re.search(rb'"-m", "pip"|ensurepip', content)] == []


def test_it_needs_nothing_that_is_not_in_it(imports: dict[str, set[str]]) -> None:
    own = {"blender_addon", "core"}
    known = sys.stdlib_module_names | OF_BLENDER | OF_THE_WHEELS | own
    for name, found in imports.items():
        others = found - known - (WHERE_ASKED_FOR if name.startswith("core/") else set())
        assert others == set(), name
    wheels = {wheel.name.replace("-", "_") for wheel in build_addon.BUNDLED_WHEELS}
    assert wheels == OF_THE_WHEELS


def test_it_changes_no_path_of_python_and_imports_itself_relatively(
    imports: dict[str, set[str]], files: dict[str, bytes]
) -> None:
    assert [name for name in imports if re.search(rb"\bsys\.path\b", files[name])] == []
    # One is for where there is no copy of the core inside, the other loads the package by its path.
    own = {name for name, found in imports.items() if found & {"blender_addon", "core"}}
    assert own == {"core_access.py", "run_in_blender.py"}


def test_nothing_in_it_is_hidden_or_serves_another_program(files: dict[str, bytes]) -> None:
    kinds = {Path(name).suffix for name in files}
    assert kinds == {".py", ".toml", ".npz", ".whl", ".typed", ""}
    assert {name for name in files if not Path(name).suffix} == {"LICENSE", "NOTICE", "core/LICENSE"}
    assert not {name for name in files if name.startswith("torch_backend/") or name.endswith("__main__.py")}


def test_who_holds_the_copyright_of_each_part_is_in_the_manifest(
    manifest: dict[str, object], files: dict[str, bytes]
) -> None:
    texts = [files[name].decode("utf-8") for name in ("NOTICE", "core/LICENSE")]
    for wheel in build_addon.BUNDLED_WHEELS:
        path = REPOSITORY / ".cache" / "wheels" / wheel.file_name
        with zipfile.ZipFile(path) as archive:
            texts += [archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith("/LICENSE")]
    holders = {f"{years} {holder}".rstrip(".") for text in texts for years, holder in COPYRIGHT.findall(text)}
    assert len(holders) >= 6
    assert {str(holder).rstrip(".") for holder in manifest["copyright"]} == holders  # type: ignore[attr-defined]


def test_the_licence_of_each_part_is_in_the_manifest_and_its_text_in_the_zip(
    manifest: dict[str, object], files: dict[str, bytes]
) -> None:
    licences = list(manifest["license"])  # type: ignore[call-overload]
    assert licences[0] == "SPDX:GPL-3.0-or-later"
    assert b"GNU GENERAL PUBLIC LICENSE" in files["LICENSE"] and b"MIT License" in files["core/LICENSE"]
    notice = files["NOTICE"].decode("utf-8")
    found = {"SPDX:GPL-3.0-or-later", "SPDX:MIT", "SPDX:CC0-1.0"}
    for wheel in build_addon.BUNDLED_WHEELS:
        with zipfile.ZipFile(REPOSITORY / ".cache" / "wheels" / wheel.file_name) as archive:
            names = archive.namelist()
            (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
            metadata = email.message_from_string(archive.read(about).decode("utf-8"))
        licence = metadata["License-Expression"] or metadata["License"]
        found.add(f"SPDX:{licence}")
        assert re.search(rf"^{wheel.name} ", notice, re.MULTILINE)
        assert licence == "MIT" or any(name.endswith("/LICENSE") for name in names), "NOTICE has the text of MIT"
    assert set(licences) == found


def test_every_file_of_data_is_named_with_its_licence(files: dict[str, bytes]) -> None:
    notice = files["NOTICE"].decode("utf-8")
    data = [name for name in files if name.endswith(".npz")]
    sections = re.split(r"\n\n\n", notice)
    assert len(data) == 3
    for name in data:
        assert any(name in section and "CC0 1.0" in section for section in sections), name


def test_it_is_not_built_without_an_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--edition", "platform", "--output", str(tmp_path), "--no-validate"]
    assert build_addon.main(arguments) == 1
    assert "--website" in capsys.readouterr().err
    assert build_addon.main([*arguments, "--website", 'https://x/" # ']) == 1
    assert "https://NAME" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_part_to_leave_out_that_is_gone_is_an_error() -> None:
    wrong = build_addon.Edition(left_out=("acceleration/",))
    with pytest.raises(build_addon.BuildError, match="acceleration/"):
        build_addon.zip_entries(REPOSITORY, [], wrong)


@needs_bpy
def test_blenders_own_tool_accepts_it(extension: Path) -> None:
    assert extension.name.endswith("-platform.zip")
    assert "Success" in build_addon.validate(extension)


@needs_bpy
def test_a_clean_blender_fits_with_it_and_refuses_a_gpu(extension: Path, tmp_path: Path) -> None:
    resources = tmp_path / "user"
    for name in ("config", "scripts", "extensions"):
        (resources / name).mkdir(parents=True)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", FIT, str(extension), str(REPOSITORY / "samples" / "walk.trc")],
        cwd=tmp_path, env={**variables, "BLENDER_USER_RESOURCES": str(resources)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "RESULT " in done.stdout, done.stdout + done.stderr
    seen = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))[7:])
    assert 0.0 < seen["error"] < 20.0
    assert "expected the device numpy" in seen["refusal"]
    assert seen["devices"] == ["numpy", "cuda"], "what the scene has stored can be seen, and changed"
    assert seen["operators"] == []
    assert "body_file" in seen["settings"] and "fit_place" not in seen["settings"]
    assert not seen["torch"]


@pytest.mark.parametrize(("name", "size"), [("icon", (256, 256)), ("track", (1920, 1080)), ("result", (1920, 1080))])
def test_the_pictures_of_the_page_have_the_size_that_the_platform_asks_for(name, size):
    header = (REPOSITORY / "docs" / "listing" / f"{name}.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", header[16:24]) == size
