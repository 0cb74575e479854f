"""What a motion's clean-up needs and its options do not change: found once. F frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..body.data import BodyData
from ..body.model import BodyModel, world_positions, world_rotations
from ..fit.report import Flag
from ..math.rotations import quat_wxyz_to_matrix
from ..motion import Motion
from ..smpl_skeleton import JOINT_INDEX, NUM_JOINTS
from .contacts import Contact, find_contacts, find_slow
from .feet import SIDES, Feet
from .ground import Ground, clear_slope, find_ground, first_guess, standing_places
from .lowest import lowest_heights
from .smoothing import CalmMotion, continuous_quats, smooth_motion
from .standing import Holds, plan_holds

_LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle", "foot")}


@dataclass(frozen=True, eq=False)
class CleanupSource:
    """A motion with what was found in it, for `clean_up`.

    Attributes:
        motion: the motion as it was.
        model: its body.
        feet: the legs and feet of its shape.
        quats: (F, 24, 4) its local rotations, w first, with signs that do not jump.
        calm: the motion calmed as much as its own noise calls for.
        calmer: the motion calmed as if it were noisy, whether it is or not.
        contacts: when heels and toes stand.
        ground: the floor that they stand on; None where they never do.
        holds: how the contacts hold their points; None without a floor.
    """

    motion: Motion
    model: BodyModel
    feet: Feet
    quats: np.ndarray
    calm: CalmMotion
    calmer: CalmMotion
    contacts: tuple[Contact, ...]
    ground: Ground | None
    holds: Holds | None

    @cached_property
    def lowest_height_m(self) -> float:
        """Height of the lowest vertex over all frames, metres."""
        return float(lowest_heights(self.motion, self.model).min())

    @property
    def floor_height_m(self) -> float:
        """Height of the floor below the middle of the way, metres."""
        middle = np.median(self.motion.trans, axis=0) + self.feet.rest[0]
        return float(self.floor.heights_at(middle))

    @property
    def floor(self) -> Ground:
        """The floor: where the feet stand, else the level below the whole clip's lowest vertex."""
        return self.ground or Ground(self.lowest_height_m, np.zeros(2))

    def lifted(self, height_m: float) -> CleanupSource:
        """Return what `analyse_motion` finds in the same motion *height_m* higher."""
        up = np.array([0.0, height_m, 0.0])
        ground, holds = self.ground, self.holds
        return replace(
            self,
            motion=replace(self.motion, trans=self.motion.trans + up),
            calm=replace(self.calm, trans=self.calm.trans + up),
            calmer=replace(self.calmer, trans=self.calmer.trans + up),
            ground=None if ground is None else replace(ground, height_m=ground.height_m + height_m),
            holds=None if holds is None else replace(holds, target=holds.target + up, floor=holds.floor + height_m),
        )


def analyse_motion(motion: Motion, body: BodyData | BodyModel, held: np.ndarray | None = None) -> CleanupSource:
    """Return *motion* with its contacts, floor and calmed curves found, for `clean_up`. The slow part.

    Args:
        motion: what to clean up.
        body: the body that its betas belong to.
        held: (F, 24) bool, joints that a fit held because nothing showed them, and whole frames in which nobody was
            seen (see `held_joints`): nothing is smoothed across those; None for none.

    Raises:
        ValueError: *held* has another shape.
    """
    model = body if isinstance(body, BodyModel) else BodyModel(body)
    gone = np.zeros((motion.num_frames, NUM_JOINTS), dtype=bool) if held is None else np.asarray(held, dtype=bool)
    if gone.shape != (motion.num_frames, NUM_JOINTS):
        raise ValueError(f"expected held ({motion.num_frames}, {NUM_JOINTS}), got {gone.shape}")
    quats = continuous_quats(motion.rotations())
    calm, calmer = smooth_motion(quats, motion.trans, gone, motion.fps)
    feet = Feet.of_body(model, motion.betas)
    rotations = quat_wxyz_to_matrix(calm.quats)
    points = feet.points(*feet.chain(rotations, calm.trans))
    contacts, slope = _contacts(points, feet, motion.fps, _guessed_points(gone))
    joints = world_positions(world_rotations(rotations), feet.rest) + calm.trans[:, None]
    ground = find_ground(contacts, points, feet.heights, joints, slope)
    holds = None if ground is None else plan_holds(contacts, points, feet.heights, ground, motion.fps)
    return CleanupSource(motion, model, feet, quats, calm, calmer, contacts, ground, holds)


def _guessed_points(held: np.ndarray) -> np.ndarray:
    """Return the contact points (F, 4) whose place hangs on a joint that is *held* (F, 24)."""
    chains = [[0, *(JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))] for side in SIDES]
    return np.repeat(np.stack([held[:, chain].any(axis=1) for chain in chains], axis=1), 2, axis=1)


def _contacts(
    points: np.ndarray, feet: Feet, fps: float, guessed: np.ndarray
) -> tuple[tuple[Contact, ...], np.ndarray]:
    """Return the contacts of *points* (F, 4, 3), some of them *guessed* (F, 4), and the floor's slope (2,).

    Where the points are slow tells of the floor, first its slope, then its height; what is near that stands.
    """
    slow = find_contacts(points, np.zeros(points.shape[:2]), fps, feet.leg_m, guessed)
    slope = np.zeros(2)
    if slow:
        which = np.array([contact.point for contact in slow])
        slope = clear_slope(standing_places(slow, points, feet.heights), which)
    heights = points[..., 1] - points[..., [0, 2]] @ slope - feet.heights
    level = first_guess(heights, find_slow(points, fps, feet.leg_m) & ~guessed)
    if level is None:
        return (), slope
    return find_contacts(points, heights - level, fps, feet.leg_m, guessed), slope


def held_joints(flags: Sequence[Flag], motion: Motion, track_fps: float) -> np.ndarray:
    """Return the joints (F, 24) bool that a fit's report says were held, and all in frames without the person.

    Args:
        flags: of the `FitReport`; frames are counted in the track.
        motion: what the fit returned, perhaps at another frame rate.
        track_fps: the track's frames a second.
    """
    frames = np.arange(motion.num_frames) * (track_fps / motion.fps)
    held = np.zeros((motion.num_frames, NUM_JOINTS), dtype=bool)
    for flag in flags:
        if flag.kind in ("held", "missing"):
            inside = (frames > flag.first - 1) & (frames < flag.last + 1)
            held[np.ix_(np.flatnonzero(inside), np.array(_joints_of(flag)))] = True
    return held


def _joints_of(flag: Flag) -> list[int]:
    """Return the joints that a held limb, or a missing person, is made of."""
    if flag.kind == "missing":
        return list(range(NUM_JOINTS))
    if flag.what == "head":
        return [JOINT_INDEX["neck"], JOINT_INDEX["head"]]
    side, limb = flag.what.split()
    return [JOINT_INDEX[f"{side}_{name}"] for name in _LIMBS[limb]]
