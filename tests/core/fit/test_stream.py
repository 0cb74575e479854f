"""The stream: frame by frame, from the past alone, near what the whole clip gives."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import TrackError
from core.fit import FitOptions, FitStream, fit_track
from core.fit.frame_by_frame import calibration
from core.layouts import BODY25
from core.math.arrays import DeviceError
from core.smpl_skeleton import JOINT_INDEX
from core.track import KeypointTrack

from .scenes import Scene, body_model, changed, motion_joints, solver_names, walking

BODY = load_free_body()
ARM = ("left_elbow", "left_wrist")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("error")]


def _options(scene: Scene, **more) -> FitOptions:
    return FitOptions(**{"betas": scene.known_betas(), **more})


def _run(scene: Scene, track: KeypointTrack | None = None, options: FitOptions | None = None):
    """Push every frame; return the poses."""
    track = scene.track() if track is None else track
    running = FitStream(track.layout, track.fps, BODY, options or _options(scene))
    return [running.push(*frame) for frame in zip(track.positions, track.confidence, strict=True)]


def _joints(poses) -> np.ndarray:
    """Joints (F, 24, 3) of the poses, each with its own betas."""
    betas = np.stack([pose.betas for pose in poses]).astype(np.float32)
    return body_model().joints(
        np.stack([pose.rotations for pose in poses]), betas, np.stack([pose.trans for pose in poses])
    )


def _off(poses, scene: Scene) -> np.ndarray:
    return np.linalg.norm(_joints(poses) - scene.joints, axis=-1)[:, :22]


def test_clean_points_give_what_the_whole_clip_gives(walk):
    clip = motion_joints(fit_track(walk.track(), BODY, _options(walk, workers=1))[0])
    apart = np.linalg.norm(_joints(_run(walk)) - clip, axis=-1)[:, :22]
    assert apart[50:].max() < 0.010
    assert apart[50:].mean() < 0.001
    # Until the person's habit and the noise are known, frames are held a little more to what is expected.
    assert apart[:50].max() < 0.020
    assert apart[:50].mean() < 0.004


@pytest.mark.parametrize("noise_m", [0.003, 0.01])
def test_noise_moves_it_no_farther_from_the_whole_clip_than_it_says(walk, noise_m):
    scene = walk[:40]
    track = scene.track(noise_m=noise_m)
    clip = motion_joints(fit_track(track, BODY, _options(scene, workers=1))[0])
    apart = np.linalg.norm(_joints(_run(scene, track)) - clip, axis=-1)[:, :22]
    assert apart.mean() < 2.0 * noise_m
    assert apart.max() < 7.0 * noise_m


def test_the_mode_by_frames_is_the_stream(walk):
    scene = walk[:20]
    track = changed(scene.track(noise_m=0.004), hidden=ARM, frames=slice(8, 16))
    poses = _run(scene, track)
    motion, report = fit_track(track, BODY, _options(scene, mode="frames"))
    # The same sums, but where arrays begin in memory may change their last digits.
    np.testing.assert_allclose(motion.rotations(), np.stack([pose.rotations for pose in poses]), atol=2e-4)
    np.testing.assert_allclose(motion.trans, np.stack([pose.trans for pose in poses]), atol=1e-5)
    np.testing.assert_allclose(report.point_error_mm, 1000.0 * np.stack([p.point_error_m for p in poses]), atol=0.01)
    held = np.concatenate([pose.visibility.limbs["left arm"] for pose in poses])
    assert held.any()
    stretches = [(flag.first, flag.last) for flag in report.flags if flag.kind == "held"]
    assert stretches == [(int(np.flatnonzero(held)[0]), int(np.flatnonzero(held)[-1]))]


@pytest.mark.parametrize("know_betas", [True, False])
def test_a_frame_does_not_depend_on_what_follows(walk, know_betas):
    scene = walk[:22]
    track = scene.track(noise_m=0.005, missing=0.1)
    elsewhere = changed(track, positions=np.concatenate([track.positions[:12], 0.8 * track.positions[12:][::-1]]))
    options = _options(scene, **({} if know_betas else {"betas": None}))
    for pose, other in zip(_run(scene, track, options)[:12], _run(scene, elsewhere, options)[:12], strict=True):
        np.testing.assert_array_equal(pose.rotations, other.rotations)
        np.testing.assert_array_equal(pose.trans, other.trans)
        np.testing.assert_array_equal(pose.betas, other.betas)
        np.testing.assert_array_equal(pose.point_error_m, other.point_error_m)


def test_a_limb_that_disappears_is_held_as_it_was_and_comes_back(walk):
    scene = walk[:40]
    poses = _run(scene, changed(scene.track(), hidden=ARM, frames=slice(10, 30)))
    arm = [JOINT_INDEX[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")]
    held = np.concatenate([pose.visibility.limbs["left arm"] for pose in poses])
    np.testing.assert_array_equal(np.flatnonzero(held), np.arange(np.argmax(held), 30))
    assert 10 <= np.argmax(held) <= 13
    turns = np.stack([pose.rotations[arm] for pose in poses])
    first = int(np.argmax(held))
    np.testing.assert_array_equal(turns[first:30], np.broadcast_to(turns[first - 1], turns[first:30].shape))
    off = _off(poses, scene)
    assert off[:, [JOINT_INDEX["left_elbow"], JOINT_INDEX["left_wrist"]]].max() < 0.45
    assert off[32:].max() < 0.06
    assert off[:, JOINT_INDEX["right_wrist"]].max() < 0.05
    for pose in poses[10:30]:
        assert np.isnan(pose.point_error_m[[solver_names().index(name) for name in ARM]]).all()


def test_a_person_who_disappears_stands_still(walk):
    scene = walk[:24]
    poses = _run(scene, changed(scene.track(), hidden=BODY25.names, frames=slice(12, 20)))
    absent = np.concatenate([pose.visibility.absent for pose in poses])
    assert absent[15:20].all() and not absent[:12].any() and not absent[20:].any()
    for pose in poses[15:20]:
        np.testing.assert_array_equal(pose.trans, poses[14].trans)
        np.testing.assert_array_equal(pose.rotations, poses[14].rotations)
        assert np.isnan(pose.point_error_m).all()
    assert _off(poses, scene)[21:].max() < 0.10


def test_a_jump_is_thrown_out(walk):
    scene = walk[:20]
    positions = scene.points()
    wrist = solver_names().index("left_wrist")
    positions[14, BODY25.names.index("left_wrist")] += [0.6, 0.8, 0.0]
    poses, undisturbed = _run(scene, changed(scene.track(), positions=positions)), _run(scene)
    assert [bool(pose.jumps[wrist]) for pose in poses] == [frame == 14 for frame in range(20)]
    apart = np.linalg.norm(_joints(poses) - _joints(undisturbed), axis=-1)[:, :22]
    assert apart.max() < 0.06
    assert apart[16:].max() < 0.02


@pytest.mark.parametrize("noise_m", [0.005, 0.015])
def test_the_first_frames_bear_noise(walk, noise_m):
    scene = walk[:12]
    off = _off(_run(scene, scene.track(noise_m=noise_m)), scene)
    assert off.mean() < 0.01 + 2.0 * noise_m
    assert off.max() < 0.08 + 8.0 * noise_m


def test_the_shape_settles(monkeypatch):
    monkeypatch.setattr(calibration, "CALIBRATION_FRAMES", (5, 30))
    scene = walking()[20:160]
    running = FitStream(BODY25, scene.fps, BODY, FitOptions(quality="fast"))
    track = scene.track(noise_m=0.003)
    calibrated, betas = [], []
    for frame in zip(track.positions, track.confidence, strict=True):
        betas.append(running.push(*frame).betas)
        calibrated.append(running.calibrated)
    known = calibrated.index(True)
    assert 30 < known < 139 and all(calibrated[known:])
    for shape in betas[known:]:
        np.testing.assert_array_equal(shape, betas[-1])
    # Every frame tells of the shape at first, then it changes as often as it is found from many.
    changes = [frame for frame in range(1, 140) if not np.array_equal(betas[frame], betas[frame - 1])]
    first = max(frame for frame in range(1, 140) if changes[:frame] == list(range(1, frame + 1)))
    assert 5 < first < 100
    assert len(changes) == first + 1 and changes[-1] == known
    wrong = [np.linalg.norm(BODY.shapedirs @ (shape - scene.betas), axis=-1).mean() for shape in betas]
    assert wrong[4] < 0.015
    assert wrong[-1] < 0.008 and wrong[-1] < wrong[0]


@pytest.mark.parametrize("fps", [8.0, 240.0])
def test_the_shape_is_found_at_any_frame_rate(walk, fps):
    scene = Scene(
        *(np.tile(part, (5,) + (1,) * (part.ndim - 1)) for part in (walk.rotations, walk.trans)), walk.betas, fps
    )
    running = FitStream(BODY25, fps, BODY, FitOptions(quality="fast"))
    track = scene.track()
    for frame in zip(track.positions, track.confidence, strict=True):
        betas = running.push(*frame).betas
        if running.calibrated:  # the shape stays as it is from here on: test_the_shape_settles
            break
    assert running.calibrated
    assert np.linalg.norm(BODY.shapedirs @ (betas - scene.betas), axis=-1).mean() < 0.006


def test_a_cut_is_followed_within_a_few_frames(walk):
    scene = walk[:40]
    positions = scene.points()
    turned = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    positions[25:] = positions[10:25] @ turned.T + [3.0, 0.2, -2.0]
    poses = _run(scene, changed(scene.track(), positions=positions))
    wanted = scene.joints[10:25] @ turned.T + [3.0, 0.2, -2.0]
    off = np.linalg.norm(_joints(poses)[25:] - wanted, axis=-1)[:, :22]
    assert off[:2].max() > 1.0  # a lone frame elsewhere would be a mistake of the tracker's
    assert off[5:].max() < 0.05


def test_a_point_far_off_in_the_first_frames_does_not_spoil_the_shape(walk):
    positions = walk.points()
    positions[2:5, BODY25.names.index("right_knee")] += 20.0
    track = changed(walk.track(), positions=positions)
    poses, undisturbed = (_run(walk, some, FitOptions()) for some in (track, walk.track()))
    apart = [BODY.shapedirs @ (pose.betas - other.betas) for pose, other in zip(poses, undisturbed, strict=True)]
    apart = np.linalg.norm(apart, axis=-1).mean(axis=-1)
    assert apart.max() < 0.010
    assert apart[-5:].max() < 0.004
    assert _off(poses, walk)[8:].max() < 0.08


def test_far_from_the_origin_it_is_the_same(walk):
    scene, far = walk[:12], np.array([1e5, 0.0, -1e5])
    track = scene.track(noise_m=0.003)
    there = _run(scene, changed(track, positions=track.positions + far))
    for pose, other in zip(_run(scene, track), there, strict=True):
        np.testing.assert_allclose(pose.rotations, other.rotations, atol=1e-3)
        np.testing.assert_allclose(pose.trans, other.trans - far, atol=1e-4)


def test_frames_before_the_person_comes_are_refused_and_forgotten(walk):
    scene = walk[:6]
    track = scene.track()
    running = FitStream(BODY25, scene.fps, BODY, _options(scene))
    for hidden in (BODY25.names, ("left_hip", "right_hip", "mid_hip", "left_shoulder")):
        frame = changed(track, hidden=hidden)
        with pytest.raises(TrackError, match="first frame.*hips.*shoulders"):
            running.push(frame.positions[0], frame.confidence[0])
    late = [running.push(*frame) for frame in zip(track.positions, track.confidence, strict=True)]
    for pose, other in zip(late, _run(scene), strict=True):
        np.testing.assert_array_equal(pose.rotations, other.rotations)
        np.testing.assert_array_equal(pose.trans, other.trans)


def test_what_is_prepared_ahead_leaves_the_poses_as_they_are(walk):
    track = walk.track(noise_m=0.003)
    running = FitStream(BODY25, walk.fps, BODY, FitOptions())
    running.prepare()  # before the first frame there is nothing to prepare
    found, due = [], []
    for frame in zip(track.positions, track.confidence, strict=True):
        found.append(running.push(*frame))
        running.prepare()
        due.append(running._pose.expects_next)
    assert not any(due), "no frame but the first predicts the expected pose while it is waited for"
    usual = _off(_run(walk, track, FitOptions()), walk)
    assert abs(_off(found, walk)[30:].mean() - usual[30:].mean()) < 0.0003
    assert np.quantile(_off(found, walk)[30:], 0.99) < np.quantile(usual[30:], 0.99) + 0.001


def test_malformed_frames_are_refused(walk):
    running = FitStream(BODY25, 30.0, BODY)
    with pytest.raises(TrackError, match="25"):
        running.push(np.zeros((17, 3)), np.ones(17))
    with pytest.raises(TrackError, match="confidence"):
        running.push(np.zeros((25, 3)), np.ones(24))


@pytest.mark.parametrize("device", ["tpu", "numpy:3", "cpu:", "cpu:x", "cpu:-1", "cpu:9"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(DeviceError, match=device):
        FitStream(BODY25, 30.0, BODY, FitOptions(device=device))


def test_memory_stays_as_it_is(walk, monkeypatch):
    monkeypatch.setattr(calibration, "CALIBRATION_FRAMES", (5, 30))
    running = FitStream(BODY25, 30.0, BODY, _options(walk, quality="fast"))
    track = walk.track(noise_m=0.003, missing=0.05)
    used = []
    try:
        for turn in range(14):
            if turn == 8:  # the first turns, until the shape is found, need no tracing, which takes most of the time
                tracemalloc.start()
            for frame in range(60):
                place = frame if turn % 2 == 0 else 59 - frame
                running.push(track.positions[place], track.confidence[place])
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])  # 0 while nothing is traced
    finally:
        tracemalloc.stop()
    assert running.calibrated
    # What a frame brings is 2 kB; a list of them would show.
    assert max(used[10:]) - used[9] < 50_000


@pytest.fixture(scope="module")
def quick(walk):
    """Return the poses of the slightly noisy walk, at the fastest quality."""
    return _run(walk, walk.track(noise_m=0.003), _options(walk, quality="fast"))


@pytest.mark.parametrize("num_frames", [1, 20])
@pytest.mark.parametrize(("name", "joint"), [("left_wrist", "left_wrist"), ("right_knee", "right_knee")])
def test_however_far_off_a_point_is_the_pose_is_that_of_a_gap(walk, quick, name, joint, num_frames):
    run, point, options = slice(25, 25 + num_frames), BODY25.names.index(name), _options(walk, quality="fast")
    track = walk.track(noise_m=0.003)
    gap = _run(walk, changed(track, hidden=[name], frames=run), options)
    outside = np.r_[0 : run.start, run.stop : len(walk)]
    for distance_m in (0.4, 9999.0):
        positions = track.positions.copy()
        positions[run, point] += distance_m * np.array([0.48, 0.6, 0.64])
        poses = _run(walk, changed(track, positions=positions), options)
        marked = np.stack([pose.jumps for pose in poses])
        expected = np.zeros_like(marked)
        expected[run, solver_names().index(name)] = True
        np.testing.assert_array_equal(marked, expected)
        assert np.isnan(poses[run.start].point_error_m[solver_names().index(name)])
        np.testing.assert_allclose(_joints(poses), _joints(gap), atol=1e-3)
        off = np.linalg.norm(_joints(poses) - _joints(quick), axis=-1)
        assert off[run, JOINT_INDEX[joint]].max() < 0.15
        assert off[outside].mean() < 0.0005


def test_what_is_left_out_is_flagged(walk):
    scene = walk[:30]
    positions = scene.points()
    positions[12:18, BODY25.names.index("right_ankle")] = 9999.0
    _, report = fit_track(changed(scene.track(), positions=positions), BODY, _options(scene, mode="frames"))
    flags = [flag for flag in report.flags if flag.kind == "implausible"]
    assert [(flag.what, flag.first, flag.last) for flag in flags] == [("right_ankle", 12, 17)]


def test_a_placeholder_in_the_first_frame_is_left_out(walk):
    scene = walk[:10]
    positions = scene.points()
    positions[:3, BODY25.names.index("left_hip")] = 9999.0
    poses = _run(scene, changed(scene.track(), positions=positions))
    hip = solver_names().index("left_hip")
    assert [bool(pose.jumps[hip]) for pose in poses] == [True] * 3 + [False] * 7
    assert _off(poses, scene).max() < 0.06
