"""The evaluation of fingers: hand motion that is natural and differs between draws, and its tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.fingers import hands_of
from core.fit.hands.limits import angle_limits
from core.fit.hands.skeleton import angles_of, hands_of_body
from training.evaluate_hands import main
from training.evaluation.hand_metrics import compare_hands, draw_motion, finger_errors_deg, hand_body


def test_drawn_hands_stay_within_their_limits_and_move_smoothly():
    motion = draw_motion(3)
    hands = hands_of_body(hand_body().data, motion.betas)
    limits = angle_limits(hands)
    angles = angles_of(motion.rotations()[:, 22:].reshape(-1, 2, 15, 3, 3), hands)
    assert (angles <= limits.highest + np.deg2rad(4.0)).all()
    assert (angles >= limits.lowest - np.deg2rad(4.0)).all()
    steps = np.rad2deg(np.linalg.norm(np.diff(hands_of(motion), axis=0), axis=-1))
    assert steps.max() < 25.0
    assert steps.max() > 2.0


def test_a_draw_is_the_same_each_time_and_unlike_others():
    assert np.array_equal(draw_motion(3, 60).poses, draw_motion(3, 60).poses)
    assert np.abs(draw_motion(3, 60).poses - draw_motion(4, 60).poses)[:, 66:].max() > 0.2


def test_a_motion_has_no_error_against_itself():
    motion = draw_motion(3, 30)
    figures = compare_hands(motion, motion)
    assert figures.joint_mm == figures.vertex_mm == 0.0
    assert finger_errors_deg(motion, motion).max() < 1e-3


@pytest.mark.slow
def test_the_tables_are_printed_and_written(tmp_path, capsys):
    output = tmp_path / "hands.json"
    rows = ["clean points", "hands swapped"]
    assert main(["--clips", "1", "--rows", *rows, "--json", str(output)]) == 0
    printed = capsys.readouterr().out
    assert "| clean points |" in printed
    stored = json.loads(output.read_text())
    assert stored["rows"][0]["joint_mm"] < 2.5
    assert stored["rows"][0]["vertex_mm"] < 3.5
    assert stored["faults"][0]["flagged"] == 1.0


def test_an_unknown_row_is_refused(capsys):
    assert main(["--rows", "nothing"]) != 0
    assert "found no row named" in capsys.readouterr().err
