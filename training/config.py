"""Settings of a training run: a tree of dataclasses, read from YAML, overridden by dotted keys, saved completely.

Unknown keys and values of the wrong type or out of range raise one error that names all of them, and the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import CoreError, InputMissingError
from core.network.graph import LINKS

from .settings_tree import build

DATASETS = ("amass", "3dpw", "rich", "folder")
SPLITS = ("files", "subjects", "official")
PRECISIONS = ("auto", "float32", "bfloat16")
BODY_ENGINES = ("core", "smplx")
ARCHITECTURES = ("residual_st_gcn", "pose_mlp")
BETAS_SOURCES = ("auto", "file", "draw")
ALGORITHMS = ("adamw", "adam")
SCHEDULES = ("cosine", "steps", "constant")


class ConfigError(CoreError, ValueError):
    """A setting is unknown or has an invalid value."""


@dataclass(frozen=True)
class ModelConfig:
    """The network.

    Attributes:
        name: first part of the run folder's name.
        architecture: "residual_st_gcn", the paper's, or "pose_mlp", which accepts the points of any layout.
        graph: skeleton graph of "residual_st_gcn": "body25", or "published" for that of the paper's checkpoint.
        dropout: share of features dropped inside the units.
    """

    name: str = "learnable_smplify"
    architecture: str = "residual_st_gcn"
    graph: str = "body25"
    dropout: float = 0.5


@dataclass(frozen=True)
class BodyConfig:
    """The body model that poses are applied to.

    Attributes:
        path: a licensed SMPL, SMPL-H or SMPL-X file; if empty, the free body.
        engine: skinning implementation: "core", or "smplx" (smplx's own forward pass, if that package is installed).
        regressor: file of BODY25's regressor (25, V), such as ``J_regressor_body25.npy``; if empty, our own definition.
    """

    path: str = ""
    engine: str = "core"
    regressor: str = ""


@dataclass(frozen=True)
class DataConfig:
    """The motion data.

    Attributes:
        dataset: "amass", "3dpw", "rich", or "folder" for any folder of .npz files in AMASS layout.
        folder: folder of the dataset.
        cache: folder for the prepared arrays, possibly local to each node; if empty, ``.prepared`` inside *folder*.
        up_axis: "Y" or "Z"; if empty, as the file states, else the dataset's convention (AMASS: Z).
        split: "files" (the paper's, seeded), "subjects", or "official".
        train_share: share of files or subjects to train on.
        test_subjects: with split "subjects", the test subjects; if empty, they are drawn.
        split_seed: seed of the split.
        fps: frame rate that motions are resampled to, by time.
        trim: share of a clip's frames cut at each end.
        strides: frames between start and target.
        swap: probability that start and target are exchanged.
        train_every: use every n-th training frame, the same ones in each epoch; the published code uses every tenth.
        frames_per_subject: maximum frames per subject and epoch, redrawn each epoch; 0 for all.
        test_every: use every n-th test pair.
        betas: "file" for the file's, "draw" for N(0, 0.8) per clip, "auto": the file's if they belong to the body.
    """

    dataset: str = "amass"
    folder: str = "data/amass"
    cache: str = ""
    up_axis: str = ""
    split: str = "files"
    train_share: float = 0.7
    test_subjects: tuple[str, ...] = ()
    split_seed: int = 42
    fps: float = 30.0
    trim: float = 0.1
    strides: tuple[int, ...] = (1, 3, 5, 7, 9)
    swap: float = 0.5
    train_every: int = 1
    frames_per_subject: int = 0
    test_every: int = 100
    betas: str = "auto"


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of the training pairs; off by default, as in the paper.

    Attributes:
        mirror: probability of exchanging left and right.
        limbs: probability that a limb's rotations are taken from another pair.
        betas: probability of drawing new betas.
        tilt_rad: standard deviation of the pair's tilt about each horizontal axis.
        pose_noise: noise on both poses, relative to each joint's standard deviation about each axis in the data.
        start_noise_rad: largest noise on the start pose.
        point_noise_m: largest noise of the target points per axis.
        missing: largest share of the target points that are missing, in half of the pairs.
        layouts: probability that the visible points are those of a random layout instead of BODY25's.
        analytic_start: probability of the analytic start, computed from the target points alone.
        own_start: probability that the start is the network's own prediction from the given start.
        other_bodies: probability that a batch uses a body with perturbed bones and points, for which betas carry no
            information.
        unknown_betas: probability that the betas are hidden on the unperturbed body.
    """

    mirror: float = 0.0
    limbs: float = 0.0
    betas: float = 0.0
    tilt_rad: float = 0.0
    pose_noise: float = 0.0
    start_noise_rad: float = 0.0
    point_noise_m: float = 0.0
    missing: float = 0.0
    layouts: float = 0.0
    analytic_start: float = 0.0
    own_start: float = 0.0
    other_bodies: float = 0.0
    unknown_betas: float = 0.0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss, and the vertices it uses.

    Attributes:
        rotation: weight of the geodesic angle.
        vertices: weight of the mean vertex distance, metres.
        keypoints: weight of the mean keypoint distance, metres.
        spread: weight of the negative log-likelihood under the predicted variances, for networks that predict them.
        num_vertices: number of vertices, evenly spaced in the mesh's order; 0 for all.
    """

    rotation: float = 1.0
    vertices: float = 1.0
    keypoints: float = 5.0
    spread: float = 0.02
    num_vertices: int = 0


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and the schedule of its learning rate (`training.run.schedule`).

    Attributes:
        algorithm: "adamw", or "adam".
        learning_rate: learning rate at the first step.
        weight_decay: weight decay.
        schedule: "cosine" to *final_learning_rate* over all steps, "steps" down at each milestone, or "constant".
        final_learning_rate: with "cosine", the learning rate after the last step.
        milestones: with "steps", the epochs after which the learning rate is multiplied by *milestone_factor*.
        milestone_factor: with "steps", the factor.
        warmup_steps: steps of linear warm-up from zero.
    """

    algorithm: str = "adamw"
    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    schedule: str = "cosine"
    final_learning_rate: float = 1e-6
    milestones: tuple[int, ...] = ()
    milestone_factor: float = 0.1
    warmup_steps: int = 0


@dataclass(frozen=True)
class TrainingConfig:
    """The training loop.

    Attributes:
        epochs: passes over the training frames.
        batch_size: pairs per step, over all processes together.
        seed: seed of all random generators.
        workers: data-loading processes per training process.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "float32", "bfloat16" (the paper's network on CUDA), or "auto": bfloat16 where supported.
        evaluate_every: epochs between evaluations.
        checkpoint_every: epochs between checkpoints that are kept; the best and the last are kept too.
    """

    epochs: int = 100
    batch_size: int = 128
    seed: int = 42
    workers: int = 2
    device: str = "auto"
    precision: str = "auto"
    evaluate_every: int = 1
    checkpoint_every: int = 20


@dataclass(frozen=True)
class OutputConfig:
    """The output of a run.

    Attributes:
        log_dir: folder for all runs.
        extra_tag: last part of the run folder's name.
        log_every: steps between log lines.
        tensorboard: write scalars and pictures for TensorBoard, if that package is installed.
        pictures: test pairs to draw at each evaluation.
    """

    log_dir: str = "logs"
    extra_tag: str = "default"
    log_every: int = 50
    tensorboard: bool = True
    pictures: int = 4


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

    @property
    def run_folder(self) -> Path:
        """Folder of the run's logs and checkpoints: ``LOG_DIR/MODEL_net_TAG``."""
        return Path(self.output.log_dir) / f"{self.model.name}_net_{self.output.extra_tag}"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain dicts, lists and values."""
        return {key: dict(_plain(value)) for key, value in asdict(self).items()}

    def overridden(self, values: Mapping[str, object]) -> RunConfig:
        """Return the settings with *values*, by dotted key, overridden; strings are parsed as YAML.

        Raises:
            ConfigError: a key is unknown or a value invalid.
        """
        tree = self.to_dict()
        for key, value in values.items():
            section, _, name = key.partition(".")
            if section not in tree or name not in tree[section]:
                raise ConfigError(f"expected a setting SECTION.NAME such as training.epochs, got {key!r}")
            tree[section][name] = parse_yaml(value, f"setting {key}") if isinstance(value, str) else value
        return config_from_dict(tree, "the settings with overrides")


def read_config(path: Path | str) -> RunConfig:
    """Read settings from a YAML file; settings it omits keep their defaults.

    Raises:
        InputMissingError: the file does not exist.
        ConfigError: it is not YAML, or a key or value is invalid.
    """
    path = Path(path)
    if not path.is_file():
        raise InputMissingError(f"expected a YAML file of settings, found no file at {path}; see training/configs")
    return config_from_dict(parse_yaml(path.read_text(encoding="utf-8"), str(path)) or {}, str(path))


def config_from_dict(tree: object, where: str) -> RunConfig:
    """Return the settings in nested dicts; *where* is named in errors.

    Raises:
        ConfigError: a key is unknown or a value invalid; all faults are named.
    """
    faults: list[str] = []
    config = build(RunConfig, tree, "", faults)
    if not faults:
        faults = list(_range_faults(config))
    if faults:
        raise ConfigError(f"invalid settings in {where}: " + "; ".join(faults))
    return config


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def parse_yaml(text: str, where: str) -> Any:
    """Parse a YAML *text* into plain values; *where* is named in errors.

    Raises:
        ConfigError: it is not YAML, or PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise ConfigError(
            f"reading {where} needs PyYAML, which is not installed in this Python; "
            "install it: pip install -c constraints.txt -r requirements/train.txt"
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"expected YAML in {where}, got: {' '.join(str(error).split())[:200]}") from error


def _range_faults(config: RunConfig) -> Iterable[str]:
    """Yield a message for each setting out of its range."""
    for key, value, allowed in _choices(config):
        if value not in allowed:
            yield f"{key}: expected one of {', '.join(repr(one) for one in allowed)}, got {value!r}"
    strides = config.data.strides
    if not strides or min(strides) < 1:
        yield f"data.strides: expected integers of at least 1, got {list(strides)}"
    for key, number, low, high in _bounds(config):
        if not low <= number <= high:
            yield f"{key}: expected {low:g} to {high:g}, got {number:g}"
    if config.model.architecture == "pose_mlp":
        if config.training.precision == "bfloat16":
            yield "training.precision: expected auto or float32 for model.architecture pose_mlp, got bfloat16"
        if config.body.regressor:
            yield "body.regressor: expected none for model.architecture pose_mlp, which takes more points than BODY25"
    for key, name in (("model.name", config.model.name), ("output.extra_tag", config.output.extra_tag)):
        if not name or any(not (letter.isalnum() or letter in "._-") for letter in name):
            yield f"{key}: expected letters, digits, '.', '_' or '-', got {name!r}"


def _choices(config: RunConfig) -> tuple[tuple[str, str, Sequence[str]], ...]:
    """Return the settings with a fixed set of values: key, value, allowed values."""
    return (
        ("model.architecture", config.model.architecture, ARCHITECTURES),
        ("model.graph", config.model.graph, tuple(LINKS)),
        ("body.engine", config.body.engine, BODY_ENGINES),
        ("data.dataset", config.data.dataset, DATASETS),
        ("data.split", config.data.split, SPLITS),
        ("data.up_axis", config.data.up_axis, ("", "Y", "Z")),
        ("data.betas", config.data.betas, BETAS_SOURCES),
        ("optimizer.algorithm", config.optimizer.algorithm, ALGORITHMS),
        ("optimizer.schedule", config.optimizer.schedule, SCHEDULES),
        ("training.precision", config.training.precision, PRECISIONS),
    )


_AUGMENT_SHARES = (
    "mirror", "limbs", "betas", "missing", "layouts", "analytic_start", "own_start", "other_bodies", "unknown_betas",
)  # fmt: skip
"""Augmentation settings that are shares or probabilities, 0 to 1."""


def _bounds(config: RunConfig) -> tuple[tuple[str, float, float, float], ...]:
    """Return the bounded numeric settings: key, value, minimum, maximum."""
    data, augment, training = config.data, config.augment, config.training
    return (
        ("model.dropout", config.model.dropout, 0.0, 0.99),
        ("data.train_share", data.train_share, 0.0, 1.0),
        ("data.trim", data.trim, 0.0, 0.45),
        ("data.swap", data.swap, 0.0, 1.0),
        ("data.fps", data.fps, 1.0, 1000.0),
        ("data.test_every", data.test_every, 1, 10**9),
        ("data.train_every", data.train_every, 1, 10**9),
        ("data.frames_per_subject", data.frames_per_subject, 0, 10**9),
        ("augment.start_noise_rad", augment.start_noise_rad, 0.0, 1.0),
        ("augment.point_noise_m", augment.point_noise_m, 0.0, 0.1),
        ("augment.tilt_rad", augment.tilt_rad, 0.0, 1.0),
        ("augment.pose_noise", augment.pose_noise, 0.0, 1.0),
        *((f"augment.{name}", getattr(augment, name), 0.0, 1.0) for name in _AUGMENT_SHARES),
        ("loss.num_vertices", config.loss.num_vertices, 0, 10**5),
        ("optimizer.learning_rate", config.optimizer.learning_rate, 1e-12, 10.0),
        ("optimizer.milestone_factor", config.optimizer.milestone_factor, 0.0, 1.0),
        ("optimizer.warmup_steps", config.optimizer.warmup_steps, 0, 10**9),
        ("training.epochs", training.epochs, 0, 10**7),
        ("training.batch_size", training.batch_size, 1, 10**6),
        ("training.seed", training.seed, 0, 2**31 - 1),
        ("training.workers", training.workers, 0, 256),
        ("training.evaluate_every", training.evaluate_every, 1, 10**7),
        ("training.checkpoint_every", training.checkpoint_every, 1, 10**7),
        ("output.log_every", config.output.log_every, 1, 10**9),
        ("output.pictures", config.output.pictures, 0, 64),
    )
