"""The whole fit: accuracy on known motion, flags for unseen limbs, options and progress."""

from __future__ import annotations

import json
import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.errors import BodyError, FitCancelled, TrackError
from core.fit import FitOptions, Flag, fit_track
from core.fit.quality import QUALITIES
from core.layouts import BODY25
from core.smpl_skeleton import JOINT_INDEX
from core.track import KeypointTrack

from .scenes import Scene, acting, captured, changed, joint_error, motion_joints, solver_names, walking

BODY = load_free_body()
BOTH_MODES = pytest.mark.parametrize("mode", ["clip", "frames"])
ARM = ("left_elbow", "left_wrist")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("error")]


def _fit(scene: Scene, track: KeypointTrack | None = None, **options):
    options = {"betas": scene.known_betas(), "workers": 1, **options}
    return fit_track(scene.track() if track is None else track, BODY, FitOptions(**options))


@pytest.fixture(scope="module")
def clean(walk):
    """Return the fit of the clean walk with the true shape."""
    return _fit(walk)


def test_clean_points_are_fitted(walk, clean):
    motion, report = clean
    assert 1000.0 * joint_error(walk, motion)[:, :22].mean() < 5.0
    assert report.mean_error_mm < 1.0 and report.keypoint_error_mm.max() < 5.0
    assert report.flags == ()
    assert (motion.num_frames, motion.fps, motion.body, motion.gender) == (60, 30.0, "free_body", "neutral")
    assert report.point_names == solver_names() and report.point_error_mm.shape == (60, 25)
    vertices = BODY.v_template + BODY.shapedirs @ walk.betas
    assert report.stature_m == pytest.approx(np.ptp(vertices[:, 1]), abs=1e-5)
    assert set(report.timings_s) == {"smooth", "shape", "pose", "settle", "hold", "report"}
    json.dumps(report.to_dict(), allow_nan=False)


@BOTH_MODES
def test_shape_is_estimated(walk, mode):
    scene = walk if mode == "clip" else walk[:34]
    motion, report = _fit(scene, betas=None, mode=mode)
    assert 1000.0 * joint_error(scene, motion)[:, :22].mean() < 12.0
    true = np.ptp((BODY.v_template + BODY.shapedirs @ walk.betas)[:, 1])
    assert report.stature_m == pytest.approx(true, abs=0.03)
    assert np.isfinite(motion.betas).all() and np.abs(motion.betas).max() < 5.0


@pytest.mark.parametrize("betas", [[0.6, -0.8, 0.1], np.full(10, 0.3), [0.123456789] * 10 + [0.0] * 6])
def test_given_betas_are_kept_exactly(walk, betas):
    motion, report = _fit(walk[:4], betas=np.asarray(betas))
    expected = np.zeros(10)
    expected[: min(len(betas), 10)] = betas[:10]
    np.testing.assert_array_equal(motion.betas, expected)
    np.testing.assert_array_equal(report.betas, expected)


def test_betas_that_the_body_lacks_are_an_error(walk):
    with pytest.raises(BodyError, match="expected 10 betas.*got 11"):
        _fit(walk[:4], betas=np.ones(11))


def test_passing_the_built_in_regressor_changes_nothing(walk, clean):
    rows = landmark_regressor(BODY, solver_names())
    motion, _ = _fit(walk, regressor=rows)
    np.testing.assert_array_equal(motion.poses, clean[0].poses)


def test_a_regressor_with_shifted_points_is_used(walk):
    rows = landmark_regressor(BODY, solver_names())
    nose = BODY25.names.index("nose")
    swapped = rows.copy()
    swapped[nose] = rows[BODY25.names.index("left_ear")]
    points = walk.points()
    points[:, nose] = points[:, BODY25.names.index("left_ear")]
    track = KeypointTrack(points, np.ones(points.shape[:2]), walk.fps, BODY25)
    motion, report = _fit(walk, track, regressor=swapped)
    assert report.mean_error_mm < 1.0
    assert 1000.0 * joint_error(walk, motion)[:, :22].mean() < 6.0


def test_a_regressor_of_another_layout_is_an_error(walk):
    with pytest.raises(BodyError, match=r"\(25, 6890\)"):
        _fit(walk[:4], regressor=np.ones((17, 6890)) / 6890)


@BOTH_MODES
@pytest.mark.parametrize("num_frames", [1, 2, 3, 7])
def test_short_clips_are_fitted(walk, num_frames, mode):
    scene = walk[:num_frames]
    motion, report = _fit(scene, mode=mode)
    assert motion.num_frames == num_frames
    assert 1000.0 * joint_error(scene, motion)[:, :22].mean() < 8.0
    estimated, _ = _fit(scene, mode=mode, betas=None)
    assert estimated.num_frames == num_frames and joint_error(scene, estimated)[:, :22].mean() < 0.04


