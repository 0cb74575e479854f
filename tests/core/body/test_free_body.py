"""The shipped free body: format, symmetry, closed surface, landmarks, skin under human poses, agreement with smplx."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.data import BodyData
from core.body.free_body import FREE_BODY_PATH, load_free_body, read_free_body
from core.body.model import BodyModel
from core.errors import BodyError, InputMissingError
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS, NUM_JOINTS, NUM_VERTICES, VERTEX_IDS
from tests.mirrored_vertices import free_body_mirror

FLIP = np.array([-1.0, 1.0, 1.0])
HUMAN_POSES = {
    "arms down": {"left_shoulder": (0, 0, -75), "right_shoulder": (0, 0, 75)},
    "arms up": {
        "left_collar": (0, 0, 25),
        "right_collar": (0, 0, -25),
        "left_shoulder": (0, 0, 60),
        "right_shoulder": (0, 0, -60),
    },
    "deep squat": {
        "left_hip": (-110, 0, 15),
        "right_hip": (-110, 0, -15),
        "left_knee": (130, 0, 0),
        "right_knee": (130, 0, 0),
        "left_ankle": (-25, 0, 0),
        "right_ankle": (-25, 0, 0),
        "spine1": (20, 0, 0),
    },
    "elbows closed": {"left_elbow": (0, -135, 0), "right_elbow": (0, 135, 0), "left_shoulder": (0, 0, -40)},
    "turned": {
        "spine1": (0, 20, 0),
        "spine2": (0, 20, 0),
        "neck": (0, 30, 0),
        "head": (0, 30, 0),
        "left_wrist": (70, 0, 0),
        "right_wrist": (-60, 0, 0),
    },
    "split": {"left_hip": (0, 0, 45), "right_hip": (0, 0, -45), "left_shoulder": (60, -60, 0)},
}


@pytest.fixture(scope="module")
def body() -> BodyData:
    return load_free_body()


@pytest.fixture(scope="module")
def edges(body: BodyData) -> np.ndarray:
    """Return every directed edge (3 F, 2)."""
    return np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])


def rest_joints(body: BodyData) -> dict[str, np.ndarray]:
    return dict(zip(JOINT_NAMES, body.joint_regressor @ body.v_template, strict=True))


def test_file_is_small() -> None:
    assert FREE_BODY_PATH.stat().st_size < 1_000_000


def test_file_states_its_name_and_source(body: BodyData) -> None:
    assert (body.name, body.gender) == ("free_body", "neutral")
    with np.load(FREE_BODY_PATH, allow_pickle=False) as stored:
        source = str(stored["source"])
    assert "MakeHuman" in source and "CC0" in source and "NAVER" in source


def test_free_body_is_read_once() -> None:
    assert load_free_body() is load_free_body()


def test_surface_is_one_closed_sphere(edges: np.ndarray) -> None:
    directed, uses = np.unique(edges, axis=0, return_counts=True)
    assert (uses == 1).all()
    assert np.array_equal(directed, np.unique(edges[:, ::-1], axis=0)), "an edge has no face on its other side"
    assert len(np.unique(edges)) == NUM_VERTICES
    assert NUM_VERTICES - len(directed) // 2 + len(edges) // 3 == 2


def test_surface_is_in_one_piece(edges: np.ndarray) -> None:
    label = np.arange(NUM_VERTICES)
    for _ in range(NUM_VERTICES):
        lowered = label.copy()
        np.minimum.at(lowered, edges[:, 0], label[edges[:, 1]])
        if np.array_equal(lowered, label):
            break
        label = lowered[lowered]
    assert (label == 0).all()


def test_faces_point_outwards_and_none_is_degenerate(body: BodyData) -> None:
    a, b, c = (body.v_template[body.faces[:, i]].astype(np.float64) for i in range(3))
    volume = np.einsum("fc,fc->", a, np.cross(b, c)) / 6
    double_area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.max(
        [np.linalg.norm(b - a, axis=1), np.linalg.norm(c - b, axis=1), np.linalg.norm(a - c, axis=1)], axis=0
    )
    assert 0.055 < volume < 0.070
    assert double_area.min() / 2 > 1e-8
    assert (double_area / longest**2).min() > 0.01


def test_left_mirrors_right_exactly(body: BodyData) -> None:
    mirror = free_body_mirror()
    assert np.array_equal(mirror[mirror], np.arange(NUM_VERTICES))
    assert np.array_equal(body.v_template[mirror] * FLIP, body.v_template)
    assert np.array_equal(body.shapedirs[mirror] * FLIP[:, None], body.shapedirs)
    faces = {tuple(np.roll(face, -int(face.argmin()))) for face in body.faces}
    images = {tuple(np.roll(face, -int(face.argmin()))) for face in mirror[body.faces][:, ::-1]}
    assert faces == images


def test_weights_and_regressor_are_convex(body: BodyData) -> None:
    assert body.weights.min() >= 0 and body.joint_regressor.min() >= 0
    np.testing.assert_allclose(body.weights.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(body.joint_regressor.sum(1), 1, atol=1e-6)
    assert (body.weights > 0).sum(1).max() <= 6
    assert (body.joint_regressor > 0).sum(1).max() <= 30


def test_joints_are_at_anatomical_positions(body: BodyData) -> None:
    joint = rest_joints(body)
    for name, place in joint.items():
        if name.startswith("left_"):
            assert place[0] > 0.03
            np.testing.assert_allclose(joint[name.replace("left", "right")] * FLIP, place, atol=1e-6)
        elif not name.startswith("right_"):
            assert abs(place[0]) < 1e-6
    chain = ("left_foot", "left_ankle", "left_knee", "left_hip", "spine1", "spine2", "spine3", "neck", "head")
    heights = [joint[name][1] for name in chain]
    assert heights == sorted(heights)
    arm = np.array([joint[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")])
    assert np.ptp(arm[:, 1:], axis=0).max() < 0.01, "the arms of the T-pose are not straight along x"


def test_mean_body_has_human_proportions(body: BodyData) -> None:
    """Fractions of stature: hips by Bell's and Hara's regressions, the rest from de Leva's and Winter's tables."""
    joint, stature = rest_joints(body), np.ptp(body.v_template[:, 1])
    floor = body.v_template[:, 1].min()

    def share(first: str, second: str) -> float:
        return float(np.linalg.norm(joint[first] - joint[second]) / stature)

    assert share("left_hip", "right_hip") == pytest.approx(0.107, abs=0.005)
    assert (joint["left_hip"][1] - floor) / stature == pytest.approx(0.525, abs=0.005)
    assert (joint["left_knee"][1] - floor) / stature == pytest.approx(0.2875, abs=0.005)
    assert share("left_knee", "left_ankle") / share("left_hip", "left_knee") == pytest.approx(1.05, abs=0.02)
    assert share("left_shoulder", "left_elbow") == pytest.approx(0.16, abs=0.003)
    assert share("left_elbow", "left_wrist") == pytest.approx(0.145, abs=0.004)


def test_hip_centres_lie_behind_the_front_of_the_pelvis(body: BodyData) -> None:
    """Harrington and Hara: 55 to 66 mm behind and 86 to 100 mm below markers on the front of the pelvis (OpenCap)."""
    hip = rest_joints(body)["left_hip"]
    near = np.abs(body.v_template - [0.115, hip[1] + 0.087, 0.0])[:, :2].max(axis=1) < 0.02
    depth = body.v_template[near, 2].max() - hip[2]
    assert 0.06 < depth < 0.10


def test_legs_of_the_t_pose_are_straight(body: BodyData) -> None:
    joint = rest_joints(body)
    thigh, shank = (joint[a] - joint[b] for a, b in (("left_knee", "left_hip"), ("left_ankle", "left_knee")))
    cosine = thigh @ shank / np.linalg.norm(thigh) / np.linalg.norm(shank)
    assert np.degrees(np.arccos(cosine)) < 1.0


def test_skin_bends_at_the_knee_joint(body: BodyData) -> None:
    thigh, shank = (body.weights[:, JOINT_INDEX[f"left_{name}"]] for name in ("hip", "knee"))
    halfway = (thigh + shank > 0.9) & (np.abs(shank - 0.5) < 0.15)
    knee = rest_joints(body)["left_knee"]
    assert np.abs(np.median(body.v_template[halfway, 1]) - knee[1]) < 0.025


def test_pelvis_does_not_move_with_the_shape(body: BodyData) -> None:
    moved = np.einsum("v,vcb->cb", body.joint_regressor[JOINT_INDEX["pelvis"]], body.shapedirs)
    assert np.abs(moved).max() < 0.003


def test_landmarks_have_the_ids_of_smpl_tools(body: BodyData) -> None:
    point = {name: body.v_template[vertex] for name, vertex in VERTEX_IDS.items()}
    head = body.weights[:, JOINT_INDEX["head"]] > 0.6
    joint = rest_joints(body)
    assert point["nose"][0] == 0 and point["nose"][2] > body.v_template[head, 2].max() - 1e-6
    assert point["left_ear"][0] == body.v_template[head, 0].max()
    assert 0.02 < point["left_eye"][0] < 0.05 and point["left_eye"][1] > point["nose"][1]
    assert point["left_heel"][2] < joint["left_ankle"][2] < point["left_small_toe"][2] < point["left_big_toe"][2]
    assert point["left_small_toe"][0] > point["left_big_toe"][0]
    fingers = [point[f"left_{finger}_tip"] for finger in ("index", "middle", "ring", "pinky")]
    assert all(tip[0] > joint["left_hand"][0] + 0.04 for tip in fingers)
    depths = [tip[2] for tip in [point["left_thumb_tip"], *fingers]]
    assert depths == sorted(depths, reverse=True), "palms do not face down with the thumbs in front"
    mirror = free_body_mirror()
    for name, vertex in VERTEX_IDS.items():
        if name.startswith("left_"):
            assert mirror[vertex] == VERTEX_IDS[name.replace("left", "right")]


def test_first_beta_is_stature(body: BodyData) -> None:
    statures = [np.ptp(body.v_template[:, 1] + beta * body.shapedirs[:, 1, 0]) for beta in (-2, 0, 2)]
    np.testing.assert_allclose(statures, [1.512, 1.705, 1.901], atol=0.005)


@pytest.mark.parametrize("beta", range(10))
@pytest.mark.parametrize("amount", [-3.0, 3.0])
def test_shapes_keep_every_face_upright(body: BodyData, beta: int, amount: float) -> None:
    shaped = body.v_template + amount * body.shapedirs[:, :, beta]
    normals = []
    for vertices in (body.v_template, shaped):
        a, b, c = (vertices[body.faces[:, i]] for i in range(3))
        normals.append(np.cross(b - a, c - a))
    cosine = (normals[0] * normals[1]).sum(1) / np.prod([np.linalg.norm(n, axis=1) for n in normals], axis=0)
    assert (cosine < 0).mean() < 1.5e-3
    assert np.percentile(cosine, 1) > 0.7


@pytest.mark.parametrize("name", HUMAN_POSES)
def test_skin_is_not_torn_by_human_poses(body: BodyData, edges: np.ndarray, name: str) -> None:
    rotations = np.tile(np.eye(3), (1, NUM_JOINTS, 1, 1))
    for joint, degrees in HUMAN_POSES[name].items():
        rotations[0, JOINT_INDEX[joint]] = Rotation.from_rotvec(degrees, degrees=True).as_matrix()
    model = BodyModel(body)
    posed = model.vertices(rotations.astype(np.float32), np.zeros(10, np.float32), np.zeros((1, 3), np.float32))[0]
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (body.v_template, posed))
    stretch = (after / before)[before > 0.005]
    assert (after - before).max() < 0.07
    assert stretch.max() < 6.0 and np.percentile(stretch, 99.9) < 3.5
    a, b, c = (posed[body.faces[:, i]].astype(np.float64) for i in range(3))
    volume = np.einsum("fc,fc->", a, np.cross(b, c)) / 6
    assert 0.90 < volume / 0.0621 < 1.10, "the pose changes the body's volume"


@pytest.mark.slow
def test_free_body_equals_smplx_output(body: BodyData, tmp_path: Path) -> None:
    torch, smplx = pytest.importorskip("torch"), pytest.importorskip("smplx")
    from training.body_asset.compact import write_npz
    from training.body_asset.smpl_export import smpl_arrays

    path = tmp_path / "free_body_smpl.npz"
    write_npz(path, smpl_arrays(body))
    with np.load(path, allow_pickle=False) as stored:
        model = smplx.SMPL("", data_struct=smplx.utils.Struct(**stored))
    result = model(betas=torch.full((1, 10), 0.7))
    shaped = body.v_template + 0.7 * body.shapedirs.sum(2)
    np.testing.assert_allclose(result.vertices[0].detach(), shaped, atol=1e-5)
    joints = result.joints[0].detach().numpy()
    np.testing.assert_allclose(joints[:NUM_JOINTS], body.joint_regressor @ shaped, atol=1e-5)
    assert model.parents.tolist() == list(JOINT_PARENTS)
    extra = ("nose", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel")
    np.testing.assert_allclose(joints[24:32], shaped[[VERTEX_IDS[name] for name in extra]], atol=1e-5)


def stored_arrays() -> dict[str, np.ndarray]:
    with np.load(FREE_BODY_PATH, allow_pickle=False) as stored:
        return dict(stored)


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match=r"absent\.npz"):
        read_free_body(tmp_path / "absent.npz")


def test_all_faults_of_a_file_are_reported(tmp_path: Path) -> None:
    arrays = stored_arrays()
    del arrays["faces"]
    arrays["shapedirs"] = arrays["shapedirs"][:, :, :5]
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(BodyError, match=r"faces is missing; shapedirs has shape \(6890, 3, 5\)"):
        read_free_body(tmp_path / "wrong.npz")


def test_another_version_is_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "newer.npz", **(stored_arrays() | {"format_version": np.array(99)}))
    with pytest.raises(BodyError, match="format version 99, expected 2"):
        read_free_body(tmp_path / "newer.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 torn"])
def test_damaged_files_are_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(BodyError, match="damaged"):
        read_free_body(path)


def test_pickled_arrays_are_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickled.npz", **(stored_arrays() | {"name": np.array([{"a": 1}], dtype=object)}))
    with pytest.raises(BodyError, match="cannot be read"):
        read_free_body(tmp_path / "pickled.npz")
