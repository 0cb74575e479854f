"""The batch with a character: its files instead of the figures', its facts in the report, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch.cli import main  # noqa: E402
from blender_addon.batch.convert import convert  # noqa: E402
from blender_addon.character.file import open_character  # noqa: E402
from core.convert_options import ConvertOptions  # noqa: E402
from core.errors import CoreError  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, write_character  # noqa: E402
from tests.summaries import read_summary  # noqa: E402


@pytest.fixture
def hero_file(scene, tmp_path):
    path = tmp_path / "hero.blend"
    write_character(path)
    return path


def test_the_batch_retargets_a_clip(hero_file, write_track, tmp_path):
    source, out = write_track(tmp_path / "in" / "walk.npz"), tmp_path / "out"
    bones = tmp_path / "bones.json"
    bones.write_text(BoneMap({role: tuple(chain) for role, chain in ROLES.items()}).to_json())
    base = [str(source), "-o", str(out), "--quality", "fast", "--formats", "glb", "fbx", "--bones", str(bones)]
    options = ["--feet", "0.5", "--steps", "1.5", "--root-motion", "bone"]
    assert main([*base, "--character", f"{hero_file}#hero", *options]) == 0
    assert {path.name for path in out.iterdir()} == {"walk.glb", "walk.fbx", "walk.smplify.json", "summary.jsonl"}
    report = json.loads((out / "walk.smplify.json").read_text())
    (person,) = report["people"]
    assert person["character"]["slide_mm"] >= 0.0 and "out_of_reach" in person["character"]
    bpy.context.scene.render.fps = 30
    read = open_character(out / "walk.glb")
    assert {bone.name for bone in read.data.bones} >= {"hips", "arm.L", "toe.R"}
    heads, _ = evaluated(read, range(0, 12, 3))
    assert np.abs(heads - heads[0]).max() > 1e-3
    assert main([*base, "--character", f"{hero_file}#hero", *options]) == 0
    assert read_summary(out)["inputs"][0]["status"] == "skipped"


def test_wrong_usage_is_refused_before_any_work(hero_file, write_track, tmp_path, capfd):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    base = [str(source), "-o", str(out)]
    for arguments, text in (
        (["--feet", "1"], "expected --character FILE with the options for a character"),
        (["--character", str(hero_file), "--formats", "bvh", "glb"], "expected formats out of blend, fbx, glb"),
        (["--character", "gone.fbx"], "expected a file at gone.fbx, found none"),
        (["--character", str(source)], "expected a character in one of .fbx"),
        (["--character", str(hero_file), "--bones", "gone.json"], "expected a bone map at gone.json"),
        (["--character", str(hero_file), "--bones", str(hero_file)], "found no text in UTF-8"),
        (["--character", str(hero_file), "--hands", "3"], "expected hands from 0 to 1, got 3.0"),
        (["--character", str(hero_file), "--steps", "long"], "expected leg, same or a factor, got 'long'"),
    ):
        assert main([*base, *arguments]) == 2
        assert text in capfd.readouterr().err
    assert not out.exists()


@pytest.mark.main_blender
@pytest.mark.parametrize("fault", ["bones", "armature", "broken"])
def test_a_character_that_cannot_be_used_is_refused_once(hero_file, write_track, tmp_path, capfd, fault):
    sources = [str(write_track(tmp_path / f"{name}.npz")) for name in ("walk", "run")]
    out, bones = tmp_path / "out", tmp_path / "bones.json"
    bones.write_text(BoneMap({"hips": ("pelvis",)}).to_json())
    (tmp_path / "broken.fbx").write_bytes(b"Kaydara FBX Binary  \0\x1a\0" + bytes(range(256)))
    options, message = {
        "bones": ([str(hero_file), "--bones", str(bones)], "expected bones of the character, but it has no 'pelvis'"),
        "armature": ([f"{hero_file}#villain"], "expected an armature 'villain' in hero.blend"),
        "broken": ([str(tmp_path / "broken.fbx")], "expected a character in broken.fbx"),
    }[fault]
    assert main([*sources, "-o", str(out), "--quality", "fast", "--character", *options]) == 2
    errors = capfd.readouterr().err
    assert errors.count(message) == 1 and "python -m blender_addon: expected" in errors
    assert not out.exists()


def test_a_character_that_cannot_be_used_is_told_before_the_fit(hero_file, write_track, tmp_path, monkeypatch):
    monkeypatch.setattr("blender_addon.batch.convert.fit_file", lambda *_, **__: pytest.fail("the fit was started"))
    bones = tmp_path / "bones.json"
    bones.write_text(BoneMap({"hips": ("pelvis",)}).to_json())
    for given, message in (({"armature": "villain"}, "'villain'"), ({"bones": str(bones)}, "has no 'pelvis'")):
        options = ConvertOptions(character=str(hero_file), formats=("glb",), **given)
        request = {
            "source": str(write_track(tmp_path / "walk.npz")), "folder": str(tmp_path), "stem": "walk",
            "options": options.as_dict(),
        }  # fmt: skip
        with pytest.raises(CoreError, match=message):
            convert(request, lambda share, what: None)


def test_options_of_a_character_are_stored_only_if_given():
    assert not {"character", "armature", "bones", "retarget", "correctives"} & set(ConvertOptions().as_dict())
    options = ConvertOptions(character="a.fbx", armature="rig", bones="b.json", retarget={"steps": 2.0})
    assert ConvertOptions.from_dict(json.loads(json.dumps(options.as_dict()))).as_dict() == options.as_dict()
    assert options.files() == {"the character": "a.fbx", "the bone map": "b.json"}