@BOTH_MODES
@pytest.mark.parametrize("num_frames", [2, 3])
def test_a_limb_that_disappears_in_the_second_frame_stays_in_place(walk, num_frames, mode):
    scene = walk[:num_frames]
    motion, _ = _fit(scene, changed(scene.track(), hidden=ARM, frames=slice(1, None)), mode=mode)
    assert joint_error(scene, motion)[:, :22].max() < 0.08


@BOTH_MODES
def test_missing_required_points_are_reported_with_the_option(walk, mode):
    track = changed(walk.track(), hidden=("left_hip", "right_hip"))
    with pytest.raises(TrackError, match="left_hip, right_hip never are.*--layout"):
        _fit(walk, track, mode=mode)


@pytest.mark.parametrize("point", ["left_wrist", "right_ankle", "nose", "left_hip", "right_shoulder"])
@pytest.mark.parametrize("frame", [0, 30, 59])
def test_a_jump_is_flagged_and_does_not_move_the_fit(walk, clean, point, frame):
    positions = walk.points()
    positions[frame, BODY25.names.index(point)] += [0.6, 0.0, -0.8]
    motion, report = _fit(walk, changed(walk.track(), positions=positions))
    moved = np.linalg.norm(motion_joints(motion) - motion_joints(clean[0]), axis=-1)
    name = solver_names()[BODY25.names.index(point)]
    assert report.flags == (Flag("implausible", name, frame, frame),)
    assert moved.max() < (0.02 if 0 < frame < 59 else 0.04)


def test_a_long_outlier_run_is_flagged(walk):
    positions = walk.points()
    positions[10:30, BODY25.names.index("nose")] += [0.6, 0.0, -0.8]
    motion, report = _fit(walk, changed(walk.track(), positions=positions))
    flagged = [flag for flag in report.flags if (flag.kind, flag.what) == ("implausible", "nose")]
    assert flagged and min(flag.first for flag in flagged) <= 12 and max(flag.last for flag in flagged) >= 27
    assert joint_error(walk, motion)[:, [JOINT_INDEX["left_wrist"], JOINT_INDEX["left_ankle"]]].max() < 0.05


@BOTH_MODES
def test_a_foot_rolled_beyond_its_joint_limits_is_flagged(walk, clean, mode):
    rotations = walk.rotations.copy()
    rolled = Rotation.from_euler("z", 85.0, degrees=True).as_matrix()
    rotations[20:40, JOINT_INDEX["left_ankle"]] = rolled.astype(np.float32)
    _, report = _fit(replace(walk, rotations=rotations), mode=mode)
    flagged = np.zeros(len(walk), dtype=bool)
    for flag in report.flags:
        if (flag.kind, flag.what) == ("strained", "left_ankle"):
            flagged[flag.first : flag.last + 1] = True
    assert flagged[20:40].any() and not flagged[:17].any() and not flagged[43:].any()
    assert not [flag for flag in clean[1].flags if flag.kind == "strained"]


def _border_speed(scene: Scene, motion, joints: list[int], frames: slice) -> float:
    """Return the largest frame-to-frame change of the error around the ends of a gap, metres."""
    jump = np.linalg.norm(np.diff(motion_joints(motion) - scene.joints, axis=0), axis=-1)[:, joints]
    near = [
        *range(max(frames.start - 4, 0), frames.start + 3),
        *range(frames.stop - 4, min(frames.stop + 3, len(jump))),
    ]
    return float(jump[near].max())


def _assert_arm_is_held(scene: Scene, frames: slice) -> None:
    motion, report = _fit(scene, changed(scene.track(noise_m=0.002), hidden=ARM, frames=frames))
    held = [flag for flag in report.flags if flag.kind == "held"]
    assert [flag.what for flag in held] == ["left arm"]
    assert frames.start <= held[0].first <= frames.start + 8 and frames.stop - 9 <= held[0].last < frames.stop
    arm = [JOINT_INDEX[f"left_{name}"] for name in ("shoulder", "elbow", "wrist", "hand")]
    assert joint_error(scene, motion)[:, arm].max() < 0.35
    assert _border_speed(scene, motion, arm, frames) < 0.1
    others = [joint for joint in range(22) if joint not in arm]
    assert joint_error(scene, motion)[:, others].max() < 0.05
    assert np.isnan(report.point_error_mm[frames][:, [solver_names().index(name) for name in ARM]]).all()


def test_an_arm_hidden_for_a_second_moves_plausibly(walk):
    _assert_arm_is_held(walk, slice(15, 45))


@pytest.mark.parametrize(("subject", "rest"), [("16", "15"), ("35", "03")])
def test_an_arm_hidden_for_a_second_moves_plausibly_in_real_motion(clips, subject, rest):
    _assert_arm_is_held(captured(clips, subject, rest)[1:80], slice(25, 55))


