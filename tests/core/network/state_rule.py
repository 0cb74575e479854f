"""Network weights by the rule that the parity fixture was created with, and the shapes of the state dict."""

from __future__ import annotations

import numpy as np

UNITS = ((64, 64), (64, 64), (64, 64), (64, 128), (128, 128), (128, 128), (128, 256), (256, 256), (256, 256))


def _batch_norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    entries = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{entry}": (channels,) for entry in entries} | {f"{name}.num_batches_tracked": ()}


def _graph(name: str, channels_in: int, channels_out: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f"{name}.mask": (3, 25, 25)}
    for index in range(3):
        shapes[f"{name}.conv_list.{index}.weight"] = (channels_out, channels_in, 1, 1)
        shapes[f"{name}.conv_list.{index}.bias"] = (channels_out,)
    return shapes | _batch_norm(f"{name}.bn", channels_out)


def _time(name: str, channels_in: int, channels_out: int, taps: int) -> dict[str, tuple[int, ...]]:
    shapes = {f"{name}.conv.weight": (channels_out, channels_in, taps, 1), f"{name}.conv.bias": (channels_out,)}
    return shapes | _batch_norm(f"{name}.bn", channels_out)


def state_shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each entry of the state dict, by name."""
    shapes = _batch_norm("backbone.data_bn", 75)
    shapes |= _graph("backbone.gcn0", 3, 64) | _time("backbone.tcn0", 64, 64, 9)
    for index, (channels_in, channels_out) in enumerate(UNITS):
        unit = f"backbone.backbone.{index}"
        shapes |= _graph(f"{unit}.gcn1", channels_in, channels_out)
        shapes |= _time(f"{unit}.tcn1", channels_out, channels_out, 9)
        if channels_in != channels_out:
            shapes |= _time(f"{unit}.down1", channels_in, channels_out, 1)
    shapes |= {"linear.0.weight": (256, 335), "linear.0.bias": (256,)}
    shapes |= {"linear.2.weight": (5632, 256), "linear.2.bias": (5632,)}
    shapes |= {"regressor.layers.0.0.weight": (22, 256, 256), "regressor.layers.0.0.bias": (22, 256)}
    return shapes | {"regressor.layers.1.weight": (22, 6, 256), "regressor.layers.1.bias": (22, 6)}


def rule_state() -> dict[str, np.ndarray]:
    """Return the weights by the rule, float32."""
    draws = np.random.RandomState(0)
    state = {}
    for name, shape in sorted(state_shapes().items()):
        if name.endswith("num_batches_tracked"):
            state[name] = np.zeros(shape, dtype=np.int64)
        elif name.endswith(("running_var", "mask")):
            state[name] = draws.uniform(0.5, 1.5, shape).astype(np.float32)
        elif name.endswith(("running_mean", "bias")):
            state[name] = (0.1 * draws.standard_normal(shape)).astype(np.float32)
        elif len(shape) == 1:
            state[name] = draws.uniform(0.5, 1.5, shape).astype(np.float32)
        else:
            scale = np.sqrt(2.0 / np.prod(shape[1:]))
            state[name] = (draws.standard_normal(shape) * scale).astype(np.float32)
    return state
