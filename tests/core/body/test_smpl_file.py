"""Published body files are read correctly; other files are rejected with a reason."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest
import scipy.sparse
import smplx.lbs
import torch

from core.body.catalog import resolve_body
from core.body.free_body import load_free_body
from core.body.landmarks import SOLVER_POINTS, landmark_regressor
from core.body.model import BodyModel
from core.body.smpl_file import read_body, read_regressor
from core.body.topology import SMPLX_VERTEX_IDS, VERTEX_IDS_BY_COUNT
from core.errors import BodyError, InputMissingError, UnsafePickleError
from core.fingers import has_fingers
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import SMPL, SMPLH, VERTEX_IDS

pytestmark = pytest.mark.slow


def _assert_same_body(body, expected):
    for name in ("v_template", "faces", "shapedirs", "posedirs", "joint_regressor", "weights"):
        np.testing.assert_allclose(getattr(body, name), getattr(expected, name), atol=1e-7, err_msg=name)


def _published(arrays, chumpy):
    """Return arrays as in SMPL's pickles: chumpy, a selection of shape directions, sparse regressors, strings."""
    shapedirs = np.concatenate([arrays["shapedirs"], np.ones((6890, 3, 4))], axis=-1)
    chosen = np.arange(shapedirs.size).reshape(shapedirs.shape)[..., :10]
    sparse = scipy.sparse.csc_matrix(arrays["J_regressor"])
    return {
        **arrays,
        "J_regressor_prior": sparse,
        "J_regressor": sparse,
        "bs_style": b"lbs",
        "bs_type": b"lrotmin",
        "v_template": chumpy.Ch(x=arrays["v_template"]),
        "posedirs": chumpy.Ch(x=arrays["posedirs"]),
        "shapedirs": chumpy.Select(a=chumpy.Ch(x=shapedirs), idxs=chosen.ravel(), preferred_shape=chosen.shape),
    }


@pytest.mark.parametrize(
    ("name", "protocol", "gender"),
    [
        ("SMPL_NEUTRAL.pkl", 2, "neutral"),
        ("basicModel_neutral_lbs_10_207_0_v1.0.0.pkl", 0, "neutral"),
        ("basicmodel_m_lbs_10_207_0_v1.1.0.pkl", 2, "male"),
        ("basicModel_f_lbs_10_207_0_v1.0.0.pkl", 2, "female"),
    ],
)
def test_python_2_pickles_with_chumpy(tmp_path, smpl_arrays, chumpy, python2_pickle, name, protocol, gender):
    path = tmp_path / name
    path.write_bytes(python2_pickle(_published(smpl_arrays, chumpy), protocol))
    body = read_body(path)
    _assert_same_body(body, load_free_body())
    assert (body.name, body.gender) == ("smpl", gender)


def test_python_3_pickles_with_chumpy(tmp_path, smpl_arrays, chumpy):
    path = tmp_path / "SMPL_FEMALE.pkl"
    path.write_bytes(pickle.dumps(_published(smpl_arrays, chumpy), 2))
    _assert_same_body(resolve_body(str(path)), load_free_body())
    assert read_body(path).gender == "female"


def test_300_shape_directions_are_cut_to_10(tmp_path, smpl_arrays):
    wide = np.concatenate([smpl_arrays["shapedirs"], np.full((6890, 3, 290), 7.0)], axis=-1).astype(np.float32)
    np.savez(tmp_path / "SMPL_MALE.npz", **{**smpl_arrays, "shapedirs": wide})
    body = read_body(tmp_path / "SMPL_MALE.npz")
    _assert_same_body(body, load_free_body())
    assert body.gender == "male"


def test_npz_with_pickled_parts_and_its_own_gender(tmp_path, smpl_arrays):
    sparse = np.array(scipy.sparse.csc_matrix(smpl_arrays["J_regressor"]), dtype=object)
    other = np.array([{"jaw": 1}], dtype=object)
    np.savez(tmp_path / "b.npz", **{**smpl_arrays, "J_regressor": sparse, "joint2num": other, "gender": "female"})
    body = read_body(tmp_path / "b.npz")
    _assert_same_body(body, load_free_body())
    assert body.gender == "female"


