"""The fit of a recorded track's fingers as if it came in live, after that of its body. H hands, F frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...body.data import BodyData
from ...fingers import RELAXED_HANDS
from ...math.rotations import matrix_to_axis_angle
from ...motion import Motion
from ...smpl_skeleton import SMPLH
from ...track import KeypointTrack
from ..hands.fit import HandFit, hand_flags
from .live_hands import HandStream


def fit_hands_live(
    track: KeypointTrack,
    motion: Motion,
    body: BodyData,
    *,
    smoothing: float = 1.0,
    unseen: np.ndarray = RELAXED_HANDS,
) -> HandFit:
    """Return *motion* with fingers fitted frame by frame; arguments as for `core.fit.hands.fit.fit_hands`."""
    stream = HandStream(track.layout, track.fps, body, smoothing=smoothing, unseen=unseen)
    rotations = motion.rotations()
    poses = [
        stream.push_on(
            track.positions[frame], track.confidence[frame], rotations[frame], motion.trans[frame], motion.betas
        )
        for frame in range(track.num_frames)
    ]
    turned = matrix_to_axis_angle(np.stack([pose.rotations for pose in poses])).reshape(len(poses), -1)
    seen, implausible = (np.stack([getattr(pose, name) for pose in poses]).T for name in ("seen", "implausible"))
    flags = hand_flags(~seen, implausible, np.array([pose.swapped for pose in poses]))
    return HandFit(replace(motion, poses=turned, skeleton=SMPLH), flags)
