"""What happens to a user's preferences and files when the extension comes and goes; in a Blender without a window."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.window.harness.installation import MODULE, clean_user, install, installed_in, run_script

REPOSITORY = Path(__file__).resolve().parents[2]
VERSION = re.compile(rb'^version = "([^"]+)"$', re.MULTILINE)

# Where every bone and some vertices are in some frames, and what it takes to show them.
MEASURE = """
import bpy, json
scene = bpy.context.scene
armature = next(item for item in scene.objects if item.type == "ARMATURE")
mesh = next(item for item in scene.objects if item.type == "MESH" and item.parent == armature)
frames = {}
for frame in (1, 100, 300):
    scene.frame_set(frame)
    shown = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    frames[frame] = [
        [list(bone.head) for bone in armature.pose.bones],
        [list(vertex.co) for vertex in list(shown.vertices)[::100]],
    ]
enabled = [name for name in bpy.context.preferences.addons.keys() if "smplify" in name]
print("MEASURED" + json.dumps({"frames": frames, "addons": enabled, "modifiers": [m.type for m in mesh.modifiers]}))
"""


def measured(said: str) -> dict:
    return json.loads(said.split("MEASURED")[1].splitlines()[0])


def test_a_file_made_with_the_extension_opens_without_it(program, user, tmp_path) -> None:
    shutil.copy(REPOSITORY / "samples" / "walk.trc", tmp_path)
    path = str(tmp_path / "walk.blend")
    made = run_script(
        program,
        f"import bpy\nbpy.ops.smplify.open_track(filepath={str(tmp_path / 'walk.trc')!r})\nbpy.ops.smplify.fit()\n"
        f"bpy.ops.wm.save_as_mainfile(filepath={path!r})\n" + MEASURE,
        user,
    )  # fmt: skip
    without = run_script(program, MEASURE, clean_user(tmp_path / "other"), path)

    assert measured(made)["addons"] == [MODULE]
    assert measured(without)["addons"] == []
    assert measured(without)["modifiers"] == ["ARMATURE"]
    for frame, values in measured(made)["frames"].items():
        for ours, theirs in zip(values, measured(without)["frames"][frame], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert "smplify" not in without.lower().replace("learnable-smplify-blender", "").split("MEASURED".lower())[0]


@pytest.fixture
def newer(extension, tmp_path) -> Path:
    """The extension with a higher version number."""
    path = tmp_path / "newer.zip"
    with zipfile.ZipFile(extension) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "blender_manifest.toml":
                content, count = VERSION.subn(b'version = "99.0.0"', content)
                assert count == 1
            new.writestr(name, content)
    return path


def test_an_upgrade_keeps_the_preferences(program, extension, newer, tmp_path) -> None:
    user = clean_user(tmp_path / "user")
    install(program, extension, user)
    preferences = f"import bpy\npreferences = bpy.context.preferences.addons[{MODULE!r}].preferences\n"
    run_script(program, preferences + "preferences.body_file = '/bodies/mine.npz'\nbpy.ops.wm.save_userpref()", user)

    install(program, newer, user)

    manifest = installed_in(user) / "blender_manifest.toml"
    assert VERSION.search(manifest.read_bytes())[1] == b"99.0.0"
    assert "BODY /bodies/mine.npz" in run_script(program, preferences + "print('BODY', preferences.body_file)", user)
