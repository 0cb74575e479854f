"""BVH files are read as the motion that they were written from, whatever their channels, units, axes and names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="BVH files are written with SciPy, which Blender's environments do not have")

from core.body.model import world_rotations  # noqa: E402
from core.errors import TrackFileError  # noqa: E402
from core.fingers import without_fingers  # noqa: E402
from core.formats.bvh import parse_bvh  # noqa: E402
from core.math.rotations import matrix_to_axis_angle, nearest_rotation  # noqa: E402
from core.motion import Motion  # noqa: E402
from core.pipeline import ConvertOptions, fit_file  # noqa: E402
from core.reading import ReadOptions, read_all  # noqa: E402
from core.smpl_skeleton import JOINT_INDEX  # noqa: E402
from tests.bvh_files import BIPED, BvhForm, bvh_text, tree_text  # noqa: E402
from tests.core.fit.scenes import Scene, walking  # noqa: E402
from tests.core.retarget.rigs import load_rig  # noqa: E402
from tests.recordings import ORIGINAL, ORIGINALS, SOURCES  # noqa: E402

JOINTS = {"hips": "pelvis", "chest": "spine3", "head": "head"} | {
    f"{side}_{point}": f"{side}_{joint}"
    for side in ("left", "right")
    for point, joint in (("hip", "hip"), ("knee", "knee"), ("ankle", "ankle"), ("ball", "foot"), ("wrist", "wrist"),
                         ("shoulder", "shoulder"), ("elbow", "elbow"), ("clavicle", "collar"), ("hand_end", "hand"))
}  # fmt: skip


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:190]


@pytest.fixture(scope="module")
def motion(scene) -> Motion:
    poses = matrix_to_axis_angle(scene.rotations.astype(np.float64)).reshape(len(scene), -1)
    return Motion(poses, scene.betas.astype(np.float64), scene.trans.astype(np.float64), scene.fps)


def errors_mm(track, scene: Scene) -> np.ndarray:
    """Return the largest distance of each joint from its place, millimetres, in axes that differ by a turn."""
    names = track.layout.names
    read = track.positions[:, [names.index(name) for name in JOINTS]]
    true = scene.joints[:, [JOINT_INDEX[joint] for joint in JOINTS.values()]]
    return 1000.0 * np.linalg.norm(read - true, axis=-1).max(axis=0)


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        (BvhForm(), "cm"),
        (BvhForm(order="XYZ", moves="all", unit_m=1.0), "m"),
        (BvhForm(order="YZX", moves="added", unit_m=0.001), "mm"),
        (BvhForm(order="YXZ", unit_m=0.0254), "in"),
        (BvhForm(order="ZYX", unit_m=0.0254 / 0.45, rest_first=True), "cmu"),
        (BvhForm(names=BIPED, z_up=True), "cm"),
        (BvhForm(names={}), "cm"),
        (BvhForm(along=True), "cm"),
    ],
    ids=["Mixamo", "all joints move", "positions added", "inches", "CMU", "Biped, Z up", "no names", "bones along X"],
)
def test_joints_are_where_they_were(tmp_path, scene, motion, form, unit):
    (tmp_path / "a.bvh").write_text(bvh_text(motion, form))
    (reading,) = read_all(tmp_path / "a.bvh")
    track = reading.track
    assert (reading.kind, track.layout.name, track.fps, track.num_frames) == ("BVH", "armature", 30.0, len(scene))
    assert reading.finding("units").value == unit
    assert reading.finding("up axis").value == ("+Z" if form.z_up else "+Y")
    assert errors_mm(track, scene).max() < 0.1
    assert ("by the shape" in " ".join(reading.doubts)) == (not form.names)
    assert len(reading.doubts) == (not form.names)
    assert ("rest pose" in " ".join(reading.remarks)) == form.rest_first


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\r"),
    lambda text: text.replace("\n\t", " "), lambda text: text.replace("{", "\n\n{").replace(" ", "\t"),
    lambda text: text.replace("rotation", "ROTATION").replace("JOINT", "joint"), lambda text: "\ufeff" + text,
    lambda text: text.rstrip("\n"), lambda text: text.replace("Frames: 40", "Frames: 30"),
])  # fmt: skip
def test_other_spellings_say_the_same(tmp_path, scene, motion, change):
    (tmp_path / "a.bvh").write_text(change(bvh_text(motion)), newline="")
    (reading,) = read_all(tmp_path / "a.bvh")
    assert errors_mm(reading.track, scene).max() < 0.1


@pytest.mark.parametrize(
    ("written", "fps"),
    [
        (".0083333", 120.0),
        ("0.033333", 30.0),
        ("0.0333", 30.0),
        ("0.041708", 23.976),
        ("0.016666", 60.0),
        ("1e-2", 100),
    ],
)
def test_the_frame_time_is_as_exact_as_its_digits(tmp_path, motion, written, fps):
    (tmp_path / "a.bvh").write_text(bvh_text(motion, BvhForm(frame_time=written)))
    assert parse_bvh(tmp_path / "a.bvh").fps == pytest.approx(fps, rel=1e-5)


def test_a_file_without_a_rate_asks_for_it(tmp_path, motion):
    (tmp_path / "a.bvh").write_text(bvh_text(motion, BvhForm(frame_time="0")))
    assert read_all(tmp_path / "a.bvh", ReadOptions(fps=25.0))[0].track.fps == 25.0


def test_a_giant_is_scaled_to_a_person_with_a_doubt(tmp_path, motion):
    (tmp_path / "a.bvh").write_text(bvh_text(motion, BvhForm(unit_m=0.2)))
    (reading,) = read_all(tmp_path / "a.bvh")
    assert reading.finding("units").value == "own"
    assert "scaled to 1.70 m" in reading.doubts[0]
    (given,) = read_all(tmp_path / "a.bvh", ReadOptions(units="own"))
    np.testing.assert_allclose(given.track.positions, reading.track.positions)


def test_two_skeletons_are_two_people_and_a_prop_is_left_out(tmp_path, motion):
    heads, bodies = zip(*(bvh_text(motion, form).split("MOTION\n") for form in (BvhForm(), BvhForm(names=BIPED))),
                        strict=True)  # fmt: skip
    rows = [body.splitlines()[2:] for body in bodies]
    prop = "ROOT ball\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n}\n"
    text = heads[0] + heads[1].removeprefix("HIERARCHY\n") + prop + "MOTION\nFrames: 40\nFrame Time: 0.0333333\n"
    (tmp_path / "a.bvh").write_text(text + "".join(f"{a} {b} 0 0 0\n" for a, b in zip(*rows, strict=True)))
    readings = read_all(tmp_path / "a.bvh")
    assert [reading.track.person for reading in readings] == ["Hips", "Bip01 Pelvis"]
    assert all("Left out ball, which is not the skeleton of a person." in reading.remarks for reading in readings)


@pytest.mark.parametrize("name", ["rig_horse", "rig_fox", "rig_spider", "rig_dragon", "rig_bird", "rig_kaiju"])
def test_an_animal_is_refused(tmp_path, name):
    rig = load_rig(name)
    offsets = rig.heads - np.where(rig.parents[:, None] >= 0, rig.heads[rig.parents], 0.0)
    (tmp_path / "a.bvh").write_text(tree_text([n.replace(" ", "_") for n in rig.names], list(rig.parents), offsets))
    with pytest.raises(TrackFileError, match="expected the skeleton of a person, found another one"):
        read_all(tmp_path / "a.bvh")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: text.index("MOTION")], "a line MOTION"),
        (lambda text: text.replace("Frames:", "Bilder:"), "'Frames:' and 'Frame Time:'"),
        (lambda text: text.replace("Yrotation", "Qrotation", 1), "the channel 'Qrotation'"),
        (lambda text: text.replace("OFFSET", "OFFSET x", 1), "'x' where a number is due"),
        (lambda text: text.replace("}", "", 1), "joints that are not closed"),
        (lambda text: text.rstrip("\n")[:-30], "the file was cut off"),
        (lambda text: text.rsplit("\n", 3)[0], "no last line end"),
        (lambda text: text[: text.index("\n", text.index("Frame Time"))] + "\n", "found 0 frames"),
    ],
)
def test_a_damaged_file_says_where(tmp_path, motion, change, message):
    (tmp_path / "a.bvh").write_text(change(bvh_text(motion)))
    with pytest.raises(TrackFileError, match=message):
        read_all(tmp_path / "a.bvh")


def test_a_file_of_fewer_frames_than_it_says_is_doubted(tmp_path, motion):
    (tmp_path / "a.bvh").write_text(bvh_text(motion).replace("Frames: 40", "Frames: 50"))
    (reading,) = read_all(tmp_path / "a.bvh")
    assert "the file was cut off: its header says 50 frames, it has 40" in reading.doubts


# The fit


_PARTS = {
    "pelvis": ("pelvis",), "thigh": ("left_hip", "right_hip"), "head": ("head",), "foot": ("left_ankle", "right_ankle"),
    "hand": ("left_wrist", "right_wrist"), "arm": ("left_shoulder", "right_shoulder"),
}  # fmt: skip


def turn_errors_deg(fitted: Motion, rotations: np.ndarray) -> dict[str, float]:
    """Return the median angle between the world rotations of some joints."""
    found = {}
    turns = [world_rotations(local) for local in (fitted.rotations(), rotations)]
    for part, joints in _PARTS.items():
        columns = [JOINT_INDEX[joint] for joint in joints]
        traces = np.einsum("fjab,fjab->fj", *(turn[:, columns] for turn in turns))
        found[part] = float(np.degrees(np.median(np.arccos(np.clip((traces - 1.0) / 2.0, -1.0, 1.0)))))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("form", [BvhForm(), BvhForm(along=True)], ids=["T-pose", "bones along X"])
def test_bones_turn_as_they_did(tmp_path, scene, motion, form):
    (tmp_path / "a.bvh").write_text(bvh_text(motion, form))
    (person,) = fit_file(tmp_path / "a.bvh", ConvertOptions())
    errors = turn_errors_deg(without_fingers(person.motion), scene.rotations)
    assert errors["pelvis"] < 4.0
    assert errors["thigh"] < 6.0
    assert errors["foot"] < 4.0
    if form.along:
        assert errors["head"] < 12.0
    else:
        assert errors["head"] < 3.0 and errors["hand"] < 3.0 and errors["arm"] < 15.0


@pytest.mark.slow
@pytest.mark.skipif(ORIGINAL not in SOURCES, reason="needs the original recordings")
@pytest.mark.parametrize("clip", ["02_05", "07_01", "16_15", "35_10"])
def test_cmu_files_are_read_as_the_motion_that_was_solved_from_them(clip):
    (person,) = fit_file(ORIGINALS / "cmu_bvh" / f"{clip}.bvh", ConvertOptions())
    true = np.load(ORIGINALS / "cmu_smpl" / f"CMU_{clip}_poses.npz")
    poses = np.concatenate([true["poses"][:, :66], np.zeros((len(true["poses"]), 6))], axis=1)
    rotations = Motion(poses, np.zeros(10), true["trans"], 30.0).rotations()
    fitted = without_fingers(person.motion)
    taken = 4 * np.arange(len(rotations))
    taken = taken[taken < fitted.num_frames]
    taken_motion = replace(fitted, poses=fitted.poses[taken], trans=fitted.trans[taken])
    errors = turn_errors_deg(taken_motion, rotations[: len(taken)])
    assert errors["pelvis"] < 9.0, "most of which is one rotation, constant over the clip"
    turns = np.swapaxes(rotations[: len(taken), 0], -1, -2) @ taken_motion.rotations()[:, 0]
    varying = matrix_to_axis_angle(np.swapaxes(nearest_rotation(turns.mean(axis=0))[None], -1, -2) @ turns)
    assert np.degrees(np.sqrt((varying**2).sum(axis=-1).mean())) < 2.5
    assert errors["thigh"] < 5.0
    assert errors["head"] < 6.0
    assert errors["arm"] < 15.0, "8 degrees of which are a different zero"