def _lbs_oracle(arrays, poses, betas):
    """Return vertices by smplx's skinning with all joints of the file; those that *poses* lacks are at rest."""
    parents = torch.as_tensor(arrays["kintree_table"][0].astype(np.int64))
    parents[0] = -1
    num_joints = len(parents)
    full = np.zeros((len(poses), num_joints * 3))
    full[:, :66] = poses[:, :66]
    if poses.shape[1] == 156:
        full[:, -90:] = poses[:, 66:]

    def tensor(values):
        return torch.as_tensor(np.array(values, dtype=np.float64))

    vertices, joints = smplx.lbs.lbs(
        tensor(np.broadcast_to(betas, (len(poses), 10))),
        tensor(full),
        tensor(arrays["v_template"]),
        tensor(arrays["shapedirs"][..., :10]),
        tensor(arrays["posedirs"].reshape(-1, arrays["posedirs"].shape[-1]).T),
        tensor(arrays["J_regressor"]),
        parents,
        tensor(arrays["weights"]),
    )
    return vertices.numpy(), joints.numpy()


@pytest.mark.parametrize("family", ["smplh", "smplx"])
def test_additional_joints_are_merged_without_moving_vertices(tmp_path, request, family):
    arrays = request.getfixturevalue(f"{family}_arrays")
    folder = tmp_path / "female"
    folder.mkdir()
    np.savez(folder / "model.npz", **arrays)
    body = read_body(folder / "model.npz")
    assert (body.name, body.gender) == (family, "female")
    rng = np.random.default_rng(3)
    poses, betas = rng.normal(0.0, 0.4, (3, 72)), rng.normal(size=10)
    poses[:, 66:] = 0.0
    model = BodyModel(body)
    rotations = axis_angle_to_matrix(poses.reshape(3, 24, 3)).astype(np.float32)
    arguments = (rotations, betas.astype(np.float32), np.zeros((3, 3), dtype=np.float32))
    vertices, joints = _lbs_oracle(arrays, poses, betas)
    np.testing.assert_allclose(model.vertices(*arguments), vertices, atol=1e-5)
    np.testing.assert_allclose(model.joints(*arguments)[:, :22], joints[:, :22], atol=1e-5)
    first = 22 + (3 if family == "smplx" else 0)
    for hand, start in ((22, first), (23, first + 15)):
        knuckles = joints[:, [start, start + 3, start + 6, start + 9]].mean(axis=1)
        np.testing.assert_allclose(model.joints(*arguments)[:, hand], knuckles, atol=1e-5)
    np.testing.assert_array_equal(body.weights.sum(axis=1).round(5), 1.0)


@pytest.mark.parametrize("family", ["smplh", "smplx"])
def test_fingers_of_licensed_files_are_kept(tmp_path, request, family):
    arrays = request.getfixturevalue(f"{family}_arrays")
    np.savez(tmp_path / "model.npz", **arrays)
    body = resolve_body(tmp_path / "model.npz", fingers=True)
    assert (body.name, body.skeleton) == (family, SMPLH)
    rng = np.random.default_rng(5)
    poses, betas = rng.normal(0.0, 0.4, (3, 156)), rng.normal(size=10)
    rotations = axis_angle_to_matrix(poses.reshape(3, 52, 3)).astype(np.float32)
    arguments = (rotations, betas.astype(np.float32), np.zeros((3, 3), dtype=np.float32))
    vertices, joints = _lbs_oracle(arrays, poses, betas)
    np.testing.assert_allclose(BodyModel(body).vertices(*arguments), vertices, atol=2e-5)
    found = BodyModel(body).joints(*arguments)
    np.testing.assert_allclose(found[:, :22], joints[:, :22], atol=1e-5)
    np.testing.assert_allclose(found[:, 22:], joints[:, -30:], atol=1e-5)


