"""Which parts of the source's body besides the feet are on the floor. F frames; the floor is at height 0.

Heights are those of joints above the floor, less the thickness of a person's flesh there. They only say what touches:
where the character then lies follows from its own skin.
"""

from __future__ import annotations

import numpy as np

from ..math.smoothstep import smoothstep
from ..smpl_skeleton import JOINT_INDEX, SIDES
from .tree import Pose

_BODY_M = {
    "pelvis": 0.09, "hip": 0.08, "knee": 0.06, "spine2": 0.10, "spine3": 0.11, "neck": 0.09, "head": 0.10,
    "shoulder": 0.08, "elbow": 0.045,
}  # fmt: skip
_HAND_M = {"wrist": 0.05, "hand": 0.045}
"""Height of joints of the free body above the floor that they rest on."""
_ON_FLOOR_M, _FADING_M = 0.05, 0.12
"""A part nearer to the floor than the first touches it; from there the touch fades over the second."""
_CLOSE_M = (0.24, 0.30)
"""A body whose lowest part but hands and feet is below the first is down on the floor; above the second it stands."""
_LEAST_HEIGHT_M = 0.05
"""Up to this height a part that touches lies on the floor."""
FADE_S = 0.12
"""Time over which touches are smoothed."""


def body_heights(pose: Pose) -> np.ndarray:
    """Return the height (F,) of the lowest part of trunk, head, thighs and elbows above the floor, metres."""
    return _heights(pose, _BODY_M, ("", *(f"{side}_" for side in SIDES)))


def hand_heights(pose: Pose) -> np.ndarray:
    """Return the heights (2, F) of the hands above the floor, metres."""
    return np.stack([_heights(pose, _HAND_M, (f"{side}_",)) for side in SIDES])


def touching(height: np.ndarray) -> np.ndarray:
    """Return how surely parts at these *height* (...) touch the floor, from 0 to 1."""
    return _falling(height, _ON_FLOOR_M, _ON_FLOOR_M + _FADING_M)


def closeness(height: np.ndarray) -> np.ndarray:
    """Return how surely a body whose lowest part is at this *height* (...) is down on the floor, from 0 to 1."""
    return _falling(height, *_CLOSE_M)


def _falling(height: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 1 below *low*, 0 above *high*, and a smooth passage between them."""
    return 1.0 - smoothstep((height - low) / (high - low))


def resting_height(height: np.ndarray) -> np.ndarray:
    """Return the height (...) at which parts at this *height* should be, so that what touches lies on the floor."""
    found: np.ndarray = np.maximum(height - _LEAST_HEIGHT_M, 0.0)
    return found


def _heights(pose: Pose, parts: dict[str, float], prefixes: tuple[str, ...]) -> np.ndarray:
    names = [(f"{prefix}{name}", flesh) for name, flesh in parts.items() for prefix in prefixes]
    found = [pose.positions[1, JOINT_INDEX[name]] - flesh for name, flesh in names if name in JOINT_INDEX]
    nearest: np.ndarray = np.min(found, axis=0)
    return nearest
