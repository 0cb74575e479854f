"""Test what ``fit`` writes and prints."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import core.pipeline
from core.amass import read_motion
from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.cleanup import CleanupOptions, analyse_motion, clean_up, held_joints
from core.fingers import RELAXED_HANDS
from core.fit import FitOptions, fit_track
from core.fit.priors.pose_predictor import WEIGHTS
from core.layouts import BODY25
from core.reading import read_all, read_tracks

from ..fit.scenes import body_model, motion_joints, solver_names
from .commands import SCENE, WRITTEN, files, fit, read, save, two_people


def test_fit_writes_amass_layout_and_a_report(recording, betas, out, capsys):
    assert fit(recording, "-o", out / "walk.npz", "--betas", betas, "--report", out / "walk.json") == 0
    arrays = read(out / "walk.npz")
    assert set(arrays) == WRITTEN
    assert arrays["poses"].shape == (24, 156) and arrays["trans"].shape == (24, 3)
    np.testing.assert_allclose(arrays["pose_hand"], np.tile(RELAXED_HANDS.reshape(-1), (24, 1)), atol=1e-12)
    np.testing.assert_array_equal(arrays["poses"][:, 66:], arrays["pose_hand"])
    np.testing.assert_array_equal(arrays["betas"], SCENE.known_betas())
    assert (str(arrays["gender"]), str(arrays["up_axis"]), str(arrays["body"])) == ("neutral", "Z", "free_body")
    assert float(arrays["mocap_framerate"]) == 30.0
    motion = read_motion(out / "walk.npz", rest_pelvis=lambda shape: body_model().rest_joints(shape)[0])
    assert np.linalg.norm(motion_joints(motion) - SCENE.joints, axis=-1)[:, :22].mean() < 0.01
    text = (out / "walk.json").read_text(encoding="utf-8")
    report = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    np.testing.assert_allclose(report["keypoint_error_mm"], arrays["keypoint_error_mm"], atol=1e-3)
    assert len(report["keypoint_error_mm"]) == 24
    for part in ("white_error_mm", "smooth_error_mm", "constant_error_mm"):
        assert report[part] == pytest.approx(float(arrays[part]), abs=1e-3)
    assert files(out) == {"walk.npz", "walk.json"}
    printed = capsys.readouterr()
    assert str(out / "walk.npz") in printed.out and "24 frames at 30 fps" in printed.out
    assert f"point errors per axis: {report['white_error_mm']:.1f} mm white, " in printed.out
    assert printed.err == ""


def test_hands_that_no_point_shows_can_be_flat(recording, betas, out):
    assert fit(recording, "-o", out / "walk.npz", "--betas", betas, "--rest-hands", "flat") == 0
    assert not read(out / "walk.npz")["pose_hand"].any()


def test_the_motion_equals_that_of_the_library(recording, betas, out):
    assert fit(recording, "-o", out / "walk.npz", "--betas", betas, "--out-up", "Y") == 0
    (track,) = read_tracks(recording)
    motion, _ = fit_track(track, load_free_body(), FitOptions(betas=SCENE.known_betas()))
    arrays = read(out / "walk.npz")
    assert str(arrays["up_axis"]) == "Y"
    np.testing.assert_allclose(arrays["poses"][:, :66], motion.poses[:, :66], atol=1e-9)
    np.testing.assert_allclose(arrays["trans"], motion.trans, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [24.0, 60.0])
def test_a_resampled_motion_has_an_error_for_every_frame(recording, betas, out, rate):
    assert fit(recording, "-o", out / "a.npz", "--betas", betas) == 0
    assert fit(recording, "-o", out / "b.npz", "--betas", betas, "--out-fps", rate) == 0
    error, resampled = (read(out / name) for name in ("a.npz", "b.npz"))
    num_frames = len(resampled["poses"])
    assert resampled["keypoint_error_mm"].shape == (num_frames,)
    assert float(resampled["mocap_framerate"]) == rate
    assert num_frames == int(23 / 30 * rate + 1e-6) + 1
    for frame in range(num_frames):
        distance = np.abs(np.arange(24) / 30.0 - frame / rate)
        near = error["keypoint_error_mm"][distance < distance.min() + 1e-9]
        assert np.isclose(near, resampled["keypoint_error_mm"][frame]).any()


@pytest.mark.slow
def test_a_users_own_network_is_used(recording, betas, out, capsys):
    network = recording.with_name("own.npz")
    network.write_bytes(WEIGHTS.read_bytes())
    common = ("--betas", betas, "--out-up", "Y")
    assert fit(recording, "-o", out / "a.npz", *common, "--network-joints", "none") == 0
    for name, more in (("b", ()), ("c", ("--network-joints", "all", "--network-passes", 3))):
        assert fit(recording, "-o", out / f"{name}.npz", *common, "--network", network, *more) == 0
    regressions, arms, everything = (read(out / f"{name}.npz")["poses"] for name in "abc")
    assert min(np.abs(regressions - arms).max(), np.abs(arms - everything).max()) > 1e-3
    assert fit(recording, "-o", out / "d.npz", "--network", recording.with_name("none.npz")) == 1
    assert "none.npz" in capsys.readouterr().err and "d.npz" not in files(out)


@pytest.mark.slow
def test_frame_by_frame_with_a_regressor_gives_the_same_poses(recording, betas, out):
    regressor = recording.with_name("regressor.npy")
    np.save(regressor, landmark_regressor(load_free_body(), solver_names()))
    common = ("--betas", betas, "--out-up", "Y", "--mode", "frames")
    assert fit(recording, "-o", out / "a.npz", *common) == 0
    assert fit(recording, "-o", out / "b.npz", *common, "--regressor", regressor) == 0
    np.testing.assert_allclose(read(out / "a.npz")["poses"], read(out / "b.npz")["poses"], atol=1e-6)


@pytest.mark.slow
def test_the_motion_is_cleaned_up_as_requested(recording, betas, out):
    cleaning = ("--smooth", "0.5", "--foot-lock", "1", "--ground", "contacts", "--height", "0.1", "--root", "in_place")
    assert fit(recording, "-o", out / "walk.npz", "--betas", betas, "--out-up", "Y", *cleaning) == 0
    (track,) = read_tracks(recording)
    motion, report = fit_track(track, load_free_body(), FitOptions(betas=SCENE.known_betas()))
    source = analyse_motion(motion, load_free_body(), held_joints(report.flags, motion, track.fps))
    expected = clean_up(source, CleanupOptions(0.5, 1.0, "contacts", 0.1, "in_place"))
    assert np.abs(expected.trans - motion.trans).max() > 0.01
    arrays = read(out / "walk.npz")
    np.testing.assert_allclose(arrays["poses"][:, :66], expected.poses[:, :66], atol=1e-9)
    np.testing.assert_allclose(arrays["trans"], expected.trans, atol=1e-9)


def test_a_motion_without_planted_feet_is_reported(tmp_path, betas, out, capsys):
    """The person falls."""
    positions = np.nan_to_num(SCENE.track(BODY25, noise_m=0.002).positions)
    positions[..., 1] -= 0.15 * np.arange(24)[:, None]
    falling = save(tmp_path / "in" / "fall.npz", positions=positions)
    assert fit(falling, "-o", out / "fall.npz", "--betas", betas, "--foot-lock", "1") == 0
    assert "no foot of the person ever stands" in capsys.readouterr().out


@pytest.mark.slow
def test_each_person_gets_a_labelled_output(tmp_path, out, betas):
    people = two_people(tmp_path / "people")
    arguments = (people, "--fps", 30, "--betas", betas, "--out-up", "Y", "--report", out / "report.json")
    assert fit(*arguments, "-o", out / "duo.npz") == 0
    assert files(out) == {"duo_3.npz", "duo_7.npz", "report_3.json", "report_7.json"}
    apart = read(out / "duo_7.npz")["trans"] - read(out / "duo_3.npz")["trans"]
    np.testing.assert_allclose(apart, np.broadcast_to([2.0, 0.0, 0.0], apart.shape), atol=1e-3)
    assert fit(people, "--fps", 30, "--betas", betas, "--person", "7", "-o", out / "one.npz") == 0
    assert "one.npz" in files(out)


def test_people_who_are_left_out_are_reported(tmp_path, out, betas, capsys):
    people = two_people(tmp_path / "people")
    for path in people.iterdir():
        document = json.loads(path.read_text())
        document[1]["keypoints3d"] = [[0.0] * 4] * len(BODY25.points)
        path.write_text(json.dumps(document))
    assert fit(people, "--fps", 30, "--layout", "body25", "--betas", betas, "-o", out / "one.npz") == 0
    assert "Left out 7: expected legs or arms" in capsys.readouterr().out
    assert files(out) == {"one.npz"}


def test_people_who_are_left_out_are_reported_whatever_the_wording(recording, out, betas, capsys, monkeypatch):
    def read_with_other_wording(*given):
        return [replace(reading, people_left_out=("Nobody could see the second one.",)) for reading in read_all(*given)]

    monkeypatch.setattr(core.pipeline, "read_all", read_with_other_wording)
    assert fit(recording, "--betas", betas, "-o", out / "one.npz") == 0
    assert "Nobody could see the second one." in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_doubts_and_left_out_points_are_reported(tmp_path, out, betas, capsys):
    track = SCENE.track(noise_m=0.002)
    lying = track.positions[..., [0, 2, 1]] * [1.0, -1.0, 1.0]
    lying[5:9, BODY25.names.index("left_wrist")] += 2.5
    path = tmp_path / "lying.npz"
    np.savez(path, positions=lying, confidence=track.confidence, fps=30.0, layout="body25")
    assert fit(path, "--betas", betas, "-o", out / "a.npz", "--report", out / "a.json") == 0
    printed = capsys.readouterr().out
    assert "Doubt: +Z up is assumed" in printed and "left_wrist in 5-8" in printed
    assert "counted from 0" in printed
    report = json.loads((out / "a.json").read_text())
    assert any("Doubt: +Z up is assumed" in note for note in report["notes"])
    assert any("left_wrist in 5-8" in note for note in report["notes"])
    flag = {"kind": "implausible", "what": "left_wrist", "first": 5, "last": 8}
    assert [found for found in report["flags"] if found["what"] == "left_wrist"] == [flag]
    assert fit(path, "--betas", betas, "-o", out / "b.npz", "--up", "Y") == 0
    assert "assumed" not in capsys.readouterr().out


@pytest.mark.slow
def test_the_suffix_names_the_format(tmp_path):
    source = save(tmp_path / "walk.npz")
    for suffix, begins in (("mot", "Coordinates\n"), ("trc", "PathFileType\t")):
        for _ in range(2):  # its own file is replaced
            assert fit(source, "-o", tmp_path / f"out.{suffix}") == 0
        assert (tmp_path / f"out.{suffix}").read_text().startswith(begins)
    (tmp_path / "out.mot").write_text("Coordinates of somebody\n")
    assert fit(source, "-o", tmp_path / "out.mot") == 1


@pytest.mark.slow
def test_a_batch_writes_several_formats(tmp_path, capsys):
    source = save(tmp_path / "walk.npz", start_s=0.37)
    assert fit(source, "-o", f"{tmp_path / 'out'}/", "--formats", "npz", "mot", "trc", "--npz-layout", "smplx") == 0
    assert files(tmp_path / "out") == {"walk.npz", "walk.mot", "walk.trc", "walk.smplify.json", "summary.jsonl"}
    assert read(tmp_path / "out" / "walk.npz")["poses"].shape[1] == 165
    assert read(tmp_path / "out" / "walk.npz")["start_s"] == 0.37
    for suffix, first_row in (("mot", 11), ("trc", 6)):
        row = (tmp_path / "out" / f"walk.{suffix}").read_text().splitlines()[first_row]
        assert "0.37000000" in row.split("\t")[:2], suffix
    assert fit(source, "-o", tmp_path / "a.npz", "--formats", "mot") == 1
    assert "its suffix is its format" in capsys.readouterr().err


@pytest.mark.slow
def test_a_solved_motion_is_not_fitted(tmp_path, capsys):
    source = save(tmp_path / "walk.npz")
    assert fit(source, "-o", tmp_path / "first.npz", "--report", tmp_path / "r.json") == 0
    capsys.readouterr()
    assert fit(tmp_path / "first.npz", "-o", tmp_path / "second.npz", "--report", tmp_path / "s.json") == 0
    assert "as AMASS solved it" in capsys.readouterr().out
    first, second = read(tmp_path / "first.npz"), read(tmp_path / "second.npz")
    for key in ("poses", "trans", "betas"):
        np.testing.assert_allclose(second[key], first[key], atol=1e-9)
    assert "keypoint_error_mm" not in second
    report = json.loads((tmp_path / "s.json").read_text())
    assert report["mean_error_mm"] is None and report["flags"] == []
