"""The forward pass of the folded network, for NumPy arrays and torch tensors.

B batch, T frames, V graph nodes, P nodes with children, C channels. Features are (V, B, T, C), so that spreading over
the graph is one matrix product from the left, and mixing channels and the temporal convolution are products from the
right, without copies in between.

A graph convolution mixes channels once per adjacency, which is nearly all of its cost. Only the P nodes with children
send features inward (to their children) or take features outward (from them), so these two mix P nodes, not V.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.arrays import Array, namespace, to_numpy
from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .architecture import CHANNELS, LAYERS, Layer
from .graph import NUM_NODES

_OWN, _INWARD, _OUTWARD = range(3)


def _relu(values: Array) -> Array:
    """Apply ReLU to *values* in place, and return them; the caller must own them."""
    if isinstance(values, np.ndarray):
        return np.maximum(values, 0.0, out=values)
    return values.clamp_(min=0.0)


def _affine(values: Array, matrix: Array, bias: Array) -> Array:
    """Return ``values @ matrix + bias`` for rows (N, C) as a new array; one kernel on torch."""
    if isinstance(values, np.ndarray):
        result: Array = values @ matrix
        result += bias
        return result
    import torch

    return torch.addmm(bias, values, matrix)


def _add_product(total: Array, left: Array, right: Array) -> None:
    """Add ``left @ right`` to *total* in place; the caller must own it; one kernel on torch."""
    if isinstance(total, np.ndarray):
        total += left @ right
    else:
        total.addmm_(left, right)


def _dense_relu(values: Array, matrix: Array, bias: Array) -> Array:
    """Return ``max(values @ matrix + bias, 0)`` for rows (N, C)."""
    return _relu(_affine(values, matrix, bias))


def _node_order(weights: Mapping[str, np.ndarray]) -> tuple[list[int], int]:
    """Return the nodes, those with children first, and the number of those."""
    spreads = np.stack([weights[f"{layer.prefix}.spread"] for layer in LAYERS])
    has_children = (spreads[:, _INWARD] != 0).any(axis=(0, 2)) | (spreads[:, _OUTWARD] != 0).any(axis=(0, 1))
    return [*np.flatnonzero(has_children).tolist(), *np.flatnonzero(~has_children).tolist()], int(has_children.sum())


def _arrange(weights: Mapping[str, np.ndarray], order: list[int], num_parents: int) -> dict[str, np.ndarray]:
    """Return the arrays of the forward pass: the folded weights in the order of the nodes."""
    arrays = dict(weights)
    arrays["order"] = np.array(order)
    for name in ("input_scale", "input_offset"):
        arrays[name] = weights[name][order][:, None, None]
    for layer in LAYERS:
        spread = arrays.pop(f"{layer.prefix}.spread")[:, order][:, :, order]
        arrays[f"{layer.prefix}.own"] = np.diagonal(spread[_OWN])[:, None, None, None]
        arrays[f"{layer.prefix}.send"] = spread[_INWARD, :num_parents].T
        arrays[f"{layer.prefix}.take"] = spread[_OUTWARD, :, :num_parents].T
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def to_device_array(values: Array, device: str, dtype: np.dtype) -> Array:
    """Return *values* as an array of *dtype* on *device*, without a copy if they already are.

    Args:
        values: a NumPy array or a torch tensor.
        device: "numpy" or a torch device.
        dtype: the wanted type.
    """
    if device == "numpy":
        return np.ascontiguousarray(to_numpy(values), dtype=dtype)
    import torch

    if isinstance(values, np.ndarray) and not values.flags.writeable:
        values = values.copy()
    return torch.as_tensor(values, dtype=getattr(torch, dtype.name), device=device)


class FoldedNetwork:
    """The folded weights on a device, and their forward pass."""

    def __init__(
        self, weights: Mapping[str, np.ndarray], *, device: str = "numpy", dtype: type[np.floating] = np.float32
    ) -> None:
        """Copy the folded weights to *device*.

        Args:
            weights: by name, as `folding.fold` returns them.
            device: "numpy" or a torch device.
            dtype: the floating type to compute in.
        """
        order, self._num_parents = _node_order(weights)
        self._arrays: dict[str, Array] = {}
        for name, array in _arrange(weights, order, self._num_parents).items():
            self._arrays[name] = to_device_array(array, device, np.dtype(np.int64 if name == "order" else dtype))

    def residual(self, points: Array, pose_features: Array, betas: Array) -> Array:
        """Return the residual rotations as 6D rotations (B, 22, 6).

        Args:
            points: (B, 2, 25, 3) start and target keypoints in the human-centred frame.
            pose_features: (B, 69) from `frame.start_pose_features`.
            betas: (B, 10).
        """
        xp = namespace(points)
        weights = self._arrays
        features = xp.concat([self.backbone(points), pose_features, betas], axis=-1)
        features = _dense_relu(features, weights["features"], weights["features_bias"])
        joints = _dense_relu(features, weights["joints"], weights["joints_bias"])
        joints = xp.reshape(joints, (points.shape[0], NUM_BODY_ROTATIONS, CHANNELS))
        turns = xp.permute_dims(joints, (1, 0, 2)) @ weights["turns"] + weights["turns_bias"]
        return xp.permute_dims(turns, (1, 0, 2))

    def backbone(self, points: Array) -> Array:
        """Return the features (B, 256) of *points* (B, 2, 25, 3) in the human-centred frame."""
        xp = namespace(points)
        nodes = xp.take(xp.permute_dims(points, (2, 0, 1, 3)), self._arrays["order"], axis=0)
        features = nodes * self._arrays["input_scale"] + self._arrays["input_offset"]
        for layer in LAYERS:
            features = self._layer(layer, features)
        return xp.mean(features[:, :, 0], axis=0)

    def _layer(self, layer: Layer, features: Array) -> Array:
        """Return the output (V, B, T out, C out) of a layer for *features* (V, B, T in, C in)."""
        xp = namespace(features)
        arrays, name = self._arrays, layer.prefix
        batch = features.shape[1]
        mixed = self._graph_convolution(layer, features)
        rows = xp.reshape(mixed, (NUM_NODES * batch, layer.frames_in * layer.channels_out))
        result = _dense_relu(rows, arrays[f"{name}.time"], arrays[f"{name}.time_bias"])
        result = xp.reshape(result, (NUM_NODES, batch, layer.frames_out, layer.channels_out))
        if layer.down_name:
            rows = xp.reshape(features[:, :, : layer.frames_out], (-1, layer.channels_in))
            down = _dense_relu(rows, arrays[f"{name}.down"], arrays[f"{name}.down_bias"])
            result += xp.reshape(down, result.shape)
        elif layer.shortcut:
            result += features
        return result

    def _graph_convolution(self, layer: Layer, features: Array) -> Array:
        """Return the graph convolution (V * B * T in, C out) of *features* (V, B, T in, C in)."""
        xp = namespace(features)
        arrays, name, num_parents = self._arrays, layer.prefix, self._num_parents
        mix = arrays[f"{name}.mix"]
        own = xp.reshape(features * arrays[f"{name}.own"], (-1, layer.channels_in))
        mixed = _affine(own, mix[_OWN], arrays[f"{name}.mix_bias"])
        sent = xp.reshape(features[:num_parents], (-1, layer.channels_in)) @ mix[_INWARD]
        by_node = xp.reshape(mixed, (NUM_NODES, -1))  # a view of mixed, which is contiguous
        _add_product(by_node, arrays[f"{name}.send"], xp.reshape(sent, (num_parents, -1)))
        taken = arrays[f"{name}.take"] @ xp.reshape(features, (NUM_NODES, -1))
        taken = xp.reshape(taken, (-1, layer.channels_in))
        _add_product(mixed[: taken.shape[0]], taken, mix[_OUTWARD])
        return _relu(mixed)
