"""Sizes of the residual network and of its folded weights. V graph nodes, C channels."""

from __future__ import annotations

from dataclasses import dataclass

from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .graph import NUM_NODES

ARCHITECTURE = "residual_st_gcn"
"""The published network's name in a weights file."""

NUM_FRAMES = 2
NUM_BETAS = 10
NUM_POSE_FEATURES = 69
NUM_GRAPHS = 3
KERNEL_TAPS = 9
CHANNELS = 256
NUM_FEATURES = CHANNELS + NUM_POSE_FEATURES + NUM_BETAS
ROT6D = 6
FIRST_CHANNELS = 64
BATCH_NORM_EPSILON = 1e-5

UNITS: tuple[tuple[int, int, int], ...] = (
    (64, 64, 1), (64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 128, 1), (128, 256, 2), (256, 256, 1),
    (256, 256, 1),
)  # fmt: skip
"""(input channels, output channels, temporal stride) of the units after the first pair of convolutions."""


@dataclass(frozen=True)
class Layer:
    """One unit: a graph convolution followed by a temporal convolution.

    Attributes:
        prefix: prefix of its names in the folded weights.
        graph_name: name of its graph convolution in the state dict.
        time_name: name of its temporal convolution in the state dict.
        down_name: name of its shortcut's convolution in the state dict, or "".
        channels_in: input channels.
        channels_out: output channels.
        frames_in: input frames: 2, or 1 after they are merged.
        frames_out: output frames.
        shortcut: whether the input is added to the output.
    """

    prefix: str
    graph_name: str
    time_name: str
    down_name: str
    channels_in: int
    channels_out: int
    frames_in: int
    frames_out: int
    shortcut: bool

    def folded_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each of its folded arrays."""
        shapes = {
            "spread": (NUM_GRAPHS, NUM_NODES, NUM_NODES),
            "mix": (NUM_GRAPHS, self.channels_in, self.channels_out),
            "mix_bias": (self.channels_out,),
            "time": (self.frames_in * self.channels_out, self.frames_out * self.channels_out),
            "time_bias": (self.frames_out * self.channels_out,),
        }
        if self.down_name:
            shapes["down"] = (self.channels_in, self.channels_out)
            shapes["down_bias"] = (self.channels_out,)
        return {f"{self.prefix}.{name}": shape for name, shape in shapes.items()}


def _layers() -> tuple[Layer, ...]:
    first = FIRST_CHANNELS
    layers = [Layer("layer0", "backbone.gcn0", "backbone.tcn0", "", 3, first, NUM_FRAMES, NUM_FRAMES, False)]
    frames = NUM_FRAMES
    for index, (channels_in, channels_out, stride) in enumerate(UNITS):
        unit = f"backbone.backbone.{index}"
        after = -(-frames // stride)
        down = f"{unit}.down1" if channels_in != channels_out or stride != 1 else ""
        names = (f"layer{index + 1}", f"{unit}.gcn1", f"{unit}.tcn1", down)
        layers.append(Layer(*names, channels_in, channels_out, frames, after, True))
        frames = after
    return tuple(layers)


LAYERS = _layers()
"""The first pair of convolutions and the nine units."""

FOLDED_SHAPES: dict[str, tuple[int, ...]] = {
    "input_scale": (NUM_NODES, 3),
    "input_offset": (NUM_NODES, 3),
    **{name: shape for layer in LAYERS for name, shape in layer.folded_shapes().items()},
    "features": (NUM_FEATURES, CHANNELS),
    "features_bias": (CHANNELS,),
    "joints": (CHANNELS, NUM_BODY_ROTATIONS * CHANNELS),
    "joints_bias": (NUM_BODY_ROTATIONS * CHANNELS,),
    "turns": (NUM_BODY_ROTATIONS, CHANNELS, ROT6D),
    "turns_bias": (NUM_BODY_ROTATIONS, 1, ROT6D),
}
"""Shape of each folded array."""
