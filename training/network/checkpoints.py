"""Checkpoints: the full state of a run, as plain tensors and values.

They are read with ``weights_only``, so they cannot execute code. They contain no body arrays.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core.errors import CoreError, InputMissingError
from core.io.atomic_files import atomic_path
from core.network.architecture import ARCHITECTURE

FORMAT_VERSION = 1
_FOREIGN_PREFIXES = ("openpose_regressor",)


class CheckpointError(CoreError, ValueError):
    """A checkpoint is damaged, of another kind, or does not match the settings."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Contents of a checkpoint file.

    Attributes:
        model: the network's state dict.
        config: settings as plain dicts; empty in a published checkpoint.
        body: name of the body the network was trained on; empty in a published checkpoint.
        training: state read only by a resumed run (optimizer, scheduler, step, best, rng); empty in a published one.
        metrics: metrics of the last evaluation.
    """

    model: dict[str, torch.Tensor]
    config: dict[str, Any]
    body: str
    training: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def architecture(self) -> str:
        """Architecture of the network; old checkpoints, which do not state it, have the paper's."""
        return str(self.config["model"].get("architecture", ARCHITECTURE)) if self.config else ARCHITECTURE

    @property
    def graph(self) -> str:
        """Skeleton graph of the weights; empty for a network without one."""
        if self.architecture != ARCHITECTURE:
            return ""
        return str(self.config["model"]["graph"]) if self.config else "published"

    def check_network(self, architecture: str, graph: str, path: Path | str) -> None:
        """Check that the weights are for *architecture* and *graph*; *path* is named in errors.

        Raises:
            CheckpointError: they are for others.
        """
        if self.architecture != architecture:
            raise CheckpointError(
                f"expected weights for the architecture {architecture!r}, found {self.architecture!r} in {path}; use "
                f"--set model.architecture={self.architecture}"
            )
        if self.graph and self.graph != graph:
            raise CheckpointError(
                f"expected weights for the graph {graph!r}, found {self.graph!r} in {path}; use --set "
                f"model.graph={self.graph}"
            )


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write *checkpoint* atomically."""
    contents = {
        "format_version": FORMAT_VERSION,
        "model": checkpoint.model,
        "config": checkpoint.config,
        "body": checkpoint.body,
        "training": checkpoint.training,
        "metrics": checkpoint.metrics,
    }
    with atomic_path(path) as temporary:
        torch.save(contents, temporary)


def load_checkpoint(path: Path | str) -> Checkpoint:
    """Read a checkpoint of this project or the published one.

    Raises:
        InputMissingError: the file does not exist.
        CheckpointError: the file is damaged or not such a checkpoint.
    """
    path = Path(path)
    if not path.is_file():
        raise InputMissingError(f"expected a checkpoint, found no file at {path}; check the path")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"expected a checkpoint of plain tensors, found something else in {path} "
            f"({' '.join(str(error).split())[:160]}); download or save it again"
        ) from error
    if not isinstance(contents, dict) or not isinstance(contents.get("model"), dict):
        raise CheckpointError(f"expected a checkpoint with a 'model' state dict, found none in {path}")
    version = contents.get("format_version")
    if version not in (None, FORMAT_VERSION):
        raise CheckpointError(f"expected a checkpoint of format {FORMAT_VERSION}, found {version} in {path}; update")
    ours = version is not None
    return Checkpoint(
        _clean_names(contents["model"]),
        contents["config"] if ours else {},
        contents["body"] if ours else "",
        contents["training"] if ours else {},
        contents["metrics"] if ours else {},
    )


def _clean_names(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Remove DDP's ``module.`` prefix and the entries that are not part of the network."""
    names = {name: name.removeprefix("module.") for name in state}
    return {short: state[name] for name, short in names.items() if not short.startswith(_FOREIGN_PREFIXES)}


def load_weights(network: nn.Module, checkpoint: Checkpoint, path: Path | str) -> None:
    """Load a checkpoint's weights into *network*.

    Raises:
        CheckpointError: names or shapes differ; the message counts them and names the first.
    """
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in checkpoint.model.items()}
    wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if wrong:
        raise CheckpointError(
            f"expected the weights of this network in {path}; {len(wrong)} entries differ, the first is {wrong[0]}: "
            f"expected {expected.get(wrong[0], 'none')}, found {found.get(wrong[0], 'none')}"
        )
    network.load_state_dict(checkpoint.model)


def random_state(device: torch.device) -> dict[str, Any]:
    """Return the state of all random generators of this process, as tensors and plain values."""
    generator: Any = np.random.get_state()
    kind, keys, position, has_gauss, gauss = generator
    version, words, gauss_next = random.getstate()
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(words), gauss_next],
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Restore this process's random generators from the result of `random_state`."""
    torch.set_rng_state(state["torch"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    version, words, gauss_next = state["python"]
    random.setstate((version, tuple(words), gauss_next))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
