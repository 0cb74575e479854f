"""The common base of training and evaluation: data, body, network and test of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from core.body.data import BodyData
from core.network.pose_architecture import POSE_MLP
from core.network.weights import read_weights

from ..config import RunConfig
from ..data.pairs import PairDataset, held_out_targets
from ..data.prepared import MotionArrays, fingerprint, load_motions
from ..data.splits import split_clips
from ..data.training_body import TrainingBody, load_body, load_regressor
from ..network.checkpoints import CheckpointError, load_checkpoint, load_weights
from ..network.networks import make_network, uses_bfloat16
from ..network.pose_mlp import PoseMlp
from ..pictures import write_png
from .distributed import NUM_TURNS, Processes, sync_batch_norms
from .published import comparison
from .run_log import RunLog
from .validation import PairTest, draw_predictions, evaluate, mean_mpve, table_text, write_table


class NetworkRun:
    """The data, the body and the network of a run, and the test of the network.

    Attributes:
        config: the settings.
        step: optimizer steps done.
        network: the network, without DDP's wrapper.
    """

    trains = False
    """Whether clips to train on are needed."""

    def __init__(self, config: RunConfig, processes: Processes, log: RunLog) -> None:
        """Load the data and create the network; the same settings give the same weights.

        Raises:
            CoreError: data, body or device are missing or do not match the settings.
        """
        self.config, self._processes, self._log = config, processes, log
        self.step = 0
        motions = self._load_motions()
        with processes.fail_together():
            self._dataset = PairDataset(motions)
            self._split = split_clips(motions, config.data, trains=self.trains)
            torch.manual_seed(config.training.seed)
            network = make_network(config.model, bfloat16=uses_bfloat16(config.training.precision, processes.device))
            self._point_names = network.point_names
            self._body = self._make_body(self._body_data)
            self._test = self._pair_test(motions, self._split.test)
            self._prepare(motions)
        self.network = sync_batch_norms(network, processes).to(processes.device)
        log.info(
            f"{len(self._split.train)} clips to train on, {len(self._split.test)} to test on, {motions.num_frames} "
            f"frames, on {processes.count} x {processes.device}"
        )

    def _load_motions(self) -> MotionArrays:
        """Load body and data; the first process prepares missing arrays, then the first one of each other node.

        So nodes may share the folder of prepared arrays or have one each.
        """
        processes = self._processes
        for turn in range(NUM_TURNS):
            with processes.fail_together():
                if turn == processes.turn:
                    self._body_data = load_body(self.config.body)
                    motions = load_motions(self.config.data, self._body_data, write=turn < NUM_TURNS - 1)
        checksums = processes.all_gather(fingerprint(motions))
        if len(set(checksums)) > 1:
            other = next(rank for rank, one in enumerate(checksums) if one != checksums[0])
            raise CheckpointError(
                f"expected the same motions in every process, found others in process {other} than in process 0; "
                f"copy {self.config.data.folder} to every node again"
            )
        return motions

    def _prepare(self, motions: MotionArrays) -> None:
        """Prepare what only training needs, without collective operations."""

    def _make_body(self, data: BodyData, offsets: np.ndarray | None = None) -> TrainingBody:
        settings = self.config.body
        return TrainingBody(
            data,
            self._processes.device,
            engine=settings.engine,
            num_vertices=self.config.loss.num_vertices,
            point_names=self._point_names,
            point_offsets=offsets,
            regressor=load_regressor(settings, data),
        )

    def _pair_test(self, motions: MotionArrays, clips: Sequence[int] | np.ndarray) -> PairTest:
        settings = self.config.data
        targets = held_out_targets(
            motions, [int(clip) for clip in clips], largest_stride=max(settings.strides), every=settings.test_every
        )
        return PairTest(self._dataset, targets, settings.strides, self._body, self._processes)

    def load_weights(self, path: Path | str) -> None:
        """Load the weights of a checkpoint (this project's or the published one) or of a pose network's .npz file.

        Raises:
            CheckpointError: the weights belong to another network or graph.
            NetworkError: a weights file is damaged.
        """
        if isinstance(self.network, PoseMlp) and Path(path).suffix == ".npz":
            stored = read_weights(path)
            if stored.info.architecture != POSE_MLP:
                raise CheckpointError(f"expected a pose network's weights in {path}, found {stored.info.architecture}")
            self.network.load_stored(stored.arrays)
            return
        checkpoint = load_checkpoint(path)
        checkpoint.check_network(self.config.model.architecture, self.config.model.graph, path)
        load_weights(self.network, checkpoint, path)

    def test(self) -> dict[str, dict[str, float]]:
        """Evaluate the network on the test pairs; write the table to the log, a JSON file and TensorBoard."""
        table = evaluate(self.network, self._test)
        self._log.info(
            f"test, mean MPVE {mean_mpve(table):.2f} mm\n{table_text(table)}\n{comparison(self.config.data.dataset)}"
        )
        self._write_metrics("test", table)
        self._draw(self._test)
        if self._log.folder is not None:
            write_table(self._log.folder / "evaluation.json", table)
        return table

    def _write_metrics(self, kind: str, table: dict[str, dict[str, float]]) -> None:
        for row, metrics in table.items():
            self._log.metrics(f"{kind}/{row}", self.step, metrics)

    def _draw(self, test: PairTest) -> None:
        """Draw a few predictions, on the first process only."""
        if self._log.folder is None:
            return
        for number, pixels in enumerate(draw_predictions(self.network, test, self.config.output.pictures)):
            self._log.image(f"prediction/{number}", self.step, pixels)
            write_png(self._log.folder / "pictures" / f"prediction_{number}.png", pixels)
