"""The table of GPU benchmarks: unmeasured without a GPU; the measurements run on a CPU too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from training.benchmark_gpu import (  # noqa: E402
    UNMEASURED,
    Benchmark,
    fit_time_ms,
    gradient_sum_ms,
    main,
    table,
    training_rate,
)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU, which would be measured")
def test_without_a_gpu_each_figure_is_unmeasured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", str(tmp_path / "figures.json")]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert "finds no CUDA GPU" in heading and all(line.endswith(UNMEASURED) for line in lines)
    found = json.loads((tmp_path / "figures.json").read_text())["figures"]
    assert len(found) == len(lines) and set(found.values()) == {UNMEASURED}
    for part in ("recorded", "bfloat16", "NCCL", "fit of 1000 frames, cuda"):
        assert any(part in name for name in found), part


def test_measured_figures_have_their_unit() -> None:
    assert table([Benchmark("a", "ms", lambda: 1.25)], measured=True) == {"a": "1.250 ms"}


def test_what_is_measured_on_a_gpu_runs_on_a_cpu() -> None:
    assert training_rate(torch.device("cpu"), "float32", steps=1, batch=2) > 0.0
    assert fit_time_ms("cpu", num_frames=12) > 0.0
    assert gradient_sum_ms("gloo", 1) > 0.0
