"""The forward pass against smplx's, and keypoints against regressor x vertices, for NumPy arrays and torch tensors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import smplx
import torch
from smplx.utils import Struct

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import SOLVER_POINTS, landmark_regressor
from core.body.model import BodyModel, local_rotations, world_positions, world_rotations
from core.errors import BodyError, SkeletonError
from core.math.arrays import to_device, to_numpy
from core.math.rotations import axis_angle_to_matrix
from tests.fingers import FINGERED, fingered_body

pytestmark = pytest.mark.slow

NUM_FRAMES = 70
TOLERANCE_M = 1e-5


@pytest.fixture(scope="module")
def oracle(smpl_arrays) -> smplx.SMPL:
    """Return smplx's SMPL in double precision with the free body's arrays."""
    data = Struct(**{key: np.array(value) for key, value in smpl_arrays.items()})
    return smplx.SMPL("", data_struct=data, dtype=torch.float64, batch_size=NUM_FRAMES)


@pytest.fixture(scope="module")
def clip() -> dict[str, np.ndarray]:
    """Return extreme poses, one shape per frame, and translations."""
    rng = np.random.default_rng(8)
    poses = rng.normal(0.0, 0.5, (NUM_FRAMES, 72))
    poses[:3] = 0.0
    poses[1, :3] = [0.0, np.pi, 0.0]
    return {
        "poses": poses,
        "betas": rng.normal(0.0, 1.0, (NUM_FRAMES, 10)),
        "trans": rng.normal(0.0, 2.0, (NUM_FRAMES, 3)),
    }


@pytest.fixture(scope="module")
def expected(oracle, clip) -> dict[str, np.ndarray]:
    """Return vertices, joints and transforms computed by smplx."""
    poses, betas, trans = (torch.as_tensor(clip[key]) for key in ("poses", "betas", "trans"))
    with torch.no_grad():
        out = oracle(betas=betas, global_orient=poses[:, :3], body_pose=poses[:, 3:], transl=trans)
        rest = smplx.lbs.vertices2joints(
            oracle.J_regressor, oracle.v_template + smplx.lbs.blend_shapes(betas, oracle.shapedirs)
        )
        turns = smplx.lbs.batch_rodrigues(poses.reshape(-1, 3)).reshape(NUM_FRAMES, 24, 3, 3)
        _, relative = smplx.lbs.batch_rigid_transform(turns, rest, oracle.parents, dtype=torch.float64)
    return {
        "vertices": out.vertices.numpy(),
        "joints": out.joints[:, :24].numpy(),
        "rest": rest.numpy(),
        "world": relative[:, :, :3, :3].numpy(),
    }


@pytest.fixture(params=["numpy", "cpu"], scope="module")
def device(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(device) -> BodyModel:
    return BodyModel(load_free_body(), device)


@pytest.fixture(scope="module")
def arguments(clip, device):
    """Return rotations, betas and trans on the device."""
    rotations = axis_angle_to_matrix(clip["poses"].reshape(NUM_FRAMES, 24, 3))
    return tuple(to_device(array, device) for array in (rotations, clip["betas"], clip["trans"]))


def test_vertices(model, arguments, expected):
    np.testing.assert_allclose(to_numpy(model.vertices(*arguments)), expected["vertices"], atol=TOLERANCE_M)


def test_joints_and_transforms(model, arguments, expected):
    world, places = model.joint_transforms(*arguments)
    np.testing.assert_allclose(to_numpy(places), expected["joints"], atol=TOLERANCE_M)
    np.testing.assert_allclose(to_numpy(world), expected["world"], atol=1e-5)
    np.testing.assert_array_equal(to_numpy(model.joints(*arguments)), to_numpy(places))


def test_rest_joints(model, arguments, expected):
    np.testing.assert_allclose(to_numpy(model.rest_joints(arguments[1])), expected["rest"], atol=TOLERANCE_M)


def test_single_shape_equals_the_same_shape_per_frame(model, arguments):
    rotations, betas, trans = arguments
    same = betas[:1] + 0.0 * betas
    np.testing.assert_allclose(
        to_numpy(model.vertices(rotations, betas[0], trans)),
        to_numpy(model.vertices(rotations, same, trans)),
        atol=TOLERANCE_M,
    )


def test_results_keep_the_kind_of_array(model, arguments, device):
    for result in (model.vertices(*arguments), *model.joint_transforms(*arguments)):
        assert isinstance(result, np.ndarray if device == "numpy" else torch.Tensor)
        assert str(result.dtype).endswith("float32")


def test_local_rotations_invert_world_rotations(arguments):
    rotations = arguments[0]
    np.testing.assert_allclose(to_numpy(local_rotations(world_rotations(rotations))), to_numpy(rotations), atol=1e-5)


@pytest.fixture(scope="module")
def fingered_clip(clip) -> dict[str, np.ndarray]:
    """Return poses, shapes and translations of a few frames of the body with fingers."""
    poses = np.random.default_rng(9).normal(0.0, 0.5, (5, 3 * FINGERED.num_joints))
    return {"poses": poses, "betas": clip["betas"][:5], "trans": clip["trans"][:5]}


def test_a_body_with_fingers_is_posed_as_smplx_does(fingered_clip, device):
    body, (poses, betas, trans) = fingered_body(), fingered_clip.values()
    arrays = [torch.as_tensor(array, dtype=torch.float64) for array in (betas, poses, body.v_template, body.shapedirs)]
    posedirs = body.posedirs.reshape(-1, body.posedirs.shape[-1]).T.astype(np.float64)
    rest = [torch.as_tensor(array, dtype=torch.float64) for array in (posedirs, body.joint_regressor)]
    weights = torch.as_tensor(body.weights, dtype=torch.float64)
    vertices, joints = smplx.lbs.lbs(*arrays, *rest, torch.as_tensor(FINGERED.parents), weights)
    rotations = axis_angle_to_matrix(poses.reshape(5, -1, 3))
    arguments = tuple(to_device(array, device) for array in (rotations, betas, trans))
    model = BodyModel(body, device)
    np.testing.assert_allclose(
        to_numpy(model.vertices(*arguments)), vertices.numpy() + trans[:, None], atol=TOLERANCE_M
    )
    world, places = model.joint_transforms(*arguments)
    np.testing.assert_allclose(to_numpy(places), joints.numpy() + trans[:, None], atol=TOLERANCE_M)
    np.testing.assert_allclose(to_numpy(local_rotations(world, FINGERED)), rotations, atol=1e-5)


def test_rotations_of_another_skeleton_are_refused(model, arguments, fingered_clip):
    fingered = axis_angle_to_matrix(fingered_clip["poses"].reshape(5, -1, 3))
    with pytest.raises(SkeletonError, match="expected the 24 joints of the skeleton, found 30"):
        model.vertices(to_device(fingered, model.device), arguments[1][:5], arguments[2][:5])
    for function in (world_rotations, local_rotations):
        with pytest.raises(SkeletonError, match="expected the 30 joints of the skeleton, found 24"):
            function(arguments[0], FINGERED)
    with pytest.raises(SkeletonError, match="expected the 24 joints of the skeleton, found 30"):
        world_positions(world_rotations(arguments[0]), np.zeros((30, 3)))


def test_a_body_whose_arrays_are_of_another_skeleton_is_refused():
    with pytest.raises(BodyError) as caught:
        replace(load_free_body(), skeleton=FINGERED)
    for words in (
        "posedirs (6890, 3, 207), expected (6890, 3, 261)",
        "joint_regressor (24, 6890)",
        "weights (6890, 24)",
    ):
        assert words in str(caught.value)


def _regressors() -> dict[str, np.ndarray]:
    dense = np.random.default_rng(1).dirichlet(np.full(6890, 0.05), 25)
    return {"landmarks": landmark_regressor(load_free_body(), SOLVER_POINTS), "dense": dense}


@pytest.mark.parametrize("name", ["landmarks", "dense"])
def test_keypoints_equal_regressor_times_vertices(model, arguments, expected, clip, name):
    regressor = _regressors()[name]
    rotations, betas, trans = arguments
    keypoints = KeypointModel(model, regressor)
    for frame in (0, 1, 5, 40):
        points = keypoints.shaped(betas[frame]).points(rotations[frame : frame + 1], trans[frame : frame + 1])
        np.testing.assert_allclose(
            to_numpy(points)[0], regressor @ expected["vertices"][frame], atol=TOLERANCE_M, err_msg=str(frame)
        )


def test_rest_keypoints_are_linear_in_betas(model, arguments, oracle, clip):
    regressor = _regressors()["dense"]
    with torch.no_grad():
        shaped = oracle.v_template + smplx.lbs.blend_shapes(torch.as_tensor(clip["betas"]), oracle.shapedirs)
    keypoints = KeypointModel(model, regressor)
    for frame in (0, 3, 60):
        points = to_numpy(keypoints.rest(arguments[1][frame]))
        np.testing.assert_allclose(points, regressor @ shaped[frame].numpy(), atol=TOLERANCE_M)
