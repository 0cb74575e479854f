"""Whole runs on the CPU: the loss falls, resuming and two processes change nothing, and the commands work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("yaml")

from core.network import read_weights  # noqa: E402
from tests.training.published import published_checkpoint  # noqa: E402
from training.config import RunConfig, read_config  # noqa: E402
from training.convert_checkpoint import main as convert  # noqa: E402
from training.inference_command import main as run_inference  # noqa: E402
from training.network.checkpoints import CheckpointError, load_checkpoint, random_state, restore_random_state  # noqa: E402
from training.run.distributed import Processes  # noqa: E402
from training.run.run_log import RunLog  # noqa: E402
from training.run.train_command import main  # noqa: E402
from training.run.trainer import CHECKPOINT_FOLDER, LAST_NAME, Trainer  # noqa: E402
from training.run.validation import ANALYTIC, UNTOUCHED  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
ONE = Processes(0, 1, torch.device("cpu"))


def run(settings: Mapping[str, object], folder: Path, **changes: object) -> tuple[Trainer, RunConfig, RunLog]:
    config = RunConfig().overridden({**settings, "output.log_dir": str(folder), **changes})
    log = RunLog(config.run_folder)
    return Trainer(config, ONE, log), config, log


def figures(config: RunConfig) -> list[dict[str, float]]:
    return [json.loads(line) for line in (config.run_folder / "metrics.jsonl").read_text().splitlines()]


def last(config: RunConfig) -> Path:
    return config.run_folder / CHECKPOINT_FOLDER / LAST_NAME


def command_arguments(settings: Mapping[str, object], folder: Path) -> list[str]:
    pairs = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    config = REPOSITORY / "training" / "configs" / "net.yaml"
    return [*pairs, "--config", str(config), "--log_dir", str(folder)]


def test_resumed_run_equals_an_uninterrupted_one(run_settings: dict[str, object], tmp_path: Path) -> None:
    settings = {**run_settings, "model.dropout": 0.5, "training.epochs": 2}
    whole, whole_config, log = run(settings, tmp_path / "whole")
    whole.train()
    log.close()
    assert whole.step == whole.total_steps
    stop = whole.total_steps // 2 + 1
    first, config, log = run(settings, tmp_path / "parts")
    first.train(stop_after_steps=stop)
    log.close()
    torch.manual_seed(987)
    second, config, log = run(settings, tmp_path / "parts")
    second.resume(last(config))
    assert second.step == stop
    second.train()
    log.close()
    expected, found = load_checkpoint(last(whole_config)), load_checkpoint(last(config))
    assert all(torch.equal(value, found.model[name]) for name, value in expected.model.items())
    for key in ("step", "best_mpve_mm"):
        assert expected.training[key] == found.training[key]
    for number, state in expected.training["optimizer"]["state"].items():
        assert all(
            torch.equal(value, found.training["optimizer"]["state"][number][key]) for key, value in state.items()
        )
    assert torch.equal(expected.training["rng"][0]["torch"], found.training["rng"][0]["torch"])
    losses = [[row["total"] for row in figures(one) if row["kind"] == "train"] for one in (whole_config, config)]
    assert losses[0] == losses[1]


LEARNING = {"data.train_every": 1, "optimizer.learning_rate": 1e-3}
"""Enough steps to see the loss fall."""
POSE_MLP_SETTINGS = {
    "model.architecture": "pose_mlp",
    "model.dropout": 0.1,
    "augment.mirror": 0.5,
    "augment.limbs": 0.2,
    "augment.betas": 1.0,
    "augment.point_noise_m": 0.01,
    "augment.missing": 0.3,
    "augment.layouts": 0.5,
    "augment.analytic_start": 0.7,
    "augment.own_start": 0.3,
    "augment.other_bodies": 0.5,
    "augment.unknown_betas": 0.2,
}


def test_pose_network_learns_resumes_and_is_converted_to_weights(
    run_settings: dict[str, object], tmp_path: Path
) -> None:
    settings = {**run_settings, **POSE_MLP_SETTINGS, **LEARNING, "training.epochs": 6, "training.evaluate_every": 6}
    whole, whole_config, log = run(settings, tmp_path / "whole")
    whole.train()
    log.close()
    losses = [row["total"] for row in figures(whole_config) if row["kind"] == "train"]
    assert sum(losses[-6:]) < 0.9 * sum(losses[:6])
    first, config, log = run(settings, tmp_path / "parts")
    first.train(stop_after_steps=whole.total_steps // 2 + 1)
    log.close()
    torch.manual_seed(987)
    second, config, log = run(settings, tmp_path / "parts")
    second.resume(last(config))
    second.train()
    log.close()
    expected, found = load_checkpoint(last(whole_config)), load_checkpoint(last(config))
    assert all(torch.equal(value, found.model[name]) for name, value in expected.model.items())
    output = tmp_path / "weights.npz"
    assert convert([str(last(config)), "-o", str(output), "--precision", "float16"]) == 0
    assert read_weights(output).info.architecture == "pose_mlp"


def test_training_reduces_the_loss(run_settings: dict[str, object], tmp_path: Path) -> None:
    settings = {**run_settings, **LEARNING, "training.epochs": 5, "training.evaluate_every": 5}
    trainer, config, log = run(settings, tmp_path)
    trainer.train()
    log.close()
    losses = [row["total"] for row in figures(config) if row["kind"] == "train"]
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])
    assert (config.run_folder / CHECKPOINT_FOLDER / "best.pth.tar").is_file()


def test_weights_of_another_network_are_refused(run_settings: dict[str, object], tmp_path: Path) -> None:
    trainer, config, log = run(run_settings, tmp_path)
    trainer.train(stop_after_steps=0)
    log.close()
    graph, _, log = run({**run_settings, "model.graph": "published"}, tmp_path / "graph")
    log.close()
    with pytest.raises(CheckpointError, match="--set model.graph=body25"):
        graph.load_weights(last(config))
    pose, _, log = run({**run_settings, "model.architecture": "pose_mlp"}, tmp_path / "pose")
    log.close()
    with pytest.raises(CheckpointError, match="--set model.architecture=residual_st_gcn"):
        pose.load_weights(last(config))
    with pytest.raises(CheckpointError, match="expected a pose network's weights.*found residual_st_gcn"):
        pose.load_weights(REPOSITORY / "training" / "weights" / "learnable_smplify.npz")


@pytest.mark.parametrize("path", sorted((REPOSITORY / "training" / "configs").glob("*.yaml")), ids=lambda one: one.stem)
def test_every_settings_file_trains_and_tests(path: Path, run_settings: dict[str, object], tmp_path: Path) -> None:
    """A step of each on the smallest of data."""
    tiny = {key: value for key, value in run_settings.items() if not key.startswith("model.")}
    config = read_config(path).overridden({**tiny, "data.test_every": 50, "output.log_dir": str(tmp_path)})
    log = RunLog(config.run_folder)
    trainer = Trainer(config, ONE, log)
    trainer.train(stop_after_steps=1)
    table = trainer.test()
    log.close()
    assert trainer.step == 1 and table["stride 1"]["mpve_mm"] > 0.0
    assert load_checkpoint(last(config)).config == config.to_dict()


def test_random_states_are_restored() -> None:
    import random

    import numpy as np

    state = random_state(torch.device("cpu"))
    first = torch.rand(3).tolist(), np.random.random(3).tolist(), random.random()
    restore_random_state(state, torch.device("cpu"))
    assert (torch.rand(3).tolist(), np.random.random(3).tolist(), random.random()) == first


def test_checkpoint_contains_no_array_of_the_body(run_settings: dict[str, object], tmp_path: Path) -> None:
    trainer, config, log = run(run_settings, tmp_path)
    trainer.train(stop_after_steps=1)
    log.close()
    checkpoint = load_checkpoint(last(config))
    assert checkpoint.body == "free_body"
    assert len(checkpoint.model) == 217
    assert all(6890 not in value.shape for value in checkpoint.model.values())
    assert checkpoint.config == config.to_dict()


def test_commands_train_evaluate_and_finetune(
    run_settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**run_settings, "output.pictures": 2}
    arguments = command_arguments(settings, tmp_path)
    assert main([*arguments, "--extra_tag", "a", "--seed", "3", "--batch_size", "20"]) == 0
    folder = tmp_path / "learnable_smplify_net_a"
    assert json.loads((folder / "config.json").read_text())["training"]["batch_size"] == 20
    table = json.loads((folder / "evaluation.json").read_text())
    assert list(table) == [*(name + end for end in ("", UNTOUCHED) for name in ("stride 1", "stride 3", ANALYTIC))]
    assert table[f"stride 3{UNTOUCHED}"]["mpve_mm"] > table[f"stride 1{UNTOUCHED}"]["mpve_mm"] > 1.0
    assert (folder / "pictures" / "prediction_1.png").read_bytes().startswith(b"\x89PNG")
    checkpoint = str(folder / CHECKPOINT_FOLDER / LAST_NAME)
    assert main([*arguments, "--extra_tag", "b", "--checkpoint", checkpoint, "--eval"]) == 0
    again = json.loads((tmp_path / "learnable_smplify_net_b" / "evaluation.json").read_text())
    assert again["stride 3"] == pytest.approx(table["stride 3"], rel=1e-5)
    assert main([*arguments, "--extra_tag", "c", "--checkpoint", checkpoint, "--finetune", "--epochs", "0"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--set", "data.folder=nowhere", "--set", "data.dataset=amass"]) == 1
    error = capsys.readouterr().err
    assert "https://amass.is.tue.mpg.de" in error and "COLLECTION/SUBJECT/NAME_poses.npz" in error


def test_command_resumes_to_the_same_end_with_data_workers(run_settings: dict[str, object], tmp_path: Path) -> None:
    arguments = command_arguments({**run_settings, "training.checkpoint_every": 1}, tmp_path)
    arguments += ["--epochs", "2", "--worker", "2", "--set", "training.evaluate_every=2"]
    assert main([*arguments, "--extra_tag", "whole"]) == 0
    whole, resumed = (tmp_path / f"learnable_smplify_net_{tag}" / CHECKPOINT_FOLDER for tag in ("whole", "resumed"))
    assert main([*arguments, "--extra_tag", "resumed", "--checkpoint", str(whole / "epoch_0001.pth.tar")]) == 0
    expected, found = (load_checkpoint(folder / LAST_NAME) for folder in (whole, resumed))
    assert found.training["step"] == expected.training["step"] > 0
    assert all(torch.equal(value, found.model[name]) for name, value in expected.model.items())
    # The number of data workers does not matter.
    assert main([*arguments, "--extra_tag", "alone", "--worker", "0"]) == 0
    alone = load_checkpoint(tmp_path / "learnable_smplify_net_alone" / CHECKPOINT_FOLDER / LAST_NAME)
    assert all(torch.equal(value, alone.model[name]) for name, value in expected.model.items())


def test_published_checkpoint_is_evaluated_and_run_over_clips(
    run_settings: dict[str, object], motion_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = str(published_checkpoint(tmp_path / "best_ckpt.pth.tar", prefix="module."))
    settings = {key: value for key, value in run_settings.items() if key != "data.test_subjects"}
    # All clips are test clips, so there is none to train on.
    settings |= {"data.split": "files", "data.train_share": 0.0}
    arguments = [*command_arguments(settings, tmp_path), "--checkpoint", checkpoint, "--eval"]
    assert main([*arguments, "--set", "model.graph=body25"]) == 1
    assert "--set model.graph=published" in capsys.readouterr().err
    assert main(arguments) == 0
    printed = capsys.readouterr().err
    assert "0 clips to train on, 4 to test on" in printed and "3.23 at stride 1, 17.22 over whole clips" in printed
    table = json.loads((tmp_path / "learnable_smplify_net_default" / "evaluation.json").read_text())
    assert table["stride 3"]["pairs"] > 0
    assert main(arguments[:-3]) == 1
    assert "expected clips to train on and clips to test on" in capsys.readouterr().err
    output = tmp_path / "out"
    assert run_inference([checkpoint, str(motion_folder), "--protocol", "published", "--output", str(output),
                          "--device", "cpu", "--max_frames", "4", "--set", "data.up_axis=Y"]) == 0  # fmt: skip
    assert json.loads((output / "summary.json").read_text())["rows"]["network, published protocol"]["frames"] > 0


def test_every_process_count_sees_the_same_pairs(run_settings: dict[str, object], tmp_path: Path) -> None:
    import numpy as np

    trainer, _, log = run(run_settings, tmp_path)
    log.close()
    sampler = trainer._sampler
    sampler.set_epoch(3)
    whole = [np.stack(pair) for pair in sampler]
    shares = []
    for rank in range(2):
        sampler._processes = replace(ONE, rank=rank, count=2)
        shares.append([np.stack(pair) for pair in sampler])
    joined = [np.concatenate(both, axis=1) for both in zip(*shares, strict=True)]
    assert all(np.array_equal(one, other) for one, other in zip(whole, joined, strict=True))
    sampler._processes = ONE
    sampler.set_epoch(3, first_batch=2)
    assert all(np.array_equal(one, other) for one, other in zip(whole[2:], sampler, strict=True))
    sampler.set_epoch(4)
    assert not np.array_equal(whole[0], np.stack(next(iter(sampler))))
