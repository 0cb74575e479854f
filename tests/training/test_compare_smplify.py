"""Comparison of this project's fit with a plain SMPLify-3D."""

from __future__ import annotations

import sys

import pytest

from core.fit.quality import QUALITIES
from training import evaluate_fit, evaluate_real
from training.compare_smplify import compare
from training.data.motion_folder import read_clips
from training.evaluation.smplify import SmplifyOptions


def test_every_quality_is_compared_with_every_smplify_variant(motion_folder):
    clips = read_clips(motion_folder, collection="Walk")
    fit_ms = dict(zip(QUALITIES, (1.0, 2.0, 4.0), strict=True))
    methods = (SmplifyOptions(iterations=4), SmplifyOptions(optimizer="lbfgs", iterations=4))
    rows = compare(clips[:1], clips[1:], 3, fit_ms, methods)
    assert [row.name for row in rows[:3]] == [f"this fit, {quality}" for quality in QUALITIES]
    assert [row.name for row in rows[3:]] == [method.title for method in methods]
    for row in rows:
        assert list(row.times_slower) == list(QUALITIES)
        for quality, ratio in row.times_slower.items():
            assert ratio == row.ms_per_frame / fit_ms[quality]
    adam, lbfgs = rows[3:]
    assert max(row.pve_mm for row in rows[:3]) < lbfgs.pve_mm < adam.pve_mm
    assert adam.ms_per_frame > 4.0, "four forward and backward passes through the body"


@pytest.mark.parametrize(
    ("command", "more"), [(evaluate_fit, []), (evaluate_real, ["--motions", "motions"])], ids=["fit", "real"]
)
def test_without_pytorch_a_line_says_so(command, more, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert command.main([str(tmp_path), "--smplify", "3", *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected PyTorch for --smplify" in line and "requirements/torch.txt" in line
