"""Write a checkpoint in the published format for tests."""

from __future__ import annotations

import torch

from tests.core.network.state_rule import rule_state


def published_checkpoint(path, *, prefix="", change=()):
    """Write a published-format checkpoint: weights by the rule, optimizer and scheduler of a short training."""
    state = {f"{prefix}{name}": torch.tensor(array) for name, array in (rule_state() | dict(change)).items()}
    state[f"{prefix}openpose_regressor"] = torch.rand(25, 6890)
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-4, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, 1e-6)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    scheduler.step()
    held = {"model": state, "epochs": 99, "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    torch.save(held, path)
    return path