@pytest.mark.parametrize("frames", [slice(0, 20), slice(40, 60)])
def test_an_arm_hidden_at_the_start_or_end_moves_with_the_body(walk, frames):
    motion, report = _fit(walk, changed(walk.track(), hidden=ARM, frames=frames))
    wrist = JOINT_INDEX["left_wrist"]
    steps, true = (
        np.linalg.norm(np.diff(joints[:, wrist], axis=0), axis=-1) for joints in (motion_joints(motion), walk.joints)
    )
    assert steps.max() < 1.3 * true.max()
    assert [flag.what for flag in report.flags] == ["left arm"]
    assert joint_error(walk, motion)[:, wrist].max() < 0.25


@pytest.mark.parametrize(("hidden", "seen"), [("left_knee", "left_ankle"), ("right_elbow", "right_wrist")])
@BOTH_MODES
def test_a_hidden_joint_is_determined_by_points_beyond_it(walk, hidden, seen, mode):
    scene = walk[15:45]
    motion, report = _fit(scene, changed(scene.track(), hidden=(hidden,), frames=slice(5, 28)), mode=mode)
    error = joint_error(scene, motion)
    assert error[:, JOINT_INDEX[seen]].max() < 0.03
    assert error[:, JOINT_INDEX[hidden]].max() < 0.12
    assert not [flag for flag in report.flags if flag.kind == "held"]


@BOTH_MODES
@pytest.mark.parametrize(("frames", "limit_m"), [(slice(0, 8), 0.5), (slice(12, 20), 0.35), (slice(22, 30), 0.5)])
def test_an_unseen_person_is_flagged(walk, frames, limit_m, mode):
    scene = walk[15:45]
    motion, report = _fit(scene, changed(scene.track(), hidden=BODY25.names, frames=frames), mode=mode)
    assert motion.num_frames == 30
    error = joint_error(scene, motion)
    assert error[:, 0].max() < limit_m
    assert error[: max(frames.start - 1, 0), :22].max(initial=0.0) < 0.08
    missing = [flag for flag in report.flags if flag.kind == "missing"]
    if mode == "frames" or frames.start != 12:
        assert missing and all(frames.start <= flag.first and flag.last < frames.stop for flag in missing)
    assert np.isnan(report.keypoint_error_mm[frames]).all()


@BOTH_MODES
def test_progress_is_reported_in_order_on_the_calling_thread(mode):
    scene = walking()[:140]
    calls = []

    def progress(done, total, what):
        assert threading.current_thread() is threading.main_thread()
        calls.append((done, total, what))

    options = FitOptions(betas=scene.known_betas(), mode=mode, quality="fast", workers=2)
    fit_track(scene[: 140 if mode == "clip" else 20].track(), BODY, options, progress)
    done, totals, what = zip(*calls, strict=True)
    assert set(totals) == {140 if mode == "clip" else 20}
    assert list(done) == sorted(done) and done[0] == 0 and done[-1] == totals[0]
    assert all(what) and len(calls) >= 3


@BOTH_MODES
@pytest.mark.parametrize("refused", [0, 2])
def test_progress_can_cancel_the_fit(walk, mode, refused):
    answers = []

    def progress(done, total, what):
        answers.append(done)
        return len(answers) <= refused

    with pytest.raises(FitCancelled):
        fit_track(walk[:36].track(), BODY, FitOptions(mode=mode, betas=walk.known_betas()), progress)
    assert len(answers) == refused + 1


def test_progress_covers_all_steps(walk):
    calls = []
    track = walking()[:120].track(noise_m=0.005)
    fit_track(track, BODY, FitOptions(workers=1), lambda *call: calls.append(call))
    steps = list(dict.fromkeys(what for _, _, what in calls))
    assert steps == [
        "Smoothing the keypoints",
        "Finding the body shape",
        "Fitting the poses",
        "Refining the poses over time",
        "Measuring the errors",
    ]
    first = {what: min(done for done, _, reported in calls if reported == what) for what in steps}
    # The progress advances in every step and is not complete before the last.
    assert first["Finding the body shape"] > 0
    assert all(first[earlier] < first[later] for earlier, later in zip(steps, steps[1:], strict=False))
    assert first["Measuring the errors"] < 120 == calls[-1][0]


@pytest.mark.parametrize("what", ["Smoothing the keypoints", "Finding the body shape", "Refining the poses over time"])
def test_a_step_can_be_cancelled_midway(walk, what):
    reported = []

    def progress(done, total, now):
        reported.append(now)
        return reported.count(what) < 3

    with pytest.raises(FitCancelled):
        fit_track(walk[:36].track(noise_m=0.01), BODY, FitOptions(), progress)
    assert reported[-1] == what and reported.count(what) == 3


