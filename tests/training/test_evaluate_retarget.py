"""The table of retargeting on a small case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.amass import write_motion
from core.retarget.bone_map import BoneMap
from core.retarget.rig import Rig
from core.retarget.rig_file import write_rig
from tests.core.retarget.smpl_characters import SMPL_MAP, bones_turned, limbs_stretched, smpl_rig, walk_analysis
from training.evaluate_retarget import main
from training.evaluation.character_files import read_character
from training.evaluation.mapping_metrics import mapping_metrics


def _write_rig(path: Path, rig: Rig) -> None:
    write_rig(path, rig)
    path.with_suffix(".json").write_text(SMPL_MAP.to_json())


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    rigs, motions = tmp_path / "rigs", tmp_path / "motions"
    rigs.mkdir()
    motions.mkdir()
    rest = {"left_shoulder": np.array([0.0, 0.0, -0.9]), "right_shoulder": np.array([0.0, 0.0, 0.9])}
    stretched = limbs_stretched(smpl_rig(skin=False), {"left_knee": 1.2, "right_knee": 1.2})
    _write_rig(rigs / "a_pose.npz", bones_turned(smpl_rig(), rest))
    _write_rig(rigs / "tall.npz", stretched)
    motion = walk_analysis().motion
    part = replace(motion, poses=motion.poses[60:200], trans=motion.trans[60:200])
    write_motion(motions / "walk.npz", part, up_axis="Y")
    return rigs, motions


def test_ours_is_measured_beside_the_plain_retarget(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "figures.json"
    assert main([*map(str, folders), "--frames", "130", "--live", "--json", str(output)]) == 0
    rows = json.loads(output.read_text())
    assert list(rows["ours"]) == ["a_pose walk", "tall walk"]
    tilted, tall = rows["ours"].values()
    plain_tilted, plain_tall = rows["plain"].values()
    assert tilted["arms_deg"] < 0.1 < 20.0 < plain_tilted["arms_deg"]
    assert tall["slide_mm"] < 2.0 < 10.0 < plain_tall["slide_mm"]
    assert -3.0 < tilted["sole_mm"] < 1.0
    assert tall["sole_mm"] is None, "without a skin nothing is known of the soles"
    assert 0.9 < tilted["acceleration"] < 1.1
    live_tilted, live_tall = rows["live"].values()
    assert live_tilted["arms_deg"] < 0.1 and live_tall["slide_mm"] < 4.0 and live_tilted["acceleration"] < 1.2
    assert rows["bones"]["tall"] == {
        "named_limbs": 1.0, "named_roles": 1.0, "nameless_limbs": 1.0, "nameless_roles": 1.0, "certain_wrong": 0.0,
    }  # fmt: skip
    table = capsys.readouterr().out
    assert "2 characters, 1 clips" in table and "worst_slide_mm" in table and "a_pose walk" in table


def test_bones_that_the_names_give_wrongly_are_counted() -> None:
    rig = smpl_rig(skin=False)
    swapped = {"left_knee": "left_ankle", "left_ankle": "left_knee"}
    names = tuple(swapped.get(name, name) for name in rig.names)
    metrics = mapping_metrics(replace(rig, names=names), BoneMap(renamed(SMPL_MAP.bones, swapped)))
    assert metrics["nameless_limbs"] == 1.0
    assert metrics["named_limbs"] <= 10 / 12 and metrics["named_roles"] < 1.0 and metrics["certain_wrong"] == 0.0


def renamed(bones: Mapping[str, tuple[str, ...]], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {role: tuple(names.get(name, name) for name in chain) for role, chain in bones.items()}


def test_the_bones_are_found_where_there_is_no_bone_map(folders: tuple[Path, Path]) -> None:
    (folders[0] / "tall.json").unlink()
    assert read_character(folders[0] / "tall.npz", folders[0] / "tall.json")[1].bones == SMPL_MAP.bones


def test_a_rig_without_a_person_is_left_out(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    rig = smpl_rig(skin=False)
    names = tuple(f"bone {number}" for number in range(len(rig.names)))
    _write_rig(folders[0] / "ball.npz", replace(rig, names=names, heads=0.0 * rig.heads, tails=0.0 * rig.tails))
    (folders[0] / "ball.json").unlink()
    assert main([*map(str, folders), "--frames", "20"]) == 1
    shown = capsys.readouterr()
    assert "left out: ball.npz" in shown.err and "skeleton of a person" in shown.err
    assert "2 characters" in shown.out, "the others are measured"


def test_a_file_that_is_no_rig_is_left_out(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(folders[0] / "other.npz", names=np.array(["a"]))
    assert main([*map(str, folders), "--rigs", "other"]) == 1
    error = capsys.readouterr().err
    assert "heads" in error and "expected a usable character" in error


def test_a_rig_is_read_as_it_was_written(folders: tuple[Path, Path]) -> None:
    rig, bone_map = read_character(folders[0] / "a_pose.npz", folders[0] / "a_pose.json")
    assert rig.names == smpl_rig().names and bone_map.bones == SMPL_MAP.bones
