"""BVH, ASF and AMC: parsing, forward kinematics and conversion to SMPL, against SciPy, known motions and markers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel, world_rotations
from core.errors import InputMissingError, MotionError
from core.formats.c3d_file import read_c3d
from core.math.rotations import axis_angle_to_matrix
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.cmu.actor import METRES_PER_UNIT, ActorMotion, actor_to_motion
from training.cmu.asf_amc import AMC_BONES, T_POSE, read_asf_amc
from training.cmu.bvh import BVH_BONES, read_bvh, read_cmu_bvh
from training.prepare_cmu import convert, main, subject_and_clip

SMALL_BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 1.0 2.0 3.0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Chest
  {
    OFFSET 0.0 5.0 0.0
    CHANNELS 3 Xrotation Zrotation Yrotation
    End Site
    {
      OFFSET 0.0 9.0 0.0
    }
  }
  JOINT Leg
  {
    OFFSET 0 -4 0
    CHANNELS 3 Zrotation Yrotation Xrotation
  }
}
MOTION
Frames: 2
Frame Time: .0083333
0 0 0 0 0 0 0 0 0 0 0 0
10 20 30 15 -25 35 40 50 -60 5 6 7
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="latin-1")
    return path


def test_bvh_pose_agrees_with_scipy(tmp_path: Path) -> None:
    bvh = read_bvh(write(tmp_path, "a.bvh", SMALL_BVH))
    joints = [joint for joint, name in enumerate(bvh.names) if name]
    assert ([bvh.names[joint] for joint in joints], bvh.fps) == (["Hips", "Chest", "Leg"], 120.0)
    assert [bvh.parents[joint] for joint in joints] == [-1, 0, 0]
    places, rotations = bvh.motion(joints)
    places = places[:, joints]
    hips = Rotation.from_euler("ZYX", [15, -25, 35], degrees=True)
    chest = hips * Rotation.from_euler("XZY", [40, 50, -60], degrees=True)
    np.testing.assert_allclose(rotations[1, 0], hips.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotations[1, 1], chest.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(places[1, 0], [10, 20, 30])
    np.testing.assert_allclose(places[1, 1], [10, 20, 30] + hips.apply([0, 5, 0]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Frames: 2", "Frames: 3"),
        ("Zposition", "Wposition"),
        ("40 50", "40 fifty"),
        ("    }\n  }\n  JOINT Leg", "    }\n  JOINT Leg"),
        ("MOTION", "MOTOIN"),
        ("OFFSET 0 -4 0", "OFFSET 0 -4"),
        (".0083333", "0"),
        ("-60 5", "nan 5"),
    ],
)
def test_damaged_bvh_files_are_reported(tmp_path: Path, old: str, new: str) -> None:
    assert old in SMALL_BVH
    path = write(tmp_path, "a.bvh", SMALL_BVH.replace(old, new))
    with pytest.raises(MotionError, match="expected a whole BVH file.*a.bvh"):
        read_bvh(path)


def test_another_skeleton_is_refused_with_its_bones(tmp_path: Path) -> None:
    actor = read_cmu_bvh(write(tmp_path, "a.bvh", SMALL_BVH))
    with pytest.raises(MotionError, match="no bones Head, LeftArm.*Hips, Chest, Leg"):
        actor_to_motion(actor, BVH_BONES, load_free_body(), "a.bvh")
    with pytest.raises(InputMissingError, match="a BVH file"):
        read_bvh(tmp_path / "none.bvh")


PARENTS = {
    "lfemur": "root", "ltibia": "lfemur", "lfoot": "ltibia", "ltoes": "lfoot", "rfemur": "root", "rtibia": "rfemur",
    "rfoot": "rtibia", "rtoes": "rfoot", "lowerback": "root", "upperback": "lowerback", "thorax": "upperback",
    "lowerneck": "thorax", "upperneck": "lowerneck", "head": "upperneck", "lclavicle": "thorax",
    "lhumerus": "lclavicle", "lradius": "lhumerus", "lwrist": "lradius", "rclavicle": "thorax",
    "rhumerus": "rclavicle", "rradius": "rhumerus", "rwrist": "rradius",
}  # fmt: skip
LEG = np.array([0.342, -0.94, 0.0])


def acclaim_files(folder: Path, frames: int = 4) -> tuple[Path, dict[str, Rotation], np.ndarray]:
    """Write a skeleton with different axes for each bone, and a random motion.

    Returns:
        The .amc, the bones' rotations relative to the world, the root's places in metres.
    """
    random = np.random.default_rng(3)
    data, lines = [], [[str(number + 1)] for number in range(frames)]
    root_angles, root_places = random.uniform(-60, 60, (frames, 3)), random.uniform(-20, 20, (frames, 3))
    world = {"root": Rotation.from_euler("xyz", root_angles, degrees=True)}
    for number in range(frames):
        lines[number].append("root " + " ".join(f"{v:.9f}" for v in (*root_places[number], *root_angles[number])))
    for index, (name, parent) in enumerate(PARENTS.items()):
        axis, direction = (
            random.uniform(-90, 90, 3),
            LEG if name[1:] in ("femur", "tibia") else np.array([0.0, 1.0, 0.0]),
        )
        degrees = ("rx", "ry", "rz") if index % 3 else ("rx", "rz")
        degrees = () if name.endswith("clavicle") else degrees
        dof = f"dof {' '.join(degrees)}\nlimits (-160.0 20.0)\n(-70.0 70.0)\n" if degrees else ""
        data.append(
            f"begin\nid {index + 1}\nname {name}\ndirection {direction[0]} {direction[1]} {direction[2]}\nlength 6.5\n"
            f"axis {axis[0]:.9f} {axis[1]:.9f} {axis[2]:.9f} XYZ\n{dof}end\n"
        )
        frame = Rotation.from_euler("xyz", axis, degrees=True)
        turn = Rotation.identity(frames)
        if degrees:
            angles = random.uniform(-50, 50, (frames, len(degrees)))
            turn = Rotation.from_euler("".join(one[1] for one in degrees), angles, degrees=True)
            for number in range(frames):
                lines[number].append(f"{name} " + " ".join(f"{value:.9f}" for value in angles[number]))
        world[name] = world[parent] * (frame * turn * frame.inv())
    children = {parent: [n for n, p in PARENTS.items() if p == parent] for parent in ("root", *PARENTS)}
    hierarchy = "\n".join(f"{parent} {' '.join(names)}" for parent, names in children.items() if names)
    (folder / "07.asf").write_text(
        "# made by a test\n:version 1.10\n:name VICON\n:units\n  mass 1.0\n  length 0.45\n  angle deg\n"
        ":documentation\n  none\n:root\norder TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\norientation 0 0 0\n"
        f":bonedata\n{''.join(data)}:hierarchy\nbegin\n{hierarchy}\nend\n"
    )
    path = folder / "07_11.amc"
    path.write_text("#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n" + "\n".join("\n".join(one) for one in lines) + "\n")
    return path, world, METRES_PER_UNIT * root_places


def test_acclaim_motion_is_recovered(tmp_path: Path) -> None:
    path, world, places = acclaim_files(tmp_path)
    actor = read_asf_amc(tmp_path / "07.asf", path)
    for name, rotation in world.items():
        axis, degrees = T_POSE.get(name, (0, 0.0))
        rest = Rotation.from_euler("xyz"[axis], degrees, degrees=True)
        found = Rotation.from_matrix(actor.rotations[:, actor.bone(name)])
        assert (found.inv() * (rotation * rest.inv())).magnitude().max() < 1e-7
    np.testing.assert_allclose(actor.positions[:, 0], places, atol=1e-9)
    knee, hip = (actor.positions[:, actor.bone(name)] for name in ("ltibia", "lfemur"))
    np.testing.assert_allclose(knee - hip, world["lfemur"].apply(6.5 * METRES_PER_UNIT * LEG), atol=1e-9)
    motion = convert(path, load_free_body(), None)
    smpl = world_rotations(motion.rotations())
    elbow = Rotation.from_matrix(smpl[:, JOINT_INDEX["left_elbow"]])
    rest = Rotation.from_euler("z", -8.0, degrees=True)
    assert (elbow.inv() * (world["lradius"] * rest.inv())).magnitude().max() < 1e-6
    assert motion.fps == 120.0


def test_t_pose_becomes_smpls_rest_pose(tmp_path: Path) -> None:
    """The bones are rotated to the T-pose on a skeleton whose zero pose has the T-pose's angles."""
    names = ("root", *PARENTS)
    turns = np.broadcast_to(np.eye(3), (2, len(names), 3, 3))
    places = np.zeros((2, len(names), 3))
    for bone, height in (("lfemur", 0.9), ("ltibia", 0.5), ("lfoot", 0.1)):
        places[:, names.index(bone), 1] = height
    motion = actor_to_motion(ActorMotion(names, turns, places, 120.0), AMC_BONES, load_free_body(), "x")
    np.testing.assert_allclose(motion.poses, 0.0, atol=1e-7)


