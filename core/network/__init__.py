"""The residual network: predicts the next pose from a pose and the next keypoints. Inference on NumPy or torch."""

from __future__ import annotations

from .graph import NetworkError
from .residual import ResidualNetwork
from .weights import NetworkInfo, NetworkWeights, read_weights, write_weights

__all__ = ["NetworkError", "NetworkInfo", "NetworkWeights", "ResidualNetwork", "read_weights", "write_weights"]
