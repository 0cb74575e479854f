"""Test real recordings of many tools, read with only the options that they need."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import AmbiguousTrackError
from core.reading import ReadOptions, read_all
from tests.recordings import cases

pytestmark = pytest.mark.slow

FILES = [
    # source, file, layout, units, up axis, frame rate in fps, stature in metres
    ("twin", "c3d/JA1Gait35.c3d", "markers", "mm", "+Z", 250.0, 1.695),
    ("twin", "c3d/cmu_02_05.c3d", "markers", "mm", "+Z", 120.0, 1.69),
    ("twin", "c3d/pycgm_Movement_trial.c3d", "markers", "mm", "+Z", 120.0, 1.70),
    ("twin", "c3d/pycgm_Sample_Static.c3d", "markers", "mm", "+Z", 100.0, 1.70),
    ("twin", "c3d/squat.c3d", "markers", "mm", "+Y", 120.0, 1.64),
    ("twin", "trc/AddBiomechanics_motion_capture_walk.trc", "markers", "mm", "+Y", 100.0, 1.695),
    ("twin", "trc/JA1Gait35.trc", "markers", "m", "+Y", 250.0, 1.695),
    ("twin", "trc/OpenCap_DJ1.trc", "markers", "m", "+Y", 100.0, 1.695),
    ("twin", "trc/OpenCap_walking2.trc", "markers", "m", "+Y", 100.0, 1.695),
    ("twin", "trc/Pose2Sim_markers.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("twin", "trc/S00_P00_T01_BalancingTrial_0-100.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("twin", "trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("twin", "trc/S00_P01_T02_Participants1-2_P1_0-100.trc", "halpe26", "m", "+Y", 60.0, 1.71),
    ("original", "c3d/JA1Gait35.c3d", "markers", "mm", "+Z", 250.0, 1.77),
    ("original", "c3d/cmu_02_05.c3d", "markers", "mm", "+Z", 120.0, 1.69),
    ("original", "c3d/cmu_05_13.c3d", "markers", "mm", "+Z", 120.0, 1.67),
    ("original", "c3d/pycgm_Movement_trial.c3d", "markers", "mm", "+Z", 120.0, 1.60),
    ("original", "c3d/pycgm_Sample_Static.c3d", "markers", "mm", "+Z", 100.0, 1.76),
    ("original", "c3d/squat.c3d", "markers", "mm", "+Y", 120.0, 1.61),
    ("original", "trc/AddBiomechanics_motion_capture_walk.trc", "markers", "mm", "+Y", 100.0, 1.76),
    ("original", "trc/JA1Gait35.trc", "markers", "m", "+Y", 250.0, 1.77),
    ("original", "trc/OpenCap_DJ1.trc", "markers", "m", "+Y", 100.0, 1.78),
    ("original", "trc/OpenCap_walking2.trc", "markers", "m", "+Y", 100.0, 1.75),
    ("original", "trc/Pose2Sim_markers.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("original", "trc/S00_P00_T01_BalancingTrial_0-100.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("original", "trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc", "halpe26", "m", "+Y", 60.0, 1.70),
    ("original", "trc/S00_P01_T02_Participants1-2_P1_0-100.trc", "halpe26", "m", "+Y", 60.0, 1.14),
]
LIFTED = ("h36m17/Alter_output_keypoints_3d.npz", "h36m17/AutoDance_output_keypoints_3d.npz")


@pytest.mark.parametrize(("source", "name", "layout", "units", "up", "fps", "stature_m"), cases(FILES))
def test_a_real_file_is_interpreted_correctly(source, name, layout, units, up, fps, stature_m, data_dir):
    (reading,) = read_all(data_dir(source) / "keypoints" / name)
    track = reading.track
    assert (track.layout.name, track.fps, track.root_relative) == (layout, fps, False)
    assert reading.finding("units").value == units
    assert reading.finding("up axis").value == up
    assert reading.finding("handedness").value == "right"
    assert reading.stature_m == pytest.approx(stature_m, abs=0.02)
    assert len(reading.checks) == 6
    assert len(reading.doubts) == (2 if "squat" in name else 1 if stature_m < 1.2 else 0)
    index = track.layout.solver_index
    ankles = track.positions[:, [index["left_ankle"], index["right_ankle"]], 1]
    shoulders = track.positions[:, [index["left_shoulder"], index["right_shoulder"]], 1]
    assert np.nanmedian(shoulders) - np.nanmedian(ankles) > 0.3 * stature_m


@pytest.mark.parametrize("solver", ["mocap", "mono", "wham"])
def test_bodies_of_opencap_are_the_joints_of_the_squat(solver, shared_dir):
    (reading,) = read_all(shared_dir / "data" / "real" / "opencap_squat" / f"squat_sample_{solver}.json")
    assert (reading.kind, reading.track.layout.name, reading.track.fps) == ("OpenCap bodies", "coco17", 100.0)
    assert reading.track.num_frames == 1346 and not reading.doubts
    assert reading.stature_m == pytest.approx(1.69, abs=0.02)


@pytest.mark.parametrize("name", LIFTED)
def test_lifted_video_only_needs_its_frame_rate(name, keypoints):
    path = keypoints / name
    with pytest.raises(AmbiguousTrackError, match="--fps"):
        read_all(path)
    (reading,) = read_all(path, ReadOptions(fps=25.0))
    assert reading.track.layout.name == "h36m17"
    assert reading.track.root_relative
    assert reading.finding("up axis").value == "-Y"
    assert 1.5 < reading.stature_m < 1.8


def test_study_markers_are_read_on_request(keypoints):
    path = keypoints / "trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc"
    (keypoints,), (markers,) = read_all(path), read_all(path, ReadOptions(layout="markers"))
    assert markers.track.layout.name == "markers"
    for joint in ("left_knee", "right_ankle", "left_elbow"):
        seen = [
            reading.track.positions[:, reading.track.layout.solver_index[joint]] for reading in (keypoints, markers)
        ]
        assert np.nanmedian(np.linalg.norm(seen[0] - seen[1], axis=-1)) < 0.06


def test_one_trial_in_two_formats_gives_the_same_motion(keypoints):
    (trc,), (c3d,) = read_all(keypoints / "trc/JA1Gait35.trc"), read_all(keypoints / "c3d/JA1Gait35.c3d")
    index = trc.track.layout.solver_index

    def thigh(reading):
        positions = reading.track.positions
        return np.nanmedian(np.linalg.norm(positions[:, index["left_hip"]] - positions[:, index["left_knee"]], axis=-1))

    assert thigh(trc) == pytest.approx(thigh(c3d), abs=0.005)
