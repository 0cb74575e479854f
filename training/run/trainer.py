"""Training loop: one code path for one process or many; a resumed run equals an uninterrupted one. B batch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.body.data import BodyData
from core.network.pose_architecture import POSE_MLP
from core.network.weights import read_weights
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..config import RunConfig
from ..data.augment import NUM_OTHER_BODIES, Augmentation
from ..data.body_perturbation import point_offsets, with_other_bones
from ..data.examples import Examples, training_examples
from ..data.pairs import PairBatch, PairDataset, TrainSampler, held_out_targets, train_loader
from ..data.prepared import load_motions, sample_poses
from ..data.splits import split_clips
from ..data.training_body import ShownBody, load_body, with_hands
from ..network.checkpoints import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    load_weights,
    random_state,
    restore_random_state,
    save_checkpoint,
)
from ..network.losses import LOSS_NAMES, Loss, pair_loss
from ..network.networks import make_network, uses_bfloat16
from ..network.pose_mlp import PoseMlp
from ..pictures import write_png
from .distributed import Processes, distribute, synchronised
from .run_log import RunLog
from .validation import PairTest, draw_predictions, evaluate, mean_mpve, table_text, write_table

CHECKPOINT_FOLDER = "checkpoints"
BEST_NAME, LAST_NAME = "best.pth.tar", "last.pth.tar"


class Trainer:
    """A run: data, network, optimizer and progress.

    Attributes:
        config: the settings.
        step: optimizer steps done.
        best_mpve_mm: smallest mean MPVE so far.
        network: the network, without the wrapper that distributes it.
    """

    def __init__(self, config: RunConfig, processes: Processes, log: RunLog) -> None:
        """Load the data and create the network; the same settings give the same weights.

        Raises:
            CoreError: data, body or device are missing or do not match the settings.
        """
        self.config, self._processes, self._log = config, processes, log
        self.step, self.best_mpve_mm = 0, math.inf
        self.metrics: dict[str, Any] = {}
        body_data = load_body(config.body)
        with processes.first_goes_first():
            motions = load_motions(config.data, body_data, write=processes.is_first)
        split = split_clips(motions, config.data)
        self._dataset = PairDataset(motions)
        self._sampler = TrainSampler(
            motions,
            split.train.tolist(),
            strides=config.data.strides,
            swap=config.data.swap,
            batch_size=config.training.batch_size,
            seed=config.training.seed,
            processes=processes,
            frames_per_subject=config.data.frames_per_subject,
        )
        torch.manual_seed(config.training.seed)
        network = make_network(config.model, bfloat16=uses_bfloat16(config.training.precision, processes.device))
        self._body = self._make_body(body_data, network.point_names)
        self._other_bodies = self._make_other_bodies(body_data, network.point_names)
        self._augmentation = Augmentation(config.augment, network.point_names, sample_poses(motions, split.train))
        self._validation, self._test = (self._pair_test(motions, clips) for clips in (split.val, split.test))
        self.network = synchronised(network, processes).to(processes.device)
        self._distributed = distribute(self.network, processes)
        settings = config.optimizer
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(
            self._optimizer, max(self.total_steps, 1), eta_min=settings.final_learning_rate
        )
        # From here on each process draws its own dropout.
        torch.manual_seed(config.training.seed + processes.rank)
        log.say(
            f"{len(split.train)} clips to train on, {len(split.test)} to test on, {motions.num_frames} frames; "
            f"{self._sampler.num_batches} steps an epoch on {processes.count} x {processes.device}"
        )

    def _make_body(self, data: BodyData, names: Sequence[str], offsets: np.ndarray | None = None) -> ShownBody:
        return ShownBody(
            data,
            self._processes.device,
            engine=self.config.body.engine,
            num_vertices=self.config.loss.num_vertices,
            point_names=names,
            point_offsets=offsets,
        )

    def _make_other_bodies(self, data: BodyData, names: Sequence[str]) -> list[ShownBody]:
        """Create the perturbed bodies, always the same; none if their probability is 0."""
        if not self.config.augment.other_bodies:
            return []
        generator = np.random.default_rng(self.config.training.seed)
        return [
            self._make_body(with_other_bones(data, generator), names, point_offsets(len(names), generator))
            for _ in range(NUM_OTHER_BODIES)
        ]

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.config.training.epochs * self._sampler.num_batches

    def _pair_test(self, motions: Any, clips: np.ndarray) -> PairTest:
        settings = self.config.data
        targets = held_out_targets(
            motions, clips.tolist(), largest_stride=max(settings.strides), every=settings.test_every
        )
        return PairTest(self._dataset, targets, settings.strides, self._body, self._processes)

    def resume(self, path: Path | str) -> None:
        """Resume a checkpoint of this run.

        Raises:
            CheckpointError: the checkpoint has other settings, or contains only weights.
        """
        checkpoint = load_checkpoint(path)
        training = checkpoint.training
        if not training:
            raise CheckpointError(f"expected a checkpoint to resume, found only weights in {path}; use --finetune")
        if len(training["rng"]) != self._processes.count or training["total_steps"] != self.total_steps:
            raise CheckpointError(
                f"expected a run of {training['total_steps']} steps on {len(training['rng'])} processes as in {path}, "
                f"got {self.total_steps} on {self._processes.count}; resume with the same settings, or use --finetune"
            )
        load_weights(self.network, checkpoint, path)
        self._optimizer.load_state_dict(training["optimizer"])
        self._scheduler.load_state_dict(training["scheduler"])
        self.step, self.best_mpve_mm = training["step"], training["best_mpve_mm"]
        self.metrics = checkpoint.metrics
        restore_random_state(training["rng"][self._processes.rank], self._processes.device)
        self._log.say(f"resumed {path} at step {self.step}")

    def load_weights(self, path: Path | str) -> None:
        """Load the weights of a checkpoint (of this project or published), or of a pose network's weights file.

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
        if checkpoint.graph != self.config.model.graph:
            raise CheckpointError(
                f"expected weights for the graph {self.config.model.graph!r}, found {checkpoint.graph!r} in {path}; "
                f"use --set model.graph={checkpoint.graph}"
            )
        load_weights(self.network, checkpoint, path)

    def train(self, *, stop_after_steps: int | None = None) -> None:
        """Train to the end, or stop early with a checkpoint from which the run can resume."""
        settings = self.config.training
        last_step = self.total_steps if stop_after_steps is None else min(stop_after_steps, self.total_steps)
        while self.step < last_step:
            epoch, first_batch = divmod(self.step, self._sampler.num_batches)
            self._sampler.set_epoch(epoch, first_batch)
            self._train_epoch(epoch, last_step)
            if self.step % self._sampler.num_batches == 0:
                done = epoch + 1
                if done % settings.evaluate_every == 0 or done == settings.epochs:
                    self._validate(done)
                if done % settings.checkpoint_every == 0:
                    self._save(f"epoch_{done:04d}.pth.tar")
        self._save(LAST_NAME)

    def _train_epoch(self, epoch: int, last_step: int) -> None:
        """Train on the remaining batches of an epoch."""
        settings = self.config.training
        self._distributed.train()
        loader = train_loader(
            self._dataset,
            self._sampler,
            workers=settings.workers,
            pinned=self._processes.device.type == "cuda",
            seed=settings.seed,
        )
        sums, num_steps, start = torch.zeros(len(LOSS_NAMES), device=self._processes.device), 0, time.perf_counter()
        for batch in loader:
            loss = self._train_step(batch.to(self._processes.device))
            sums, num_steps = sums + loss.parts(), num_steps + 1
            self.step += 1
            done = self.step - epoch * self._sampler.num_batches
            self._log.bar(done, self._sampler.num_batches, f"epoch {epoch + 1}/{settings.epochs}")
            if self.step % self.config.output.log_every == 0 or done == self._sampler.num_batches:
                self._report(sums / num_steps, num_steps / (time.perf_counter() - start))
                sums, num_steps, start = torch.zeros_like(sums), 0, time.perf_counter()
            if self.step >= last_step:
                return

    def _train_step(self, batch: PairBatch) -> Loss:
        loss = self.loss(batch)
        self._optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        self._optimizer.step()
        self._scheduler.step()
        return loss

    def loss(self, batch: PairBatch) -> Loss:
        """Return the loss of a batch on this process's device."""
        network, other = self.network, self._augmentation.of_body()
        body = self._body if other is None else self._other_bodies[other]
        examples = training_examples(batch, body, self._augmentation, self._predict)
        with torch.no_grad():
            true_vertices = body.selected_vertices(examples.true, examples.betas, examples.trans)
        prediction = self._distributed(*network.inputs_of(examples))
        predicted = with_hands(prediction.rotations)
        vertices = body.selected_vertices(predicted, examples.betas, examples.trans)
        points = body.keypoints(predicted, examples.betas, examples.trans)
        return pair_loss(
            (prediction.rotations, examples.true[:, :NUM_BODY_ROTATIONS]),
            (vertices, true_vertices),
            (points, examples.true_points),
            self.config.loss,
            log_variances=getattr(prediction, "log_variances", None),
        )

    def _predict(self, examples: Examples) -> Tensor:
        """Predict (B, 24, 3, 3) with the current network in evaluation mode: no dropout, no batch statistics."""
        self.network.eval()
        rotations = self.network(*self.network.inputs_of(examples)).rotations
        self.network.train()
        return with_hands(rotations)

    def _report(self, means: Tensor, steps_per_second: float) -> None:
        """Log the mean loss of all processes since the last report."""
        means = self._processes.summed(means.cpu().double()) / self._processes.count
        values = dict(zip(LOSS_NAMES, means.tolist(), strict=True))
        values["learning_rate"] = self._scheduler.get_last_lr()[0]
        values["pairs_per_second"] = steps_per_second * self.config.training.batch_size
        self._log.figures("train", self.step, values)
        self._log.say(
            f"step {self.step}/{self.total_steps} loss {values['total']:.4f} "
            f"(rotation {values['rotation']:.4f}, vertices {1000 * values['vertices']:.1f} mm, keypoints "
            f"{1000 * values['keypoints']:.1f} mm) {values['pairs_per_second']:.0f} pairs/s"
        )

    def _validate(self, epoch: int) -> None:
        table = evaluate(self.network, self._validation)
        self.metrics = {"epoch": epoch, "step": self.step, "table": table}
        mpve = mean_mpve(table, analytic=self.config.augment.analytic_start > 0.0)
        self._log.say(f"epoch {epoch}: mean MPVE {mpve:.2f} mm\n{table_text(table)}")
        self._write_metrics("validation", table)
        self._draw(self._validation)
        if mpve < self.best_mpve_mm:
            self.best_mpve_mm = mpve
            self._save(BEST_NAME)

    def test(self) -> dict[str, dict[str, float]]:
        """Evaluate the network on the test pairs; write the table to the console, a JSON file and TensorBoard."""
        table = evaluate(self.network, self._test)
        self._log.say(f"test, mean MPVE {mean_mpve(table):.2f} mm\n{table_text(table)}")
        self._write_metrics("test", table)
        self._draw(self._test)
        if self._log.folder is not None:
            write_table(self._log.folder / "evaluation.json", table)
        return table

    def _write_metrics(self, kind: str, table: dict[str, dict[str, float]]) -> None:
        for row, metrics in table.items():
            self._log.figures(f"{kind}/{row}", self.step, metrics)

    def _draw(self, test: PairTest) -> None:
        """Draw a few predictions, on the first process only."""
        if self._log.folder is None:
            return
        for number, pixels in enumerate(draw_predictions(self.network, test, self.config.output.pictures)):
            self._log.picture(f"prediction/{number}", self.step, pixels)
            write_png(self._log.folder / "pictures" / f"prediction_{number}.png", pixels)

    def _save(self, name: str) -> None:
        """Write a checkpoint with the state of every process's random generators."""
        states = self._processes.gathered(random_state(self._processes.device))
        if self._log.folder is None:
            return
        training = {
            "optimizer": self._optimizer.state_dict(),
            "scheduler": self._scheduler.state_dict(),
            "step": self.step,
            "total_steps": self.total_steps,
            "best_mpve_mm": self.best_mpve_mm,
            "rng": states,
        }
        checkpoint = Checkpoint(
            model={name: value.cpu() for name, value in self.network.state_dict().items()},
            config=self.config.to_dict(),
            body=self._body.data.name,
            training=training,
            metrics=self.metrics,
        )
        save_checkpoint(self._log.folder / CHECKPOINT_FOLDER / name, checkpoint)
