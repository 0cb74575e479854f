"""C3D: real files against the c3d package's own frame reader, and every number format written and read back."""

from __future__ import annotations

import warnings

import c3d
import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats import read_recordings
from tests.recordings import cases

from .track_writers import c3d_bytes, clip, names_of

REAL = [
    # source, file, frames, points, fps, up axis, person, first frame, first name
    ("twin", "cmu_02_05.c3d", 480, 41, 120.0, "+Z", "TakeoMonday", 1, "RBWT"),
    ("twin", "JA1Gait35.c3d", 324, 51, 250.0, "+Z", "", 833, "C7"),
    ("twin", "pycgm_Movement_trial.c3d", 90, 117, 120.0, "+Z", "", 695, "LBHD"),
    ("twin", "pycgm_Sample_Static.c3d", 60, 111, 100.0, "+Z", "", 1, "LFHD"),
    ("twin", "squat.c3d", 860, 53, 120.0, None, "Sample35", 1, "ARIEL"),
    ("original", "cmu_02_05.c3d", 1854, 41, 120.0, "+Z", "TakeoMonday", 1, "RBWT"),
    ("original", "cmu_05_13.c3d", 1095, 330, 120.0, "+Z", "Dance", 20, "LFHD"),
    ("original", "JA1Gait35.c3d", 324, 51, 250.0, "+Z", "", 833, "C7"),
    ("original", "pycgm_Movement_trial.c3d", 323, 117, 120.0, "+Z", "", 695, "LBHD"),
    ("original", "pycgm_Sample_Static.c3d", 275, 111, 100.0, "+Z", "", 1, "LFHD"),
    ("original", "squat.c3d", 2539, 53, 120.0, None, "SehoonVSK35", 1, "ARIEL"),
]


class _Oracle(c3d.Reader):
    def _check_metadata(self):
        pass


def _oracle(path):
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = _Oracle(file)
        labels = [
            label.strip().rpartition(":")[2]
            for name in ("LABELS", "LABELS2")
            if reader.get(f"POINT:{name}") is not None
            for label in reader.get(f"POINT:{name}").string_array
        ]
        return labels, np.array([points for _, points, _ in reader.read_frames()])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "name", "frames", "points", "fps", "up", "person", "first", "first_name"), cases(REAL)
)
def test_real_files(data_dir, source, name, frames, points, fps, up, person, first, first_name):
    path = data_dir(source) / "keypoints" / "c3d" / name
    (recording,) = read_recordings(path)
    assert recording.positions.shape == (frames, points, 3)
    assert (recording.fps, recording.units, recording.up_axis) == (fps, "mm", up)
    assert (recording.person, recording.first_frame, recording.names[0]) == (person, first, first_name)
    labels, wanted = _oracle(path)
    wanted = wanted[:, [labels.index(label) for label in recording.names]]
    present = (wanted[..., 3] >= 0) & (wanted[..., :3] != 0).any(-1)
    assert (present == (recording.confidence > 0)).all()
    np.testing.assert_allclose(recording.positions[present], wanted[present][:, :3], atol=2e-4)


@pytest.mark.slow
def test_only_markers_are_read(keypoints):
    (recording,) = read_recordings(keypoints / "c3d/pycgm_Movement_trial.c3d")
    assert not any(name.startswith("*") or "Angles" in name or "Power" in name for name in recording.names)
    assert {"LASI", "RASI", "LKNE", "C7", "PELO"} <= set(recording.names)
    assert np.nanmax(np.abs(recording.positions)) < 3000.0


@pytest.mark.parametrize("processor", [84, 85, 86])
@pytest.mark.parametrize("scale", [-1.0, 0.0625])
@pytest.mark.parametrize("num_analog", [0, 6])
def test_written_points_are_read_back(read, processor, scale, num_analog):
    points = 500.0 * clip(11, 6, missing=True)
    (recording,) = read(
        "no suffix", c3d_bytes(points, names_of(6), scale=scale, processor=processor, first=5, num_analog=num_analog)
    )
    np.testing.assert_allclose(recording.positions, points, atol=1e-3 if scale < 0 else 0.04, rtol=1e-6)
    assert (recording.names, recording.fps, recording.units) == (names_of(6), 100.0, "mm")
    assert (recording.up_axis, recording.first_frame) == ("+Z", 5)


def test_subjects_become_people_and_non_markers_are_dropped(read):
    labels = ["Ann:HEAD", "Bob:HEAD", "Ann:FOOT", "*7", "Bob:FOOT", "Ann:KneeAngles", "Bob:HipPower", ""]
    points = clip(3, len(labels))
    lists = {"ANGLES": ["KneeAngles"], "POWERS": ["Bob:HipPower"]}
    ann, bob = read("two.c3d", c3d_bytes(points, labels, lists=lists, screen="-Z", units="m"))
    assert (ann.person, bob.person, ann.names) == ("Ann", "Bob", ("HEAD", "FOOT"))
    np.testing.assert_allclose(ann.positions, points[:, [0, 2]], atol=1e-6)
    np.testing.assert_allclose(bob.positions, points[:, [1, 4]], atol=1e-6)
    assert (ann.up_axis, ann.units) == (None, "m")
    assert any("Y_SCREEN is -Z" in note for note in ann.notes)
    assert any("2 points that are angles" in note for note in ann.notes)


def test_more_than_255_labels(read):
    labels = [f"M{index}" for index in range(600)]
    points = clip(2, 600)
    (recording,) = read("many.c3d", c3d_bytes(points, labels))
    assert recording.names == tuple(labels)
    np.testing.assert_allclose(recording.positions, points, atol=1e-6)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_truncated_file_is_rejected(read, share):
    data = c3d_bytes(clip(100, 20), names_of(20))
    with pytest.raises(TrackFileError, match=r"expected 100 frames of 20 points .* room for \d+ .* cut off"):
        read("cut.c3d", data[: int(share * len(data))])


def test_header_promising_gigabytes_is_rejected(read):
    data = bytearray(c3d_bytes(clip(2, 3), names_of(3)))
    data[8:10] = b"\xff\xff"
    data[6:8] = b"\x01\x00"
    with pytest.raises(TrackFileError, match="expected 65535 frames"):
        read("big.c3d", bytes(data))


def test_file_without_points_is_reported(read):
    with pytest.raises(TrackFileError, match="expected marker points"):
        read("none.c3d", c3d_bytes(np.zeros((3, 0, 3)), ["x"]))


def test_unknown_processor_is_rejected(read):
    data = bytearray(c3d_bytes(clip(2, 3), names_of(3)))
    data[512 + 3] = 99
    with pytest.raises(TrackFileError, match="processor code 63"):
        read("odd.c3d", bytes(data))
