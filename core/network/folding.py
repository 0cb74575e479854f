"""Fold the trained network's state dict into the matrices that inference needs. V graph nodes, C channels.

Folding is exact. Batch norms become part of the preceding convolution; masks are multiplied into the adjacency; two
frames use at most three of a kernel's nine taps, and one frame uses one, so the others are dropped; the two consecutive
linear layers before the joints' first ReLU are merged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .architecture import BATCH_NORM_EPSILON, CHANNELS, FOLDED_SHAPES, LAYERS, NUM_GRAPHS, Layer
from .graph import NUM_NODES, NetworkError, adjacency

State = Mapping[str, np.ndarray]


def _batch_norm(state: State, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and offset (C,) of a batch norm in evaluation mode."""
    scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + BATCH_NORM_EPSILON)
    return scale, state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale


def _graph_convolution(state: State, name: str, graph: str) -> dict[str, np.ndarray]:
    spread = adjacency(graph) * state[f"{name}.mask"]
    scale, offset = _batch_norm(state, f"{name}.bn")
    kernels = [state[f"{name}.conv_list.{index}.weight"][:, :, 0, 0].T for index in range(NUM_GRAPHS)]
    bias = sum(state[f"{name}.conv_list.{index}.bias"] for index in range(NUM_GRAPHS))
    return {
        "spread": spread,
        "mix": np.stack(kernels) * scale,
        "mix_bias": bias * scale + offset,
    }


def _time_convolution(state: State, layer: Layer) -> dict[str, np.ndarray]:
    """Return the used taps as one matrix from all input frames to all output frames."""
    scale, offset = _batch_norm(state, f"{layer.time_name}.bn")
    kernel = state[f"{layer.time_name}.conv.weight"][..., 0] * scale[:, None, None]
    middle = kernel.shape[2] // 2
    blocks = [
        [kernel[:, :, middle + before - after].T for after in range(layer.frames_out)]
        for before in range(layer.frames_in)
    ]
    bias = state[f"{layer.time_name}.conv.bias"] * scale + offset
    return {"time": np.block(blocks), "time_bias": np.tile(bias, layer.frames_out)}


def _shortcut(state: State, name: str) -> dict[str, np.ndarray]:
    scale, offset = _batch_norm(state, f"{name}.bn")
    kernel = state[f"{name}.conv.weight"][:, :, 0, 0].T
    return {"down": kernel * scale, "down_bias": state[f"{name}.conv.bias"] * scale + offset}


def _head(state: State) -> dict[str, np.ndarray]:
    joints = state["linear.2.weight"].reshape(NUM_BODY_ROTATIONS, CHANNELS, CHANNELS)
    joints_bias = state["linear.2.bias"].reshape(NUM_BODY_ROTATIONS, CHANNELS, 1)
    first = state["regressor.layers.0.0.weight"]
    merged = first @ joints
    merged_bias = (first @ joints_bias)[..., 0] + state["regressor.layers.0.0.bias"]
    return {
        "features": state["linear.0.weight"].T,
        "features_bias": state["linear.0.bias"],
        "joints": merged.reshape(-1, CHANNELS).T,
        "joints_bias": merged_bias.reshape(-1),
        "turns": state["regressor.layers.1.weight"].swapaxes(1, 2),
        "turns_bias": state["regressor.layers.1.bias"][:, None],
    }


def fold(state: State, graph: str) -> dict[str, np.ndarray]:
    """Return the folded weights, float64, by the names of `architecture.FOLDED_SHAPES`.

    Args:
        state: the torch module's state dict as NumPy arrays, names without prefix.
        graph: the skeleton graph that the weights were trained with.

    Raises:
        GraphError: no graph has that name.
        NetworkError: names or shapes do not match the network.
    """
    wide = {name: np.asarray(array, dtype=np.float64) for name, array in state.items()}
    folded: dict[str, np.ndarray] = {}
    try:
        scale, offset = _batch_norm(wide, "backbone.data_bn")
        folded["input_scale"] = scale.reshape(NUM_NODES, -1)
        folded["input_offset"] = offset.reshape(NUM_NODES, -1)
        for layer in LAYERS:
            parts = _graph_convolution(wide, layer.graph_name, graph) | _time_convolution(wide, layer)
            if layer.down_name:
                parts |= _shortcut(wide, layer.down_name)
            folded |= {f"{layer.prefix}.{name}": array for name, array in parts.items()}
        folded |= _head(wide)
    except KeyError as fault:
        raise NetworkError(
            f"expected the state dict of the residual network, found no {fault.args[0]!r} in it; give the 'model' part "
            "of a checkpoint"
        ) from fault
    except (IndexError, ValueError) as fault:
        raise NetworkError(
            f"expected the shapes of the residual network, found others ({str(fault)[:120]}); give its state dict"
        ) from fault
    return {name: np.ascontiguousarray(folded[name]) for name in FOLDED_SHAPES}
