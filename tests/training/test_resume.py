"""A stopped run resumes: after a signal, out of memory, with other settings, on another number of processes."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("yaml")

from tests.training.test_runs import ONE, command_arguments, figures, last, run  # noqa: E402
from training.network.checkpoints import CheckpointError, load_checkpoint, save_checkpoint  # noqa: E402
from training.run.failures import OutOfMemoryInStepError  # noqa: E402
from training.run.run_log import RunLog  # noqa: E402
from training.run.train_command import main  # noqa: E402
from training.run.trainer import Trainer  # noqa: E402


@pytest.fixture(scope="module")
def run_settings(run_settings: dict[str, object]) -> dict[str, object]:
    """Return settings of a run on every frame, so that an epoch has steps to stop at."""
    return {**run_settings, "data.train_every": 1}


@pytest.fixture(scope="module")
def begun(run_settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a run of two epochs after three of its first seven steps."""
    settings = {**run_settings, "training.epochs": 2, "model.dropout": 0.5}
    trainer, config, log = run(settings, tmp_path_factory.mktemp("begun"))
    assert trainer._sampler.num_batches == 7
    trainer.train(stop_after_steps=3)
    log.close()
    return last(config)


def resumed(begun: Path, settings: Mapping[str, object], folder: Path, **changes: object) -> tuple[Trainer, str]:
    """Resume *begun* with changed settings; return the trainer and its log."""
    trainer, config, log = run({**settings, "training.epochs": 2, "model.dropout": 0.5}, folder, **changes)
    trainer.resume(begun)
    log.close()
    return trainer, (config.run_folder / "log.txt").read_text()


def test_more_epochs_and_changed_settings_are_used_and_logged(
    begun: Path, run_settings: dict[str, object], tmp_path: Path
) -> None:
    changes = {"training.epochs": 4, "optimizer.weight_decay": 0.3, "data.swap": 0.1}
    trainer, logged = resumed(begun, run_settings, tmp_path, **changes)
    assert (trainer.step, trainer.total_steps) == (3, 28)
    assert "training.epochs: 2 -> 4" in logged and "optimizer.weight_decay: 0.1 -> 0.3" in logged
    assert "data.swap: 0.5 -> 0.1" in logged
    assert {group["weight_decay"] for group in trainer._optimizer.param_groups} == {0.3}
    trainer.train(stop_after_steps=4)
    rate = trainer._optimizer.param_groups[0]["lr"]
    assert rate == pytest.approx(1e-6 + 0.99e-4 * (1 + math.cos(math.pi * 3 / 28)) / 2), "the new run's cosine"


def test_another_batch_size_keeps_the_share_of_the_epoch(
    begun: Path, run_settings: dict[str, object], tmp_path: Path
) -> None:
    trainer, _ = resumed(begun, run_settings, tmp_path, **{"training.batch_size": 4})
    assert trainer._sampler.num_batches == 15 and trainer.step == 6
    assert trainer.best_mpve_mm == load_checkpoint(begun).training["best_mpve_mm"]


def test_another_test_forgets_the_best_and_another_seed_draws_anew(
    begun: Path, run_settings: dict[str, object], tmp_path: Path
) -> None:
    checkpoint = load_checkpoint(begun)
    checkpoint.training["best_mpve_mm"] = 1.0
    path = tmp_path / "better.pth.tar"
    save_checkpoint(path, checkpoint)
    same, _ = resumed(path, run_settings, tmp_path / "same", **{"data.cache": str(tmp_path / "cache")})
    assert same.best_mpve_mm == 1.0
    assert torch.equal(torch.get_rng_state(), checkpoint.training["rng"][0]["torch"])
    other, logged = resumed(path, run_settings, tmp_path / "other", **{"data.test_every": 5, "training.seed": 7})
    assert other.best_mpve_mm == math.inf and "training.seed: 42 -> 7" in logged
    assert not torch.equal(torch.get_rng_state(), checkpoint.training["rng"][0]["torch"])


