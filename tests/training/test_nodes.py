"""Several processes by torchrun: two nodes with caches of their own equal one process, and stop and fail together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("yaml")

from tests.ports import free_port  # noqa: E402
from tests.training.test_runs import REPOSITORY, command_arguments, figures, last, run  # noqa: E402
from training.config import RunConfig  # noqa: E402
from training.network.checkpoints import load_checkpoint  # noqa: E402
from training.run.validation import UNTOUCHED  # noqa: E402

TIMEOUT_S = 240
FIRST_STEPS = 8
"""An epoch of seven steps with its evaluation, and one step more."""


def launch(launcher: Sequence[str], arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start `training/main.py` by torchrun, as in the README."""
    command = [sys.executable, "-m", "torch.distributed.run", *launcher, "training/main.py", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for_step(config: RunConfig, step: int, nodes: Sequence[subprocess.Popen[str]]) -> None:
    path, end = config.run_folder / "metrics.jsonl", time.monotonic() + TIMEOUT_S
    while not (path.is_file() and f'"kind": "train", "step": {step},' in path.read_text()):
        assert time.monotonic() < end, "the step is not reached"
        assert all(node.poll() is None for node in nodes), [node.communicate()[1] for node in nodes]
        time.sleep(0.1)


def test_two_nodes_equal_one_process_and_stop_together(run_settings: dict[str, object], tmp_path: Path) -> None:
    """Two launchers on loopback; one of them gets the signal of a scheduler."""
    settings = {**run_settings, "training.epochs": 500, "data.train_every": 1}
    config = RunConfig().overridden({**settings, "output.log_dir": str(tmp_path / "two")})
    port, caches = str(free_port()), [tmp_path / "cache0", tmp_path / "cache1"]
    nodes = []
    for rank, cache in enumerate(caches):
        launcher = ["--nnodes", "2", "--node-rank", str(rank), "--nproc-per-node", "1"]
        launcher += ["--master-addr", "127.0.0.1", "--master-port", port]
        arguments = command_arguments({**settings, "data.cache": str(cache)}, tmp_path / "two")
        nodes.append(launch(launcher, arguments))
    wait_for_step(config, FIRST_STEPS, nodes)
    nodes[1].send_signal(signal.SIGTERM)
    errors = [node.communicate(timeout=TIMEOUT_S)[1] for node in nodes]
    assert "stopped by a signal at step" in errors[0], errors
    assert not any("FutureWarning" in text or "UserWarning" in text for text in errors), errors
    assert all(len(list(cache.iterdir())) == 1 for cache in caches)

    stopped = load_checkpoint(last(config))
    assert len(stopped.training["rng"]) == 2
    one, one_config, log = run(settings, tmp_path / "one")
    one.train(stop_after_steps=FIRST_STEPS)
    log.close()
    for first, second in zip(figures(one_config), figures(config), strict=False):
        assert first["kind"] == second["kind"]
        if first["kind"] == "train":
            # Adam's first steps have the size of the learning rate whatever the gradient's, so rounding is amplified.
            tolerance = {1: 1e-6, 2: 1e-5}.get(int(first["step"]), 1e-3)
            assert second["total"] == pytest.approx(first["total"], rel=tolerance)
        else:
            assert second["pairs"] == first["pairs"] and first["pairs"] % 2 == 1
            assert second["mpve_mm"] == pytest.approx(first["mpve_mm"], rel=5e-3)
            if first["kind"].endswith(UNTOUCHED):
                del first["kind"], second["kind"]
                assert second == pytest.approx(first, rel=1e-4)
    states = [load_checkpoint(one_config.run_folder / "checkpoints" / "best.pth.tar").model,
              load_checkpoint(config.run_folder / "checkpoints" / "best.pth.tar").model]  # fmt: skip
    for name, value in states[0].items():
        if "running" in name:
            torch.testing.assert_close(states[1][name], value, rtol=2e-3, atol=2e-3)

    alone, _, log = run(settings, tmp_path / "alone")
    alone.resume(last(config))
    log.close()
    assert alone.step == stopped.training["step"] >= FIRST_STEPS


def test_an_error_is_reported_once_and_first(run_settings: dict[str, object], tmp_path: Path) -> None:
    """Only the first process looks for the data at first; the others must not bury what it says."""
    settings = {**run_settings, "data.folder": str(tmp_path / "nowhere")}
    running = launch(["--standalone", "--nproc-per-node", "2"], command_arguments(settings, tmp_path))
    errors = running.communicate(timeout=TIMEOUT_S)[1]
    assert running.returncode == 1
    assert re.match(r"training/main.py: expected the dataset 'folder' in \S+nowhere, found no such folder", errors)
    # What follows is the launcher's own report, with a traceback of the launcher.
    assert errors.count("training/main.py: ") == errors.count("Traceback (most") == 1, errors
    assert errors.index("Traceback (most") > errors.index("training/main.py: ")
    assert not (tmp_path / "learnable_smplify_net_default" / "metrics.jsonl").exists()