@pytest.mark.parametrize(
    ("which", "old", "new", "text"),
    [
        ("07.asf", "length 6.5", "length long", "ASF"),
        ("07.asf", "name lfemur", "name other", "ASF"),
        ("07.asf", "order TX TY TZ", "order TX TY TY", "ASF"),
        ("07_11.amc", "\nltibia", "\nlshin", "a bone of the skeleton"),
        ("07_11.amc", "\n2\n", "\n2\nhead 1 2 3\n", "once per frame"),
    ],
)
def test_damaged_acclaim_files_are_reported(tmp_path: Path, which: str, old: str, new: str, text: str) -> None:
    path = acclaim_files(tmp_path)[0]
    damaged = tmp_path / which
    whole = damaged.read_text()
    assert old in whole
    damaged.write_text(whole.replace(old, new, 1))
    with pytest.raises(MotionError, match=text):
        convert(path, load_free_body(), None)


def test_file_names_give_subject_and_clip() -> None:
    assert subject_and_clip(Path("x/02_05.bvh")) == ("02", "05")
    assert subject_and_clip(Path("85/12.amc")) == ("85", "12")
    assert subject_and_clip(Path("02_05_take_2.bvh")) == ("02", "05-take-2")


def test_command_output_can_be_read_for_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acclaim_files(tmp_path, frames=40)
    assert main([str(tmp_path), "--output", str(tmp_path / "out")]) == 0
    with np.load(tmp_path / "out" / "CMU_07_11_poses.npz") as written:
        assert written["poses"].shape == (10, 156) and float(written["mocap_framerate"]) == 30.0
        assert str(written["up_axis"]) == "Y"
    (tmp_path / "08_01.amc").write_text("1\nroot 0 0 0 0 0 0\n")
    assert main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "08.asf" in capsys.readouterr().err
    assert main([str(tmp_path / "out")]) == 1
    assert "mocap.cs.cmu.edu" in capsys.readouterr().err