def test_checkpoint_of_more_processes_is_resumed(begun: Path, run_settings: dict[str, object], tmp_path: Path) -> None:
    checkpoint = load_checkpoint(begun)
    checkpoint.training["rng"] *= 2
    save_checkpoint(tmp_path / "two.pth.tar", checkpoint)
    trainer, logged = resumed(tmp_path / "two.pth.tar", run_settings, tmp_path)
    assert trainer.step == 3 and "1 processes after 2" in logged
    # It is not the beginning's dropout once more.
    drawn = torch.rand(4)
    torch.manual_seed(trainer.config.training.seed)
    assert not torch.equal(drawn, torch.rand(4))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model.graph": "published"}, "--set model.graph=body25"),
        ({"model.architecture": "pose_mlp"}, "--set model.architecture=residual_st_gcn"),
        ({"optimizer.algorithm": "adam"}, "found the state of 'adamw'.*--set optimizer.algorithm=adamw"),
        ({"training.epochs": 0}, "more than the 0.4.* epochs.*give --epochs"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_be_taken_is_refused(
    begun: Path, run_settings: dict[str, object], tmp_path: Path, changes: dict[str, object], text: str
) -> None:
    trainer, _, log = run(run_settings, tmp_path, **changes)
    log.close()
    with pytest.raises(CheckpointError, match=text):
        trainer.resume(begun)


class SignallingLog(RunLog):
    """A log that sends its own process a signal when a step of the number is done."""

    step = 0

    def bar(self, done: int, total: int, text: str) -> None:
        if done == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_stops_after_the_step_with_a_checkpoint_that_goes_on_to_the_same_end(
    begun: Path, run_settings: dict[str, object], tmp_path: Path
) -> None:
    _, config, log = run({**run_settings, "training.epochs": 2, "model.dropout": 0.5}, tmp_path)
    log.close()
    before = signal.getsignal(signal.SIGTERM)
    log = SignallingLog(config.run_folder)
    log.step = 3
    trainer = Trainer(config, ONE, log)
    assert trainer.train() is False and trainer.step == 3
    log.close()
    assert signal.getsignal(signal.SIGTERM) is before
    expected, found = load_checkpoint(begun), load_checkpoint(last(config))
    assert all(torch.equal(value, found.model[name]) for name, value in expected.model.items())
    assert torch.equal(found.training["rng"][0]["torch"], expected.training["rng"][0]["torch"])


def test_without_memory_the_last_step_is_kept_and_reported(
    run_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, config, log = run(run_settings, tmp_path)
    whole = trainer.loss

    def loss(batch):
        if trainer.step == 2:
            torch.empty(2**60)
        return whole(batch)

    monkeypatch.setattr(trainer, "loss", loss)
    with pytest.raises(
        OutOfMemoryInStepError, match="after step 2.*resume with --checkpoint .*last.pth.tar.*batch_size"
    ):
        trainer.train()
    log.close()
    assert load_checkpoint(last(config)).training["step"] == 2


def test_last_is_written_before_an_epoch_is_evaluated_and_evaluated_when_resumed(
    run_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluation takes minutes, in which a scheduler may end the run."""
    trainer, config, log = run(run_settings, tmp_path)

    def interrupted(epoch: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(trainer, "_validate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    log.close()
    assert load_checkpoint(last(config)).training["step"] == trainer.total_steps
    assert not [row for row in figures(config) if row["kind"].startswith("validation")]
    again, config, log = run(run_settings, tmp_path)
    again.resume(last(config))
    assert again.train() is True
    log.close()
    assert [row for row in figures(config) if row["kind"].startswith("validation")]
    assert np.isfinite(load_checkpoint(last(config)).training["best_mpve_mm"])


def test_command_says_how_to_go_on(
    begun: Path, run_settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*command_arguments({**run_settings, "model.dropout": 0.5}, tmp_path), "--checkpoint", str(begun)]
    assert main([*arguments, "--epochs", "0"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("training/main.py: expected more than the 0.4") and "give --epochs" in error
