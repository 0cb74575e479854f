"""Fingers from file to file: fitted where points show them, and not where they do not, or are not wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body_with_fingers
from core.cleanup import CleanupOptions
from core.cli.main import main
from core.convert_options import ConvertOptions
from core.errors import FitCancelled
from core.fingers import FLAT_HANDS, RELAXED_HANDS, hands_of, without_fingers
from core.fit import FitOptions, fit_track
from core.fit.hands.fit import fit_hands
from core.layouts import LAYOUTS
from core.pipeline import clean_person, fit_people, read_input
from training.evaluation.hand_metrics import draw_motion, finger_errors_deg, layout_points

pytestmark = pytest.mark.slow

LAYOUT = LAYOUTS["wholebody133"]
NUM_FRAMES = 40
QUICK = FitOptions(quality="fast", workers=1)


def _saved(path: Path, *, hidden: tuple[str, ...] = (), layout=LAYOUT) -> Path:
    """A file of the drawn motion's points, without those whose finger points begin with *hidden*."""
    motion = draw_motion(7, NUM_FRAMES)
    points = layout_points(motion, layout)
    for name, column in layout.finger_index.items():
        if name.startswith(hidden) and hidden:
            points[:, column] = np.nan
    confidence = np.isfinite(points).all(axis=-1).astype(np.float32)
    np.savez(path, positions=points, confidence=confidence, fps=motion.fps, layout=layout.name)
    return path


def _fitted(path: Path, **options):
    (person,) = fit_people(read_input(path, ConvertOptions(**{"fit": QUICK, **options})))
    return person


def test_points_of_hands_give_fingers(tmp_path):
    person = _fitted(_saved(tmp_path / "hands.npz"))
    assert finger_errors_deg(draw_motion(7, NUM_FRAMES), person.motion).mean() < 4.0
    assert person.body is load_free_body_with_fingers()
    assert not [flag for flag in person.flags if "hand" in flag.what]
    body, _ = fit_track(person.track, read_input(tmp_path / "hands.npz", ConvertOptions()).body, QUICK)
    np.testing.assert_array_equal(without_fingers(person.motion).trans, body.trans)
    alone = fit_hands(person.track, body, person.body).motion
    np.testing.assert_array_equal(person.motion.poses, alone.poses)


@pytest.mark.parametrize(("hands", "expected"), [("relaxed", RELAXED_HANDS), ("flat", FLAT_HANDS)])
def test_fingers_that_are_not_wanted_or_not_seen_are_as_chosen(tmp_path, hands, expected):
    path = _saved(tmp_path / "hands.npz")
    unwanted = _fitted(path, fit=replace(QUICK, fingers=False), hands=hands)
    assert np.abs(hands_of(unwanted.motion) - expected).max() < 1e-9
    left_hidden = _fitted(_saved(tmp_path / "right.npz", hidden=("left",)), hands=hands)
    assert np.abs(hands_of(left_hidden.motion)[:, 0] - expected[0]).max() < 1e-6
    assert finger_errors_deg(draw_motion(7, NUM_FRAMES), left_hidden.motion)[:, 1].mean() < 4.0
    assert ("held", "left hand", 0, NUM_FRAMES - 1) in [
        (flag.kind, flag.what, flag.first, flag.last) for flag in left_hidden.flags
    ]


def test_a_clip_without_hands_is_fitted_as_its_body_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("core.pipeline.add_fingers", lambda *_, **__: pytest.fail("fingers were fitted"))
    person = _fitted(_saved(tmp_path / "body.npz", layout=LAYOUTS["body25"]))
    body, report = fit_track(person.track, read_input(tmp_path / "body.npz", ConvertOptions()).body, QUICK)
    np.testing.assert_array_equal(without_fingers(person.motion).poses, body.poses)
    assert person.flags == report.flags
    hidden = _fitted(_saved(tmp_path / "hidden.npz", hidden=("left", "right")))
    assert np.abs(hands_of(hidden.motion) - RELAXED_HANDS).max() < 1e-9


def test_frame_by_frame_never_looks_ahead(tmp_path):
    live = replace(QUICK, mode="frames")
    whole = _fitted(_saved(tmp_path / "hands.npz"), fit=live)
    assert finger_errors_deg(draw_motion(7, NUM_FRAMES), whole.motion).mean() < 5.0


def test_the_motion_has_the_requested_frame_rate(tmp_path):
    person = _fitted(_saved(tmp_path / "hands.npz"), fit=replace(QUICK, fps=15.0))
    usual = _fitted(tmp_path / "hands.npz")
    assert person.motion.fps == 15.0
    np.testing.assert_allclose(person.motion.poses, usual.motion.resampled(15.0).poses, atol=1e-12)


def test_fitting_the_fingers_can_be_cancelled(tmp_path):
    given = read_input(_saved(tmp_path / "hands.npz"), ConvertOptions(fit=QUICK))
    steps = []

    def progress(share, what):
        steps.append(what)
        return what != "Fitting the fingers"

    with pytest.raises(FitCancelled):
        fit_people(given, progress)
    assert steps[-1] == "Fitting the fingers"


def test_hands_that_were_made_up_are_no_noise_to_the_clean_up(tmp_path):
    person = _fitted(_saved(tmp_path / "right.npz", hidden=("left",)))
    cleaned, _ = clean_person(person, CleanupOptions(smoothing=0.5))
    off = np.rad2deg(np.abs(hands_of(cleaned)[:, 0] - RELAXED_HANDS[0]))
    assert off.max() < 1.0


def test_the_command_line_writes_fingers_or_not(tmp_path):
    path = _saved(tmp_path / "hands.npz")
    assert main(["fit", str(path), "-o", str(tmp_path / "with.npz"), "--quality", "fast"]) == 0
    assert main(["fit", str(path), "-o", str(tmp_path / "without.npz"), "--quality", "fast", "--no-fingers"]) == 0
    fitted, unwanted = (dict(np.load(tmp_path / name)) for name in ("with.npz", "without.npz"))
    np.testing.assert_allclose(unwanted["pose_hand"], np.tile(RELAXED_HANDS.ravel(), (NUM_FRAMES, 1)), atol=1e-6)
    true = hands_of(draw_motion(7, NUM_FRAMES)).reshape(NUM_FRAMES, -1)
    assert np.rad2deg(np.abs(fitted["pose_hand"] - true)).mean() < 3.0
    np.testing.assert_allclose(fitted["poses"][:, 66:156], fitted["pose_hand"], atol=0.0)