def test_higher_quality_is_more_accurate():
    scene = walking()[:90]
    errors = {}
    for quality in QUALITIES:
        motion, report = _fit(scene, quality=quality)
        errors[quality] = joint_error(scene, motion)[:, :22].mean()
        assert ("settle" in report.timings_s) == (quality != "fast")
    assert errors["best"] < 0.92 * errors["balanced"] < 0.92 * errors["fast"]


@pytest.mark.parametrize(
    ("mode", "fps"),
    [("clip", 1.0), ("clip", 5.0), ("clip", 240.0), ("frames", 2.0), ("frames", 5.0), ("frames", 240.0)],
)
def test_any_frame_rate_is_fitted(fps, mode):
    scene = acting(24, fps=fps)
    motion, report = _fit(scene, mode=mode)
    assert report.mean_error_mm < 2.5 and not [flag for flag in report.flags if flag.kind != "strained"]
    assert 1000.0 * joint_error(scene, motion)[:, :22].mean() < 8.0


@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_resampling_keeps_the_duration(walk, clean, fps):
    motion, report = _fit(walk, fps=fps)
    assert motion.fps == fps
    assert motion.duration_s == pytest.approx(walk.track().duration_s, abs=1.0 / fps)
    expected = clean[0].resampled(fps)
    np.testing.assert_allclose(motion.poses, expected.poses, atol=1e-9)
    np.testing.assert_allclose(motion.trans, expected.trans, atol=1e-9)
    assert report.point_error_mm.shape[0] == 60


def test_results_are_reproducible_for_any_number_of_workers():
    scene = walking()[:140]
    track = scene.track(noise_m=0.005, missing=0.05)
    runs = [_fit(scene, track, workers=workers, quality="fast", betas=None) for workers in (1, 1, 2)]
    for motion, report in runs[1:]:
        np.testing.assert_array_equal(motion.poses, runs[0][0].poses)
        np.testing.assert_array_equal(motion.trans, runs[0][0].trans)
        np.testing.assert_array_equal(motion.betas, runs[0][0].betas)
        np.testing.assert_array_equal(report.point_error_mm, runs[0][1].point_error_mm)
        assert report.flags == runs[0][1].flags


@BOTH_MODES
def test_torch_agrees_with_numpy(walk, mode):
    pytest.importorskip("torch")
    scene = walk[::4]
    track = changed(scene.track(noise_m=0.003), hidden=ARM, frames=slice(4, 8))
    joints = [motion_joints(_fit(scene, track, device=device, betas=None, mode=mode)[0]) for device in ("numpy", "cpu")]
    assert np.linalg.norm(joints[0] - joints[1], axis=-1).max() < 1e-3


def test_the_track_is_not_modified(walk):
    track = walk.track(noise_m=0.003, missing=0.1)
    before = track.positions.copy(), track.confidence.copy()
    _fit(walk, track, quality="fast")
    np.testing.assert_array_equal(track.positions, before[0])
    np.testing.assert_array_equal(track.confidence, before[1])


def test_uniform_confidence_of_one_half_changes_little(walk, clean):
    track = walk.track()
    motion, _ = _fit(walk, replace(track, confidence=0.5 * track.confidence))
    assert np.linalg.norm(motion_joints(motion) - motion_joints(clean[0]), axis=-1).mean() < 0.004


def test_points_with_low_confidence_count_less(walk):
    positions, wrist = walk.points(), BODY25.names.index("left_wrist")
    positions[20:40, wrist] += np.random.default_rng(0).normal(0.0, 0.04, (20, 3))
    off = []
    for confidence in (1.0, 0.05):
        track = changed(walk.track(), positions=positions)
        track.confidence[20:40, wrist] = confidence
        motion, _ = _fit(walk, track, smoothing=0.0)
        off.append(joint_error(walk, motion)[20:40, JOINT_INDEX["left_wrist"]].mean())
    assert off[1] < 0.7 * off[0]


def test_smoothing_reduces_noise(walk):
    track = walk.track(noise_m=0.01)
    errors = []
    for smoothing in (0.0, 1.0):
        motion, _ = _fit(walk, track, smoothing=smoothing)
        error = motion_joints(motion) - walk.joints
        errors.append(np.linalg.norm(np.diff(error, n=2, axis=0), axis=-1).mean())
    assert errors[1] < 0.4 * errors[0]


def test_memory_grows_only_by_the_needs_of_each_frame(walk):
    """Long clips are fitted in blocks: the points, rotations and rows of a frame held at once take 20 kB."""
    track = walk.track()
    times = 50
    long = replace(
        track, positions=np.tile(track.positions, (times, 1, 1)), confidence=np.tile(track.confidence, (times, 1))
    )
    tracemalloc.start()
    _fit(walk, long, betas=None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000 * long.num_frames
