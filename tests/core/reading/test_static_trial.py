"""Markers that only a static trial has: placed by their segment, in any unit; what cannot be placed is reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="markers are simulated with SciPy, which Blender's environments do not have")

from core.cli.main import main  # noqa: E402
from core.errors import TrackError  # noqa: E402
from core.reading import ReadOptions, read_all  # noqa: E402
from tests.core.formats.track_writers import trc_text  # noqa: E402
from tests.simulated_markers import simulated, true_joints  # noqa: E402

FPS, FRAMES = 60.0, 200
SPOTS = {
    "ASI": "asis", "PSI": "psis", "KNE": "knee outside", "TH1": "thigh outside", "TH2": "thigh front",
    "TH3": "thigh front above", "SH1": "shank front", "SH2": "shank outside", "SH3": "shank front below",
    "ANK": "ankle outside", "HEE": "heel", "TOE": "toe", "SHO": "shoulder", "ELB": "elbow outside", "WRA": "wrist",
}  # fmt: skip
INSIDE = {"MedialKnee": "knee inside", "MedialAnkle": "ankle inside"}


def markers(spots: dict[str, str], **how: float) -> tuple[list[str], np.ndarray]:
    names = [f"{side}.{name}" for side in "LR" for name in spots]
    places = [f"{side} {spot}" for side in ("left", "right") for spot in spots.values()]
    return names, simulated(places, FPS, int(how.pop("frames", FRAMES)), **how)


def write_trials(folder: Path) -> tuple[Path, str]:
    """Write a walk without the markers on the inside, in metres, and a standing trial with them, in millimetres."""
    names, walk = markers(SPOTS, start_s=1.0)
    (folder / "walk.trc").write_text(trc_text(walk, names, fps=FPS))
    names, standing = markers(SPOTS | INSIDE, frames=30, start_s=0.1, speed=0.2)
    (folder / "static.trc").write_text(trc_text(1000.0 * standing, names, fps=FPS, units="mm"))
    return folder / "walk.trc", str(folder / "static.trc")


@pytest.fixture
def trials(tmp_path):
    return write_trials(tmp_path)


def joint_errors_mm(reading, joint: str) -> np.ndarray:
    names = reading.track.layout.names
    read = reading.track.positions[:, [names.index(f"{side}_{joint}") for side in ("left", "right")]]
    columns = {"knee": (4, 5), "ankle": (7, 8)}[joint]
    true = true_joints(FPS, FRAMES, start_s=1.0)[:, columns]
    return 1000.0 * np.linalg.norm(read - true, axis=-1)


def test_knees_are_between_both_markers_with_the_static_trial(trials):
    walk, static = trials
    (alone,), (both,) = read_all(walk), read_all(walk, ReadOptions(static=static))
    assert "Placed as in the static trial static.trc: L.MedialKnee" in " ".join(both.remarks)
    assert {"L.MedialKnee", "R.MedialKnee"} <= set(both.matched)
    assert np.median(joint_errors_mm(both, "knee")) < np.median(joint_errors_mm(alone, "knee"))
    assert np.median(joint_errors_mm(both, "knee")) < 12.0


def test_the_placed_marker_is_where_it_was(tmp_path, trials):
    walk, static = trials
    names, full = markers(SPOTS | INSIDE, start_s=1.0)
    (tmp_path / "full.trc").write_text(trc_text(full, names, fps=FPS))
    (whole,), (both,) = read_all(tmp_path / "full.trc"), read_all(walk, ReadOptions(static=static))
    names = whole.track.layout.names
    knees = [names.index(f"{side}_knee") for side in ("left", "right")]
    off = np.linalg.norm(whole.track.positions[:, knees] - both.track.positions[:, knees], axis=-1)
    assert 1000.0 * np.nanmedian(off) < 8.0


def test_a_segment_with_too_few_markers_is_reported(tmp_path, trials):
    _, static = trials
    few = {name: SPOTS[name] for name in SPOTS if name not in ("TH1", "TH2", "TH3", "SH1", "SH2", "SH3", "HEE", "TOE")}
    names, walk = markers(few, start_s=1.0)
    (tmp_path / "few.trc").write_text(trc_text(walk, names, fps=FPS))
    with pytest.raises(TrackError, match="three markers of its segment in both; leave --static out") as error:
        read_all(tmp_path / "few.trc", ReadOptions(static=static))
    assert error.value.options == ("static",)


def test_a_static_trial_without_more_markers_is_reported(trials):
    walk, _ = trials
    with pytest.raises(TrackError, match="found no more; leave --static out"):
        read_all(walk, ReadOptions(static=str(walk)))


def test_the_command_takes_it_and_never_writes_onto_it(trials, tmp_path, capsys):
    walk, static = trials
    assert main(["info", str(walk), "--static", static]) == 0
    assert "L.MedialKnee" in capsys.readouterr().out
    before = (tmp_path / "static.trc").read_bytes()
    assert main(["fit", str(walk), "--static", static, "-o", static]) != 0
    assert (tmp_path / "static.trc").read_bytes() == before
