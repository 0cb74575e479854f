"""The network benchmark times equal outputs and reports what it measured."""

from __future__ import annotations

import re

import pytest
import torch

from training import benchmark_network
from training.benchmark_network import UNFOLDED, main, median_times, random_network, trimmed_copy


def test_all_implementations_agree_and_are_compared_with_the_unfolded_network(capsys):
    threads = torch.get_num_threads()
    try:
        assert main(["--batches", "1", "--rounds", "1", "--threads", "1"]) == 0
    finally:
        torch.set_num_threads(threads)
    rows = re.findall(r"^  (.+?) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.e+-]+)$", capsys.readouterr().out, re.MULTILINE)
    assert [row[0] for row in rows][:4] == [
        UNFOLDED, "torch cpu, unfolded, trimmed", "torch cpu, folded", "numpy, folded"
    ]  # fmt: skip
    assert all(float(row[4]) < 1e-5 for row in rows)
    unfolded_ms = float(rows[0][1])
    for row in rows:
        assert float(row[3]) == pytest.approx(unfolded_ms / float(row[1]), rel=0.05)


def test_timed_network_rotates_joints():
    network = random_network()
    draws = torch.Generator().manual_seed(1)
    inputs = [torch.randn(shape, generator=draws) for shape in ((4, 2, 25, 3), (4, 69), (4, 10))]
    with torch.no_grad():
        turns = network.residual(*inputs)
        assert (turns[:, :, 2:4] ** 2).mean().sqrt() > 0.02
        torch.testing.assert_close(trimmed_copy(network).residual(*inputs), turns, rtol=1e-5, atol=1e-5)


def test_medians_are_over_the_calls_of_each_implementation(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(benchmark_network.time, "perf_counter", lambda: float(next(clock)))
    assert median_times({"a": lambda: next(clock), "b": lambda: None}, 3) == {"a": 2.0, "b": 1.0}


def test_missing_checkpoint_is_reported(capsys, tmp_path):
    assert main(["--weights", str(tmp_path / "nowhere.pth")]) == 1
    assert "nowhere.pth" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--rounds", "many"])