def test_smpl_files_have_no_fingers_to_keep(tmp_path, smpl_arrays):
    np.savez(tmp_path / "model.npz", **smpl_arrays)
    body = resolve_body(tmp_path / "model.npz", fingers=True)
    assert body.skeleton == SMPL and not has_fingers(body.skeleton)
    assert has_fingers(resolve_body(fingers=True).skeleton)


def test_smplh_pickles(tmp_path, smplh_arrays):
    path = tmp_path / "SMPLH_male.pkl"
    path.write_bytes(
        pickle.dumps({**smplh_arrays, "J_regressor": scipy.sparse.csc_matrix(smplh_arrays["J_regressor"])})
    )
    assert (read_body(path).name, read_body(path).gender) == ("smplh", "male")


def test_vertex_ids_equal_those_of_smplx():
    ids = smplx.vertex_ids.vertex_ids
    words = {"nose": "nose", "reye": "right_eye", "leye": "left_eye", "rear": "right_ear", "lear": "left_ear"}
    for letter, side in (("l", "left"), ("r", "right")):
        words |= {f"{letter}{f}": f"{side}_{f}_tip" for f in ("thumb", "index", "middle", "ring", "pinky")}
        words |= {f"{letter.upper()}{w}": f"{side}_{n}" for w, n in (("BigToe", "big_toe"), ("SmallToe", "small_toe"))}
        words[f"{letter.upper()}Heel"] = f"{side}_heel"
    for family, ours in (("smplh", VERTEX_IDS), ("smplx", SMPLX_VERTEX_IDS)):
        assert {words[name]: vertex for name, vertex in ids[family].items()} == ours


def test_landmarks_on_both_meshes(tmp_path, smpl_arrays, smplx_arrays):
    for arrays in (smpl_arrays, smplx_arrays):
        np.savez(tmp_path / "body.npz", **arrays)
        body = read_body(tmp_path / "body.npz")
        rows = landmark_regressor(body, SOLVER_POINTS)
        assert rows.shape == (len(SOLVER_POINTS), len(body.v_template))
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-5)
        nose = rows[SOLVER_POINTS.index("nose")]
        assert np.flatnonzero(nose).tolist() == [VERTEX_IDS_BY_COUNT[len(body.v_template)]["nose"]]


def _resaved(tmp_path, arrays, **change):
    changed = {key: value for key, value in {**arrays, **change}.items() if value is not None}
    np.savez(tmp_path / "bad.npz", **changed)
    return tmp_path / "bad.npz"


def test_all_missing_keys_are_reported_at_once(tmp_path, smpl_arrays):
    path = _resaved(tmp_path, smpl_arrays, weights=None, posedirs=None)
    with pytest.raises(BodyError, match=r"no posedirs, weights in .*bad\.npz"):
        read_body(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": np.ones((6890, 24))}, r"rows of weights that add up to 24"),
        ({"J_regressor": np.zeros((24, 6890))}, r"rows of J_regressor"),
        ({"posedirs": np.zeros((6890, 3, 93))}, r"posedirs \(6890, 3, 93\).*STAR"),
        ({"shapedirs": np.zeros((6890, 3, 4))}, r"shapedirs \(6890, 3, 4\), expected \(6890, 3, 10 or more\)"),
        ({"f": np.full((4, 3), 6890)}, r"vertex numbers below 6890"),
        ({"v_template": np.zeros((778, 3)), "kintree_table": np.zeros((2, 16))}, r"MANO hand"),
        ({"v_template": np.zeros((5023, 3))}, r"FLAME head"),
        ({"v_template": np.full((6890, 3), np.nan)}, r"NaN or infinity in v_template"),
        ({"v_template": np.array("text")}, r"v_template to be an array of numbers"),
        ({"weights": np.array({"a": 1}, dtype=object)}, r"expected weights to be an array of numbers, found dict"),
        ({"kintree_table": np.stack([np.arange(24) - 1, np.arange(24)])}, r"another joint tree"),
    ],
)
def test_invalid_parts_are_reported(tmp_path, smpl_arrays, change, words):
    with pytest.raises(BodyError, match=words):
        read_body(_resaved(tmp_path, smpl_arrays, **change))


