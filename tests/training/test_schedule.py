"""The learning rate of each step, by hand and against PyTorch's own cosine."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from training.config import OptimizerConfig  # noqa: E402
from training.run.schedule import learning_rate  # noqa: E402


def rates(config: OptimizerConfig, steps: int = 20, steps_per_epoch: int = 5) -> list[float]:
    return [learning_rate(config, step, total_steps=steps, steps_per_epoch=steps_per_epoch) for step in range(steps)]


def test_cosine_is_torchs_own() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], lr=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=1e-6)
    expected = []
    for _ in range(20):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates(OptimizerConfig()) == pytest.approx(expected, rel=1e-9)


def test_steps_fall_at_the_milestones_and_warmup_rises_to_the_first_rate() -> None:
    found = rates(OptimizerConfig(schedule="steps", learning_rate=1.0, milestones=(1, 3), warmup_steps=4))
    assert found[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert found[5:15] == pytest.approx([0.1] * 10) and found[15:] == pytest.approx([0.01] * 5)
    assert set(rates(OptimizerConfig(schedule="constant", learning_rate=0.5))) == {0.5}
