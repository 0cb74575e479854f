"""A run's log reaches the console, the files and TensorBoard; the progress bar is only for terminals."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.run.run_log import RunLog  # noqa: E402


class Terminal(io.StringIO):
    """Standard error that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_metrics_and_lines_are_appended_to_the_files(tmp_path: Path) -> None:
    for step in (1, 2):
        log = RunLog(tmp_path)
        log.info(f"step {step}")
        log.metrics("train", step, {"total": 0.5 * step})
        log.close()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows == [{"kind": "train", "step": step, "total": 0.5 * step} for step in (1, 2)]
    assert [line.split(" ", 2)[2] for line in (tmp_path / "log.txt").read_text().splitlines()] == ["step 1", "step 2"]


def test_bar_is_shown_on_a_terminal_and_cleared_before_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log = RunLog(tmp_path)
    log.bar(3, 4, "epoch 1/2")
    log.info("done")
    log.close()
    shown = terminal.getvalue()
    assert shown.startswith("\r[##################......] 3/4 epoch 1/2\x1b[K\r\x1b[K") and shown.endswith(
        "INFO done\n"
    )


@pytest.mark.parametrize("folder", [None, "logs"])
def test_no_bar_without_a_terminal_or_outside_the_first_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None
) -> None:
    stream = Terminal() if folder is None else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log = RunLog(None if folder is None else tmp_path / folder)
    log.bar(4, 4, "epoch 1/2")
    if folder is None:
        log.info("nothing")
        log.metrics("train", 1, {"total": 1.0})
    log.close()
    assert stream.getvalue() == ""


def test_tensorboard_has_the_scalars_and_the_pictures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = RunLog(tmp_path, tensorboard=True)
    for step in (5, 10):
        log.metrics("train", step, {"total": 1.0 / step})
    log.image("prediction/0", 10, np.full((8, 12, 3), 200, dtype=np.uint8))
    log.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/total")] == [
        (5, pytest.approx(0.2)),
        (10, pytest.approx(0.1)),
    ]
    (picture,) = events.Images("prediction/0")
    assert (picture.width, picture.height, picture.step) == (12, 8, 10)


def test_missing_tensorboard_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    log = RunLog(tmp_path, tensorboard=True)
    log.metrics("train", 1, {"total": 1.0})
    log.image("prediction/0", 1, np.zeros((2, 2, 3), dtype=np.uint8))
    log.close()
    assert [record.message for record in caplog.records if "tensorboard" in record.message] == [caplog.messages[0]]
    assert "requirements/train.txt" in caplog.messages[0] and (tmp_path / "metrics.jsonl").is_file()
