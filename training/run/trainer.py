"""The training loop, for one process or several; a resumed run equals an uninterrupted one. B batch."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..config import RunConfig
from ..data.augment import NUM_OTHER_BODIES, Augmentation
from ..data.body_perturbation import draw_point_offsets, perturb_bones
from ..data.examples import Examples, training_examples
from ..data.pairs import PairBatch, TrainSampler, train_loader
from ..data.prepared import MotionArrays, sample_poses
from ..data.training_body import TrainingBody, with_hands
from ..network.checkpoints import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    random_state,
    restore_random_state,
    save_checkpoint,
)
from ..network.losses import LOSS_NAMES, Loss, pair_loss
from .distributed import Processes, distribute
from .failures import readable_failure
from .network_run import NetworkRun
from .progress import Progress, changed_settings, check_resumable, progress_of
from .run_log import RunLog
from .schedule import learning_rate
from .stop_request import StopRequest
from .validation import evaluate, mean_mpve, table_text

CHECKPOINT_FOLDER = "checkpoints"
BEST_NAME, LAST_NAME = "best.pth.tar", "last.pth.tar"
_CUDA_STOP_STEPS = 10
"""Steps between checks for stop requests in all processes on CUDA, where each check waits for the GPU."""


class Trainer(NetworkRun):
    """A run: data, network, optimizer and progress.

    Attributes:
        best_mpve_mm: smallest mean MPVE so far.
    """

    trains = True

    def __init__(self, config: RunConfig, processes: Processes, log: RunLog) -> None:
        """Load the data and create the network; the same settings give the same weights.

        Raises:
            CoreError: data, body or device are missing or do not match the settings.
        """
        super().__init__(config, processes, log)
        self.best_mpve_mm = math.inf
        self.metrics: dict[str, Any] = {}
        self._epochs_finished = 0
        self._updating = False
        self._distributed = distribute(self.network, processes)
        settings = config.optimizer
        kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[settings.algorithm]
        self._optimizer: torch.optim.Optimizer = kind(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        # From here on, each process draws its own dropout.
        torch.manual_seed(config.training.seed + processes.rank)
        log.info(f"{self._sampler.num_batches} steps per epoch, {self.total_steps} in all")

    def _prepare(self, motions: MotionArrays) -> None:
        config = self.config
        self._sampler = TrainSampler(
            motions,
            self._split.train.tolist(),
            strides=config.data.strides,
            swap=config.data.swap,
            batch_size=config.training.batch_size,
            seed=config.training.seed,
            processes=self._processes,
            every=config.data.train_every,
            frames_per_subject=config.data.frames_per_subject,
        )
        self._validation = self._pair_test(motions, self._split.val)
        self._other_bodies = self._make_other_bodies()
        poses = sample_poses(motions, self._split.train)
        self._augmentation = Augmentation(config.augment, self._point_names, poses)

    def _make_other_bodies(self) -> list[TrainingBody]:
        """Create the perturbed bodies, seeded with the run's seed; none if their probability is 0."""
        if not self.config.augment.other_bodies:
            return []
        generator = np.random.default_rng(self.config.training.seed)
        count = len(self._point_names)
        return [
            self._make_body(perturb_bones(self._body_data, generator), draw_point_offsets(count, generator))
            for _ in range(NUM_OTHER_BODIES)
        ]

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.config.training.epochs * self._sampler.num_batches

    @property
    def last_path(self) -> Path:
        """The checkpoint written after every epoch and when the run stops."""
        return self.config.run_folder / CHECKPOINT_FOLDER / LAST_NAME

    def resume(self, path: Path | str) -> None:
        """Resume a checkpoint with this run's settings.

        The number of processes and all settings may differ, except for network, body and optimizer algorithm; the log
        lists the changes.

        Raises:
            CheckpointError: the checkpoint is of another network, body or optimizer, contains only weights, or has
                done more epochs than this run.
        """
        with self._processes.fail_together():
            checkpoint = load_checkpoint(path)
            check_resumable(checkpoint, self.config, self._body_data.name, path)
            progress = progress_of(checkpoint, self.config, self._sampler.num_batches, path)
            load_weights(self.network, checkpoint, path)
            self._optimizer.load_state_dict(checkpoint.training["optimizer"])
        for group in self._optimizer.param_groups:
            group["weight_decay"] = self.config.optimizer.weight_decay
        self.step, self._epochs_finished = progress.step, progress.epochs_finished
        self.best_mpve_mm, self.metrics = progress.best_mpve_mm, checkpoint.metrics
        self._restore_random_state(checkpoint, progress)
        self._log.info(f"resumed {path} at step {self.step} of {self.total_steps}")
        for change in changed_settings(checkpoint, self.config):
            self._log.info(f"changed since then: {change}")

    def _restore_random_state(self, checkpoint: Checkpoint, progress: Progress) -> None:
        """Restore each process's random generators; reseed them if the number of processes or the seed changed."""
        states, processes = checkpoint.training["rng"], self._processes
        if len(states) == processes.count and not progress.seed_changed:
            restore_random_state(states[processes.rank], processes.device)
            return
        words = [self.config.training.seed, self.step, processes.rank]
        torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        self._log.info(
            f"{processes.count} processes after {len(states)}, seed {self.config.training.seed}: dropout and "
            "augmentation are reseeded"
        )

    def train(self, *, stop_after_steps: int | None = None) -> bool:
        """Train to the end, or stop early with a checkpoint to resume from.

        SIGINT and SIGTERM stop it after the current step, or at once during an evaluation.

        Args:
            stop_after_steps: stop after this step; None for the last.

        Returns:
            False if a signal stopped it.

        Raises:
            CoreError: memory ran out or another process ended; the last checkpoint can be resumed.
        """
        last_step = self.total_steps if stop_after_steps is None else min(stop_after_steps, self.total_steps)
        first_step, request = self.step, StopRequest()
        with request.handling_signals():
            self._finish_epoch()
            while self.step < last_step:
                with request.deferred():
                    stopped = self._train_or_save(last_step, request)
                # Several processes agree on stopping in the next epoch, or are ended during the evaluation.
                if stopped or (request.received and self._processes.count == 1):
                    return False
                self._finish_epoch()
        if self.step == first_step:
            self._save(LAST_NAME)
        return True

    def _finish_epoch(self) -> None:
        """At the end of an epoch, evaluate and keep checkpoints, unless the resumed run had done so."""
        settings = self.config.training
        done, rest = divmod(self.step, self._sampler.num_batches)
        if rest or done <= self._epochs_finished:
            return
        evaluates = done % settings.evaluate_every == 0 or done == settings.epochs
        if evaluates:
            self._validate(done)
        self._epochs_finished = done
        if done % settings.checkpoint_every == 0:
            self._save(f"epoch_{done:04d}.pth.tar")
        if evaluates:
            self._save(LAST_NAME)

    def _train_or_save(self, last_step: int, request: StopRequest) -> bool:
        """Train an epoch and save; return whether all processes stopped on a request.

        Raises:
            CoreError: memory ran out or another process ended; the run was saved unless an update was under way.
        """
        epoch, first_batch = divmod(self.step, self._sampler.num_batches)
        self._sampler.set_epoch(epoch, first_batch)
        try:
            stopped = self._train_epoch(epoch, last_step, request)
            self._save(LAST_NAME)
        except (RuntimeError, MemoryError) as error:
            failure = readable_failure(error, self._processes, self.step, self.last_path)
            if failure is None:
                raise
            self._optimizer.zero_grad(set_to_none=True)
            if not self._updating:
                self._save(LAST_NAME, alone=True)
            raise failure from error
        return stopped

    def _train_epoch(self, epoch: int, last_step: int, request: StopRequest) -> bool:
        """Train on the remaining batches of an epoch; return whether all processes stopped on a request."""
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
            if self._all_stop(request):
                return True
            if self.step >= last_step:
                break
        return False

    def _all_stop(self, request: StopRequest) -> bool:
        """Return whether any process has received a stop request; all processes return the same."""
        if self._processes.count == 1:
            return request.received
        if self._processes.device.type == "cuda" and self.step % _CUDA_STOP_STEPS:
            return False
        return bool(self._processes.all_reduce(torch.tensor([request.received], dtype=torch.float64)).item())

    def _train_step(self, batch: PairBatch) -> Loss:
        loss = self.loss(batch)
        self._optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        rate = self._learning_rate()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._updating = True
        self._optimizer.step()
        self._updating = False
        return loss

    def _learning_rate(self) -> float:
        return learning_rate(
            self.config.optimizer,
            self.step,
            total_steps=self.total_steps,
            steps_per_epoch=self._sampler.num_batches,
        )

    def loss(self, batch: PairBatch) -> Loss:
        """Return the loss of a batch on this process's device."""
        network, other = self.network, self._augmentation.draw_body()
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
        """Predict rotations (B, 24, 3, 3) with the current network in evaluation mode."""
        self.network.eval()
        rotations = self.network(*self.network.inputs_of(examples)).rotations
        self.network.train()
        return with_hands(rotations)

    def _report(self, means: Tensor, steps_per_second: float) -> None:
        """Log the loss since the last report, averaged over all processes."""
        means = self._processes.all_reduce(means.cpu().double()) / self._processes.count
        values = dict(zip(LOSS_NAMES, means.tolist(), strict=True))
        values["learning_rate"] = self._learning_rate()
        values["pairs_per_second"] = steps_per_second * self.config.training.batch_size
        self._log.metrics("train", self.step, values)
        self._log.info(
            f"step {self.step}/{self.total_steps} loss {values['total']:.4f} "
            f"(rotation {values['rotation']:.4f}, vertices {1000 * values['vertices']:.1f} mm, keypoints "
            f"{1000 * values['keypoints']:.1f} mm) {values['pairs_per_second']:.0f} pairs/s"
        )

    def _validate(self, epoch: int) -> None:
        table = evaluate(self.network, self._validation)
        self.metrics = {"epoch": epoch, "step": self.step, "table": table}
        mpve = mean_mpve(table, analytic=self.config.augment.analytic_start > 0.0)
        self._log.info(f"epoch {epoch}: mean MPVE {mpve:.2f} mm\n{table_text(table)}")
        self._write_metrics("validation", table)
        self._draw(self._validation)
        if mpve < self.best_mpve_mm:
            self.best_mpve_mm = mpve
            self._save(BEST_NAME)

    def _save(self, name: str, *, alone: bool = False) -> None:
        """Write a checkpoint with the random states of all processes, or if *alone*, only this one's."""
        state = random_state(self._processes.device)
        states = [state] if alone else self._processes.all_gather(state)
        if self._log.folder is None:
            return
        training = {
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "steps_per_epoch": self._sampler.num_batches,
            "total_steps": self.total_steps,
            "epochs_finished": self._epochs_finished,
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
