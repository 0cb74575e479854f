"""TRC: real files, every dialect written and read back, and damaged files."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats import read_recordings
from tests.recordings import cases

from .track_writers import clip, names_of, trc_text

REAL = [
    # source, file, frames, points, fps, unit, missing coordinates, first name, person
    ("twin", "AddBiomechanics_motion_capture_walk.trc", 238, 41, 100.0, "mm", 0, "R.Shoulder", ""),
    ("twin", "JA1Gait35.trc", 322, 53, 250.0, "m", 138, "C7", ""),
    ("twin", "OpenCap_DJ1.trc", 245, 51, 100.0, "m", 0, "C7", ""),
    ("twin", "OpenCap_walking2.trc", 136, 51, 100.0, "m", 0, "C7", ""),
    ("twin", "Pose2Sim_markers.trc", 100, 21, 60.0, "m", 0, "RHip", ""),
    ("twin", "S00_P00_T01_BalancingTrial_0-100.trc", 100, 21, 60.0, "m", 0, "RHip", ""),
    ("twin", "S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc", 100, 64, 60.0, "m", 0, "RHip", ""),
    ("twin", "S00_P01_T02_Participants1-2_P1_0-100.trc", 100, 21, 60.0, "m", 0, "RHip", "P1"),
    ("original", "AddBiomechanics_motion_capture_walk.trc", 238, 41, 100.0, "mm", 0, "R.Shoulder", ""),
    ("original", "JA1Gait35.trc", 322, 53, 250.0, "m", 138, "C7", ""),
    ("original", "OpenCap_DJ1.trc", 245, 51, 100.0, "m", 156, "C7", ""),
    ("original", "OpenCap_walking2.trc", 136, 51, 100.0, "m", 312, "C7", ""),
    ("original", "Pose2Sim_markers.trc", 100, 21, 60.0, "m", 0, "RHip", ""),
    ("original", "S00_P00_T01_BalancingTrial_0-100.trc", 100, 21, 60.0, "m", 0, "RHip", ""),
    ("original", "S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc", 100, 64, 60.0, "m", 0, "RHip", ""),
    ("original", "S00_P01_T02_Participants1-2_P1_0-100.trc", 100, 21, 60.0, "m", 0, "RHip", "P1"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "name", "frames", "points", "fps", "units", "num_nan", "first_name", "person"), cases(REAL)
)
def test_real_files(data_dir, source, name, frames, points, fps, units, num_nan, first_name, person):
    (recording,) = read_recordings(data_dir(source) / "keypoints" / "trc" / name)
    assert recording.positions.shape == (frames, points, 3)
    assert (recording.fps, recording.units, recording.person) == (fps, units, person)
    assert (recording.names[0], recording.first_frame, recording.up_axis) == (first_name, 1, None)
    assert np.isnan(recording.positions).sum() == num_nan
    assert (recording.confidence == np.isfinite(recording.positions).all(-1)).all()


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (
            "Pose2Sim_markers.trc",
            [-0.06499776880731566, 0.9015132201416931, -1.400573592601662],
            [-0.03880590057607643, 0.49350054440362806, -1.4465460135082704],
        ),
        ("OpenCap_DJ1.trc", [-1.16945, 1.89637, -0.573033], [-1.04057, 1.34805, -0.698811]),
    ],
)
def test_known_value_of_a_real_file(shared_dir, name, first, second):
    """The first point in the first frame and the second in the second are those of the file."""
    (recording,) = read_recordings(shared_dir / "data" / "keypoints" / "trc" / name)
    np.testing.assert_array_equal(recording.positions[0, 0], first)
    np.testing.assert_array_equal(recording.positions[1, 1], second)


DIALECTS = {
    "tabs": {},
    "no blank line": {"blank_line": False},
    "commas": {"delimiter": ","},
    "nan words": {"blank": "nan"},
    "blanks": {"delimiter": " ", "blank": "NaN"},
    "windows line ends": {"end": "\r\n"},
    "old line ends": {"end": "\r"},
    "late start": {"first_time": 17.25},
    "millimetres": {"units": "mm"},
    "padded": {"rate": "   50.0 "},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_written_points_are_read_back(read, dialect, encoding):
    points, names = clip(9, 4, missing=True), names_of(4)
    (recording,) = read("any name at all.txt", trc_text(points, names, **DIALECTS[dialect]).encode(encoding))
    np.testing.assert_array_equal(recording.positions, points)
    assert (recording.kind, recording.names, recording.fps) == ("TRC", names, 50.0)
    assert recording.units == DIALECTS[dialect].get("units", "m")


@pytest.mark.parametrize("delimiter", ["\t", ","])
@pytest.mark.parametrize("num_lost", [1, 3])
def test_file_without_its_first_lines_is_still_recognised(read, delimiter, num_lost):
    points, names = clip(5, 3), names_of(3)
    (recording,) = read("a.trc", "".join(trc_text(points, names, delimiter=delimiter).splitlines(True)[num_lost:]))
    assert (recording.kind, recording.names, recording.fps) == ("TRC", names, 50.0)
    np.testing.assert_array_equal(recording.positions, points)


def test_latin1_names(read):
    assert read("a.trc", trc_text(clip(3, 2), ("Épaule", "Ellbögen")).encode("latin-1"))[0].names == (
        "Épaule",
        "Ellbögen",
    )


def test_rate_from_time_when_the_header_has_none_or_a_wrong_one(read):
    for rate in ("0", "120", ""):
        (recording,) = read("a.trc", trc_text(clip(60, 2), names_of(2), fps=90.69, rate=rate, numbers=range(60)))
        assert recording.fps == pytest.approx(90.69, rel=1e-4)
        assert any("Time column" in note for note in recording.notes)


def test_skipped_frames_are_missing_rows(read):
    points = clip(5, 2)
    (recording,) = read("a.trc", trc_text(points, names_of(2), numbers=[7, 8, 11, 12, 13]))
    assert (recording.num_frames, recording.first_frame, recording.fps) == (7, 7, 50.0)
    np.testing.assert_array_equal(recording.positions[[0, 1, 4, 5, 6]], points)
    assert (recording.confidence[2:4] == 0).all() and np.isnan(recording.positions[2:4]).all()


@pytest.mark.parametrize(("stated", "notes"), [(5, []), (7, []), (4, ["The header says 4 frames, the file has 5."])])
def test_the_header_may_count_rows_or_frames(read, stated, notes):
    lines = trc_text(clip(5, 2), names_of(2), numbers=[7, 8, 11, 12, 13]).split("\n")
    lines[2] = lines[2].replace("\t5\t", f"\t{stated}\t", 1)
    (recording,) = read("a.trc", "\n".join(lines))
    assert [note for note in recording.notes if "header" in note] == notes and recording.doubts == ()


def test_gaps_in_time_alone_are_missing_rows(read):
    lines = trc_text(clip(30, 2), names_of(2)).split("\n")
    for row in range(20, 30):
        cells = lines[6 + row].split("\t")
        lines[6 + row] = "\t".join([cells[0], f"{(row + 4) / 50:.6f}", *cells[2:]])
    (recording,) = read("a.trc", "\n".join(lines))
    assert (recording.num_frames, recording.fps) == (34, 50.0)
    assert (recording.confidence[20:24] == 0).all() and (recording.confidence[[19, 24]] == 1).all()


@pytest.mark.parametrize("form", ["commas", "double tabs"])
def test_headers_as_laboratories_write_them(tmp_path, form):
    points, path = clip(4, 3), tmp_path / "a.trc"
    lines = trc_text(points, names_of(3), units="mm").split("\n")
    if form == "commas":
        lines = [line.replace("\t", ",") for line in lines]
        lines[0], lines[5] = lines[0] + ",,,,,,", ",,,,,,,,,,"
    else:
        lines[0] = lines[0].replace("\t", " ")
        lines[1:3] = [line.replace("\t", "\t\t  ") for line in lines[1:3]]
    path.write_text("\n".join(lines))
    (recording,) = read_recordings(path)
    np.testing.assert_array_equal(recording.positions, points)
    assert (recording.names, recording.units, recording.fps) == (names_of(3), "mm", 50.0)


def test_ragged_rows_and_trailing_tabs(read):
    points = clip(4, 3)
    lines = trc_text(points, names_of(3)).split("\n")
    lines[6] += "\t\t"
    lines[7] = "\t".join(lines[7].split("\t")[:5])
    (recording,) = read("a.trc", "\n".join(lines))
    assert recording.confidence.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 1], [1, 1, 1]]
    np.testing.assert_array_equal(recording.positions[1, 0], points[1, 0])


def test_decimal_commas(read):
    points = clip(3, 2)
    text = trc_text(points, names_of(2))
    head, rows = text.split("\n")[:6], text.split("\n")[6:]
    np.testing.assert_array_equal(
        read("a.trc", "\n".join(head + [row.replace(".", ",") for row in rows]))[0].positions, points
    )


@pytest.mark.parametrize("share", [0.5, 0.8, 0.99])
def test_truncated_file_is_rejected(tmp_path, share):
    path = tmp_path / "a.trc"
    text = trc_text(clip(50, 4), names_of(4))
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(TrackFileError, match="cut off") as error:
        read_recordings(path)
    assert str(path) in str(error.value) and "export" in str(error.value)


@pytest.mark.parametrize(("stated", "doubts", "notes"), [(8, 1, 0), (5, 0, 0), (4, 0, 1)])
def test_a_file_of_whole_rows_is_doubtful_where_the_header_says_more(read, stated, doubts, notes):
    lines = trc_text(clip(5, 2), names_of(2)).split("\n")
    lines[2] = lines[2].replace("\t5\t", f"\t{stated}\t", 1)
    (recording,) = read("a.trc", "\n".join(lines))
    cut_off = [f"the file was cut off: its header says {stated} frames, it has 5"]
    assert list(recording.doubts) == cut_off * doubts
    assert [f"The header says {stated} frames, the file has 5."] * notes == list(recording.notes)


def test_word_among_numbers_is_reported_with_its_line(read):
    lines = trc_text(clip(5, 2), names_of(2)).split("\n")
    lines[8] = lines[8].replace("\t0.040000\t", "\t0.040000\toops\t", 1).rsplit("\t", 1)[0]
    with pytest.raises(TrackFileError, match=r"expected a number, found 'oops' in line 9"):
        read("a.trc", "\n".join(lines))


def test_contradictory_header_is_rejected(read):
    lines = trc_text(clip(5, 3), names_of(3)).split("\n")
    lines[3] = lines[3].replace("\tPoint.C\t\t", "")
    with pytest.raises(TrackFileError, match="expected 3 point names as NumMarkers says, found 2"):
        read("a.trc", "\n".join(lines))


def test_spaces_between_cells_hide_no_gap(tmp_path):
    path, positions = tmp_path / "a.trc", clip(6, 4)
    path.write_text(trc_text(positions, names_of(4)).replace("\t", " "))
    (recording,) = read_recordings(path)
    np.testing.assert_allclose(recording.positions, positions, atol=1e-5)
    lines = trc_text(positions, names_of(4)).splitlines()
    cells = lines[-2].split("\t")
    cells[5:8] = ["", "", ""]
    path.write_text("\n".join([*lines[:-2], "\t".join(cells), lines[-1]]).replace("\t", " "))
    with pytest.raises(TrackFileError, match=f"expected 14 cells .* found 11 in line {len(lines) - 1} .* tabs"):
        read_recordings(path)
