"""The evaluation on real tracks, with trials generated from a known motion."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel, world_rotations
from core.joint_angles import ANGLES, LIMB_JOINTS, smpl_angles
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, SIDES
from training.evaluate_real import evenly_spaced_frames, main
from training.evaluation.real_metrics import aligned_mm, bone_lengths, jerk, lag_ms, mean_metrics, trial_metrics
from training.evaluation.real_trials import CENTRES, VIDEO, Trial, find_trials
from training.make_samples import POSE2SIM_MARKERS, observe, trc_text

DATA = load_free_body()
OFFSETS = {"hip_flexion": 5.0, "hip_adduction": -3.0, "hip_rotation": 2.0, "knee": 0.0, "ankle": 4.0, "elbow": 1.0}
_COORDINATES = {"knee": "knee_angle", "ankle": "ankle_angle", "elbow": "elbow_flex"}
_BODIES = {
    "hip": "femur", "knee": "tibia", "ankle": "talus", "shoulder": "humerus", "elbow": "ulna", "wrist": "hand",
}  # fmt: skip
_SMPL_TO_OPENSIM = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def motion(walk: Motion) -> Motion:
    return replace(walk, poses=walk.poses[30:130], trans=walk.trans[30:130], betas=np.zeros(10))


def joints_of(motion: Motion) -> np.ndarray:
    shape = motion.betas.astype(np.float32)
    joints = BodyModel(DATA).joints(motion.rotations().astype(np.float32), shape, motion.trans.astype(np.float32))
    return np.asarray(joints, dtype=np.float64)


def write_solution(path: Path, motion: Motion) -> None:
    """Write the motion's angles as OpenSim's coordinates, each with its zero shifted by `OFFSETS`."""
    angles = smpl_angles(motion.rotations(), joints_of(motion))
    names, columns = ["time"], [1.0 + np.arange(motion.num_frames) / motion.fps]
    for angle in ANGLES:
        for side in SIDES:
            names.append(f"{_COORDINATES.get(angle, angle)}_{side[0]}")
            columns.append(angles[f"{side}_{angle}"] + OFFSETS[angle])
    rows = ["\t".join(f"{value:.6f}" for value in row) for row in np.stack(columns, axis=1)]
    text = "\n".join(["Coordinates", "inDegrees=yes", "", "endheader", "\t".join(names), *rows])
    path.write_text(text + "\n", encoding="utf-8")


def write_bodies(path: Path, motion: Motion, moved: float = 0.0) -> None:
    """Write the motion's joints as OpenSim's bodies; joints of the left side are *moved* forward."""
    joints, world = joints_of(motion), world_rotations(motion.rotations())
    turned = _SMPL_TO_OPENSIM @ world @ _SMPL_TO_OPENSIM.T
    bodies = {"pelvis": (joints[:, 0], turned[:, 0])}
    for joint, body in _BODIES.items():
        for side in SIDES:
            index = JOINT_INDEX[f"{side}_{joint}"]
            place = joints[:, index] + ([0.0, 0.0, moved] if side == "left" else 0.0)
            bodies[f"{body}_{side[0]}"] = (place @ _SMPL_TO_OPENSIM.T, turned[:, index])
    stored = {
        name: {
            "translation": np.round(place, 6).tolist(),
            "rotation": np.round(Rotation.from_matrix(turn).as_euler("XYZ"), 8).tolist(),
        }
        for name, (place, turn) in bodies.items()
    }
    times = (np.arange(motion.num_frames) / motion.fps).tolist()
    path.write_text(json.dumps({"time": times, "bodies": stored}), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(motion: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a track beside its solution, and one trial solved as bodies in two ways."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "angles").mkdir()
    seen = observe(motion, tuple(POSE2SIM_MARKERS.values()), 0)
    text = trc_text(seen, tuple(POSE2SIM_MARKERS), motion.fps, scale=1.0, file_name="walk.trc")
    (folder / "walk_markers.trc").write_text(text, encoding="utf-8")
    write_solution(folder / "angles" / "walk_ik.mot", motion)
    write_solution(folder / "angles" / "alone.mot", motion)
    write_bodies(folder / "step_mocap.json", motion)
    write_bodies(folder / "step_video.json", motion, moved=0.030)
    (folder / "step_damaged.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trials(folder: Path) -> dict[str, Trial]:
    return {found.name: found for found in find_trials([folder]) if isinstance(found, Trial)}


def test_tracks_are_found_beside_their_solutions(folder: Path, trials: dict[str, Trial]) -> None:
    assert {name: trial.kind for name, trial in trials.items()} == {
        "step_mocap": CENTRES, "step_video": VIDEO, "walk_markers": VIDEO,
    }  # fmt: skip
    left_out = [found for found in find_trials([folder]) if isinstance(found, str)]
    assert [text.split(":")[0] for text in left_out] == ["step_damaged.json", "alone.mot"]


def test_angles_of_the_true_motion_differ_only_by_their_zeros(trials: dict[str, Trial], motion: Motion) -> None:
    figures = trial_metrics(trials["walk_markers"], motion, DATA)
    for angle, offset in OFFSETS.items():
        assert figures.angles[angle].raw_deg == pytest.approx(abs(offset), abs=0.02), angle
        assert figures.angles[angle].bias_free_deg == pytest.approx(0.0, abs=0.02), angle
    assert figures.lag_ms == pytest.approx(0.0, abs=0.5)
    assert np.isnan(figures.pa_mm) and figures.frames == 100
    assert figures.input_mm < 20.0 and max(map(abs, figures.bones_mm.values())) < 5.0
    assert figures.points_jerk > 5.0 * figures.jerk, "the points jitter, the true motion does not"


def test_bodies_of_the_true_motion_have_its_angles_and_joints(trials: dict[str, Trial], motion: Motion) -> None:
    """The bodies' ground frame is OpenSim's: x forward."""
    trial = trials["step_mocap"]
    step = round(60.0 / 25.0)
    frames = np.arange(0, motion.num_frames, step)
    assert trial.track.fps == pytest.approx(60.0 / step) and trial.track.num_frames == len(frames)
    subset = replace(motion, poses=motion.poses[frames], trans=motion.trans[frames], fps=trial.track.fps)
    figures = trial_metrics(trial, subset, DATA)
    assert list(figures.angles) == list(ANGLES)
    assert max(error.raw_deg for error in figures.angles.values()) < 0.02
    assert figures.pa_mm == pytest.approx(0.0, abs=0.01) and figures.points_pa_mm == pytest.approx(0.0, abs=0.01)
    assert max(map(abs, figures.bones_mm.values())) < 0.1


def test_points_of_another_tracker_are_compared_with_the_ground_truth(trials: dict[str, Trial], motion: Motion) -> None:
    trial = trials["step_video"]
    np.testing.assert_allclose(trial.joints, trials["step_mocap"].joints)
    np.testing.assert_allclose(trial.angles["left_knee"], trials["step_mocap"].angles["left_knee"])
    off = np.linalg.norm(
        trial.track.positions[:, trial.track.layout.names.index("left_wrist")] - trial.joints[:, 10], axis=-1
    )
    np.testing.assert_allclose(off, 0.030, atol=1e-5)
    figures = trial_metrics(trial, trial_motion(trial, motion), DATA)
    assert 3.0 < figures.points_pa_mm < 15.0, "30 mm on one side, half of it aligned away"
    assert figures.pa_mm == pytest.approx(0.0, abs=0.01)


def trial_motion(trial: Trial, motion: Motion) -> Motion:
    frames = np.arange(0, motion.num_frames, 2)
    return replace(motion, poses=motion.poses[frames], trans=motion.trans[frames], fps=trial.track.fps)


def test_alignment_agrees_with_scipy_and_ignores_missing_points() -> None:
    generator = np.random.default_rng(0)
    true = generator.normal(size=(4, 12, 3))
    turn = Rotation.random(4, random_state=0).as_matrix()
    noisy = true + generator.normal(scale=0.05, size=true.shape)
    moved = noisy @ np.swapaxes(turn, -1, -2) + generator.normal(size=(4, 1, 3))
    expected = []
    for one, other in zip(noisy, true, strict=True):
        first, second = one - one.mean(0), other - other.mean(0)
        best, _ = Rotation.align_vectors(second, first)
        expected.append(np.linalg.norm(best.apply(first) - second, axis=-1).mean())
    assert aligned_mm(moved, true) == pytest.approx(1000.0 * np.mean(expected), rel=1e-6)
    moved[:, 3], true[1, 5] = np.nan, np.nan
    whole = [column for column in range(12) if column not in (3, 5)]
    kept = aligned_mm(np.delete(moved[[1]], [3, 5], axis=1), np.delete(true[[1]], [3, 5], axis=1))
    assert aligned_mm(moved[[1]], true[[1]]) == pytest.approx(kept) and len(whole) == 10


def test_lag_and_jerk_by_hand() -> None:
    times = np.arange(200) / 50.0
    wave = np.sin(2.0 * np.pi * times) + 0.4 * np.sin(5.0 * times)
    late = np.sin(2.0 * np.pi * (times - 0.05)) + 0.4 * np.sin(5.0 * (times - 0.05))
    assert lag_ms(late, wave, 50.0) == pytest.approx(50.0, abs=3.0)
    assert lag_ms(wave, np.where(times < 3.5, wave, np.nan), 50.0) == pytest.approx(0.0, abs=1.0)
    assert np.isnan(lag_ms(wave[:10], wave[:10], 50.0)), "too short to tell"
    cubic = np.zeros((40, 12, 3))
    cubic[..., 1] = (times[:40] ** 3)[:, None]
    assert jerk(cubic, 50.0) == pytest.approx(6.0, rel=1e-6)


def test_bones_are_those_between_the_joints() -> None:
    joints = np.full((3, 12, 3), np.nan)
    for name, place in {
        "left_hip": (0.1, 1.0, 0.0), "right_hip": (-0.1, 1.0, 0.0),
        "left_knee": (0.1, 0.6, 0.0), "right_knee": (-0.1, 0.5, 0.0),
    }.items():  # fmt: skip
        joints[:, LIMB_JOINTS.index(name)] = place
    lengths = bone_lengths(joints)
    assert lengths["hips"] == pytest.approx(0.2) and lengths["thigh"] == pytest.approx(0.45)
    assert np.isnan(lengths["forearm"])


def test_means_ignore_values_that_a_trial_lacks(trials: dict[str, Trial], motion: Motion) -> None:
    walk = trial_metrics(trials["walk_markers"], motion, DATA)
    step = trial_metrics(trials["step_video"], trial_motion(trials["step_video"], motion), DATA)
    del step.angles["elbow"]
    mean = mean_metrics(VIDEO, [walk, step])
    assert mean.points_pa_mm == pytest.approx(step.points_pa_mm)
    assert mean.angles["elbow"] == walk.angles["elbow"]
    assert mean.angles["hip_flexion"].raw_deg == pytest.approx(2.5, abs=0.05)
    assert mean.frames == 150 and mean.name == "mean of 2"


def test_frames_for_smplify_are_close_together_and_centred() -> None:
    np.testing.assert_array_equal(evenly_spaced_frames(10, 30.0, 4), [0, 3, 6, 9])
    np.testing.assert_array_equal(evenly_spaced_frames(101, 10.0, 5), [46, 48, 50, 52, 54])
    np.testing.assert_array_equal(evenly_spaced_frames(3, 30.0, 9), [0, 1, 2])
    for count in range(1, 40):
        frames = evenly_spaced_frames(count, 30.0, 7)
        assert 1 <= len(frames) <= 7 and 0 <= frames[0] and frames[-1] < count


@pytest.mark.slow
def test_command_prints_and_writes_the_metrics(folder: Path, motion_folder: Path, tmp_path: Path, capsys) -> None:
    for path in motion_folder.glob("Walk_*_poses.npz"):
        (tmp_path / path.name.replace("Walk", "CMU")).write_bytes(path.read_bytes())
    out = tmp_path / "real.json"
    assert main([str(folder), "--smplify", "3", "--motions", str(tmp_path), "--json", str(out)]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert [(row["kind"], row["name"]) for row in figures["trials"]] == [
        (CENTRES, "step_mocap"), (VIDEO, "step_video"), (VIDEO, "walk_markers"),
    ]  # fmt: skip
    centres, video, walk = figures["trials"]
    assert centres["angles"]["knee"]["raw_deg"] < 5.0 and centres["pa_mm"] < video["pa_mm"] < 40.0
    assert walk["pa_mm"] is None and walk["reported_mm"] < 15.0
    assert [row["kind"] for row in figures["means"]] == [VIDEO, CENTRES]
    assert [row["name"].partition(", ")[2] for row in figures["compared"]] == [
        "this fit", "SMPLify-3D, L-BFGS 50, frame by frame",
    ] * 3  # fmt: skip
    assert all(row["frames"] == 3 and row["input_mm"] < 100.0 for row in figures["compared"])
    assert len(figures["left_out"]) == 2
    printed = capsys.readouterr().out
    assert "video: mean of 2" in printed and "left out: alone.mot" in printed


def test_smplify_needs_motions(folder: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        main([str(folder), "--smplify", "3"])
    assert "--motions" in capsys.readouterr().err


@pytest.mark.slow
def test_real_tracks_are_measured(shared_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "real.json"
    assert main([str(shared_dir / "data" / "real"), "--json", str(out)]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    means = {row["kind"]: row for row in figures["means"]}
    assert {kind: row["name"] for kind, row in means.items()} == {
        "video": "mean of 2", "joint centres": "mean of 1", "markers": "mean of 6",
    }  # fmt: skip
    assert means["joint centres"]["points_pa_mm"] == pytest.approx(0.0, abs=1e-3)
    assert means["video"]["points_pa_mm"] == pytest.approx(30.3, abs=0.1), (
        "a property of the tracks, independent of the fit"
    )
    for kind, row in means.items():
        assert list(row["angles"]) == list(ANGLES), kind
        assert row["angles"]["knee"]["raw_deg"] < 10.0 and abs(row["lag_ms"]) < 60.0, kind
    assert figures["left_out"] == ["Pose2Sim_motion.mot: expected a track of that name, found none"]
