"""Regression tests on real recordings, each for an error that was once seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import world_rotations
from core.fit import fit_track
from core.formats.dispatch import read_recordings
from core.math.rotations import matrix_to_axis_angle, nearest_rotation
from core.reading import read_tracks
from core.smpl_skeleton import JOINT_INDEX
from tests.recordings import SOURCES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trc(data_dir) -> Path:
    """The folder of TRC files: the originals where they are, else the twins."""
    return data_dir(SOURCES[-1]) / "keypoints" / "trc"


@cache
def _fitted(path: Path, frames: tuple[int | None, ...] = (None,)) -> tuple[np.ndarray, float]:
    """Return the fitted local rotations (F, 24, 3, 3) of a file's frames `slice(*frames)`, and their rate."""
    (track,) = read_tracks(path)
    frames = slice(*frames)
    fps = track.fps / (frames.step or 1)
    selected = replace(track, positions=track.positions[frames], confidence=track.confidence[frames], fps=fps)
    return fit_track(selected, load_free_body())[0].rotations(), fps


def test_a_sitting_person_looks_ahead_despite_an_offset_neck_point(trc):
    rotations, _ = _fitted(trc / "S00_P01_T02_Participants1-2_P1_0-100.trc", (30,))
    world = world_rotations(rotations)
    face, chest = world[:, JOINT_INDEX["head"], :, 2], world[:, JOINT_INDEX["spine3"], :, 2]
    sideways = np.cross(chest, face)[:, 1] / np.linalg.norm(chest[:, [0, 2]], axis=1)
    assert np.degrees(np.abs(np.arcsin(sideways))).max() < 18.0
    assert np.degrees(matrix_to_axis_angle(rotations[:, JOINT_INDEX["neck"]])[:, 0]).max() < 55.0


@pytest.mark.parametrize("frames", [(0, 140), (215, 255)])
def test_a_stray_marker_causes_no_outlier_pose_in_the_sprint(keypoints, frames):
    rotations, fps = _fitted(keypoints / "trc" / "JA1Gait35.trc", frames)
    steps = np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:]
    assert np.linalg.norm(matrix_to_axis_angle(steps), axis=-1).max() * fps < 45.0


def test_wrong_heel_and_toe_points_in_one_frame_do_not_move_the_foot(trc):
    rotations, _ = _fitted(trc / "S00_P00_T01_BalancingTrial_0-100.trc")
    foot = rotations[:, JOINT_INDEX["left_ankle"]]
    steps = np.swapaxes(foot[91:97], -1, -2) @ foot[92:98]
    assert np.degrees(np.linalg.norm(matrix_to_axis_angle(steps), axis=-1)).max() < 25.0


def test_temporal_refinement_leaves_no_step_at_its_ends(keypoints):
    # The jumper's shoulders are still here; they used to turn by 6 degrees within one frame.
    rotations, _ = _fitted(keypoints / "trc" / "OpenCap_DJ1.trc")
    shoulders = rotations[222:236, [JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]]]
    steps = matrix_to_axis_angle(np.swapaxes(shoulders[:-1], -1, -2) @ shoulders[1:])
    assert np.degrees(np.linalg.norm(np.diff(steps, axis=0), axis=-1)).max() < 3.0


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_foot_turns_with_its_markers(keypoints, side):
    path = keypoints / "trc" / "OpenCap_walking2.trc"
    (track,) = read_tracks(path)
    index = track.layout.solver_index
    markers = track.positions[:, [index[f"{side}_{name}"] for name in ("heel", "foot", "fifth_metatarsal")]]
    markers = markers - markers.mean(axis=1, keepdims=True)
    seen = nearest_rotation(np.swapaxes(markers, -1, -2) @ markers[0])
    rotations, _ = _fitted(path)
    off = np.swapaxes(seen, -1, -2) @ world_rotations(rotations)[:, JOINT_INDEX[f"{side}_ankle"]]
    spread = matrix_to_axis_angle(off[0].T @ off)
    assert np.degrees(np.linalg.norm(spread - np.median(spread, axis=0), axis=-1)).max() < 20.0
    toes = np.degrees(matrix_to_axis_angle(rotations[:, JOINT_INDEX[f"{side}_foot"]]))
    assert np.abs(toes[:, 1:]).max() < 8.0


def test_the_toes_do_not_fold_up(trc):
    rotations, _ = _fitted(trc / "Pose2Sim_markers.trc")
    for side in ("left", "right"):
        toes = np.degrees(matrix_to_axis_angle(rotations[:, JOINT_INDEX[f"{side}_foot"]])[:, 0])
        assert toes.min() > -46.0 and toes.max() < 46.0


def test_the_pelvis_tilts_with_its_markers_when_bending_down(keypoints):
    # The fit used to tuck it in by 20 degrees before it followed, within a tenth of a second.
    rotations, _ = _fitted(keypoints / "c3d" / "squat.c3d", (None, None, 5))
    (recording,) = read_recordings(keypoints / "c3d" / "squat.c3d")
    front, rear = (
        sum(recording.positions[::5, recording.names.index(f"{side}{marker}")] for side in "LR")
        for marker in ("FWT", "BWT")
    )
    ahead = front - rear
    seen = np.degrees(np.arcsin(-ahead[:, 1] / np.linalg.norm(ahead, axis=1)))
    fitted = np.degrees(np.arcsin(-rotations[:, JOINT_INDEX["pelvis"], 1, 2]))
    off = fitted - seen
    assert np.nanstd(off) < 4.4
    assert np.nanmax(np.abs(np.diff(off))) < 10.0


def test_head_and_toes_do_not_jump_at_the_start_of_the_clip(trc):
    # The head turned by 24 degrees in the first frame, the toes by 26, three times as fast as ever after.
    rotations, _ = _fitted(trc / "Pose2Sim_markers.trc")
    joints = rotations[:6, [JOINT_INDEX["head"], JOINT_INDEX["left_foot"]]]
    steps = matrix_to_axis_angle(np.swapaxes(joints[:-1], -1, -2) @ joints[1:])
    assert np.degrees(np.linalg.norm(steps, axis=-1)).max() < 20.0


def test_neck_and_head_stay_within_their_limits(trc):
    rotations, _ = _fitted(trc / "Pose2Sim_markers.trc")
    for joint in ("neck", "head"):
        sideways = np.degrees(matrix_to_axis_angle(rotations[:, JOINT_INDEX[joint]])[:, 2])
        assert np.abs(sideways).max() < 45.0


def test_an_elbow_that_jumps_for_two_frames_is_flagged(trc):
    (track,) = read_tracks(trc / "S00_P00_T01_BalancingTrial_0-100.trc")
    # The arm follows the file's own jump of 140 mm, but not one that is half as large again.
    elbow = track.positions[:, track.layout.names.index("left_elbow")]
    elbow[87:89] += 0.5 * (elbow[87] - elbow[86])
    _, report = fit_track(track, load_free_body())
    assert [flag for flag in report.flags if flag.what == "left_elbow" and flag.first <= 87 <= flag.last]
