"""Settings: every file parses, faults are named, saved settings are restored."""

from __future__ import annotations

from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

from core.errors import InputMissingError  # noqa: E402
from training.config import ConfigError, RunConfig, config_from_dict, read_config  # noqa: E402

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "training" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_file_parses_and_survives_a_round_trip_through_a_checkpoint(path: Path) -> None:
    config = read_config(path)
    assert config_from_dict(config.to_dict(), "a checkpoint") == config


def test_paper_recipe_is_the_default_and_the_shipped_file() -> None:
    config = read_config(CONFIGS[0].with_name("net.yaml"))
    assert config == RunConfig().overridden({"data.train_every": 10})
    # Every choice of the recipe stands in the file, to be changed there.
    written = yaml.safe_load(CONFIGS[0].with_name("net.yaml").read_text())
    assert {"regressor"} < set(written["body"]) and {"split_seed", "train_every", "test_every"} < set(written["data"])
    assert {"algorithm", "schedule", "warmup_steps"} < set(written["optimizer"])
    assert (config.optimizer.learning_rate, config.optimizer.weight_decay) == (1e-4, 0.1)
    assert (config.loss.rotation, config.loss.vertices, config.loss.keypoints) == (1.0, 1.0, 5.0)
    assert (config.training.batch_size, config.training.epochs, config.training.seed) == (128, 100, 42)
    assert config.data.strides == (1, 3, 5, 7, 9)
    assert str(config.run_folder) == str(Path("logs") / "learnable_smplify_net_default")


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("model: {grahp: body25}\ntraining: {epochs: many, batch_size: 2.5}\nextra: 1\ndata: {swap: true}\n")
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    message = str(caught.value)
    expected = (
        "model.grahp: unknown",
        "training.epochs: expected a whole number, got 'many'",
        "training.batch_size: expected a whole number",
        "extra: unknown",
        "data.swap: expected a number",
        str(path),
    )
    for text in expected:
        assert text in message


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("training.epoch", "3", "training.epoch"),
        ("epochs", "3", "SECTION.NAME"),
        ("data.strides", "[0, 1]", "of at least 1"),
        ("data.trim", "0.6", "0 to 0.45"),
        ("model.graph", "kinect", "'body25'"),
        ("optimizer.schedule", "warm", "'cosine', 'steps', 'constant'"),
        ("output.extra_tag", "a/b", "letters"),
        ("data.test_subjects", "[05]", "a list of str"),
        ("data.strides", "[1", "expected YAML"),
    ],
)
def test_invalid_override_is_an_error(key: str, value: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text.replace("[", r"\[")):
        RunConfig().overridden({key: value})


def test_settings_that_the_pose_network_would_ignore_are_refused() -> None:
    with pytest.raises(ConfigError, match="training.precision: .*pose_mlp.*; body.regressor: expected none"):
        RunConfig().overridden(
            {"model.architecture": "pose_mlp", "training.precision": "bfloat16", "body.regressor": "rows.npy"}
        )


def test_numbers_of_yaml_1_1() -> None:
    changed = RunConfig().overridden({"optimizer.learning_rate": "1e-3", "data.test_subjects": "['05', a/16]"})
    assert changed.optimizer.learning_rate == 0.001
    assert changed.data.test_subjects == ("05", "a/16")


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match="training/configs"):
        read_config(tmp_path / "none.yaml")