@pytest.fixture
def originals(shared_dir: Path) -> Path:
    """The original recordings."""
    return shared_dir / "data"


@pytest.mark.parametrize("clip", ["02_05", "05_02", "05_13", "07_01", "16_15", "35_10"])
def test_real_clips_match_the_reference_motions(originals: Path, clip: str) -> None:
    """The same clips converted by another program: equal within a thousandth of a degree and a tenth of a millimetre.

    Positions are scaled to the body's legs, and that program's body has legs a thousandth shorter or longer.
    """
    motion = convert(originals / "cmu_bvh" / f"{clip}.bvh", load_free_body(), 30.0)
    with np.load(originals / "cmu_smpl" / f"CMU_{clip}_poses.npz") as known:
        poses, trans = known["poses"][:, :66].reshape(-1, 22, 3).astype(np.float64), known["trans"]
    assert len(trans) == motion.num_frames
    turn = np.swapaxes(motion.rotations()[:, :22], -1, -2) @ axis_angle_to_matrix(poses)
    assert np.rad2deg(Rotation.from_matrix(turn.reshape(-1, 3, 3)).magnitude().max()) < 1e-3
    body = load_free_body()
    pelvis = body.joint_regressor[0] @ body.v_template
    ours, theirs = motion.trans + pelvis, trans + pelvis
    scale = (ours * theirs).sum() / (theirs**2).sum()
    assert scale == pytest.approx(1.0, abs=0.003)
    np.testing.assert_allclose(ours, scale * theirs, atol=1e-4)