def test_units_other_than_metres_are_rejected(tmp_path, smpl_arrays):
    path = _resaved(tmp_path, smpl_arrays, v_template=smpl_arrays["v_template"] * 100)
    with pytest.raises(BodyError, match="metres"):
        read_body(path)


def test_other_kinds_of_files_are_recognised(tmp_path):
    np.savez(tmp_path / "walk.npz", poses=np.zeros((2, 156)), trans=np.zeros((2, 3)))
    with pytest.raises(BodyError, match="seems to be a motion"):
        read_body(tmp_path / "walk.npz")
    np.save(tmp_path / "J.npy", np.eye(3))
    with pytest.raises(BodyError, match="regressor"):
        read_body(tmp_path / "J.npy")
    with zipfile.ZipFile(tmp_path / "SMPL_python_v.1.1.0.zip", "w") as archive:
        archive.writestr("smpl/models/readme.txt", "hello")
    with pytest.raises(BodyError, match=r"holds no arrays"):
        read_body(tmp_path / "SMPL_python_v.1.1.0.zip")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(BodyError, match="found a list"):
        read_body(tmp_path / "list.pkl")
    (tmp_path / "note.pkl").write_text("<!DOCTYPE html><html>please log in</html>")
    with pytest.raises(BodyError, match=r"note\.pkl"):
        read_body(tmp_path / "note.pkl")


def test_missing_files_and_folders_are_reported(tmp_path):
    with pytest.raises(InputMissingError, match=r"nothing at .*SMPL_NEUTRAL\.pkl"):
        resolve_body(tmp_path / "SMPL_NEUTRAL.pkl")
    with pytest.raises(InputMissingError, match="a folder"):
        read_body(tmp_path)


def test_hostile_bodies_are_rejected(tmp_path, smpl_arrays):
    class Shell:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/executed",)

    (tmp_path / "a.pkl").write_bytes(pickle.dumps({**smpl_arrays, "J_regressor": Shell()}, 2))
    np.savez(tmp_path / "a.npz", **{**smpl_arrays, "J_regressor": np.array(Shell(), dtype=object)})
    for name in ("a.pkl", "a.npz"):
        with pytest.raises(UnsafePickleError, match="nothing was executed"):
            read_body(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_free_body_is_the_default():
    for name in (None, "free", "free_body"):
        assert resolve_body(name) is load_free_body()


def test_regressors(tmp_path):
    rows = np.random.default_rng(0).dirichlet(np.ones(6890), 25)
    np.save(tmp_path / "J_regressor_body25.npy", rows.astype(np.float32))
    np.savez(tmp_path / "one.npz", rows)
    for name in ("J_regressor_body25.npy", "one.npz"):
        loaded = read_regressor(tmp_path / name, 6890)
        np.testing.assert_allclose(loaded, rows, atol=1e-7)
        assert loaded.dtype == np.float64


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((25, 100)) / 100, r"\(keypoints, 6890\)"),
        (np.ones((25, 6890)), r"add up to 1, found 6890 in row 0 \(25 such rows\)"),
        (np.full((2, 6890), np.nan), "add up to 1, found nan"),
        (np.array([{}], dtype=object), "Python objects are not loaded"),
        (np.zeros((0, 6890)), "numbers"),
    ],
)
def test_invalid_regressors_are_rejected(tmp_path, array, words):
    np.save(tmp_path / "bad.npy", array)
    with pytest.raises(BodyError, match=words):
        read_regressor(tmp_path / "bad.npy", 6890)
    with pytest.raises(InputMissingError, match="nowhere"):
        read_regressor(tmp_path / "nowhere.npy", 6890)