def markers(folder: Path, clip: str) -> dict[str, np.ndarray]:
    """Read the markers of a clip by name, metres, in the BVH's axes; the C3D begins with the clip's first frame."""
    recording = read_c3d(folder / "keypoints" / "c3d" / f"cmu_{clip}.c3d")[0]
    positions = recording.positions[..., [1, 2, 0]] / 1000.0
    return {name: positions[:, column] for column, name in enumerate(recording.names or ())}


def test_hips_and_legs_match_the_markers_joint_centres(originals: Path) -> None:
    """05_13 also contains joint centres; names with a 0 are the distal ends of bones."""
    seen = markers(originals, "05_13")
    actor = read_cmu_bvh(originals / "cmu_bvh" / "05_13.bvh")
    pairs = {"Hips": "PEL0", "LeftUpLeg": "LHJ0", "LeftLeg": "LFE0", "LeftFoot": "LTI0", "RightLeg": "RFE0"}
    for bone, centre in pairs.items():
        off = np.linalg.norm(actor.positions[:, actor.bone(bone)] - seen[centre], axis=-1)
        assert np.nanmax(off) < 1e-3, bone


def bone_angles(motion: Motion, joints: tuple[str, str], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angles (F,), degrees, between a bone of the free body and the line between two markers."""
    body = BodyModel(load_free_body())
    rotations, betas, trans = (np.asarray(a, np.float32) for a in (motion.rotations(), motion.betas, motion.trans))
    places = body.joints(rotations, betas, trans)
    ours = places[:, JOINT_INDEX[joints[1]]] - places[:, JOINT_INDEX[joints[0]]]
    seen = second - first
    cosine = (ours * seen).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(seen, axis=-1)
    return np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))


@pytest.mark.parametrize(
    ("clip", "joints", "names", "degrees"),
    [
        ("05_13", ("left_hip", "left_knee"), ("LHJ0", "LFE0"), 4.0),
        ("05_13", ("right_knee", "right_ankle"), ("RFE0", "RTI0"), 4.0),
        ("05_13", ("left_shoulder", "left_elbow"), ("LCL0", "LHU0"), 8.5),
        ("05_13", ("right_elbow", "right_wrist"), ("RHU0", "RRA0"), 8.5),
        ("02_05", ("left_knee", "left_ankle"), ("LKNE", "LANK"), 10.0),
        ("02_05", ("left_shoulder", "left_elbow"), ("LSHO", "LELB"), 9.0),
    ],
)
def test_limb_directions_match_the_markers(
    originals: Path, clip: str, joints: tuple[str, str], names: tuple[str, str], degrees: float
) -> None:
    """Legs within 4 degrees, arms within 8.5: in cgspeed's T-pose, the reference of rotations, they hang by 8.

    The skin markers of 02_05 do not lie on the bones.
    """
    seen = markers(originals, clip)
    motion = convert(originals / "cmu_bvh" / f"{clip}.bvh", load_free_body(), None)
    assert np.nanmax(bone_angles(motion, joints, seen[names[0]], seen[names[1]])) < degrees
