"""Analysis of a motion for its clean-up: all that does not depend on the options, computed once. F frames, J joints."""

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
from ..skeleton import LEFT_HAND, RIGHT_HAND, Skeleton
from ..smpl_skeleton import SIDES
from .contacts import Contact, find_contacts, find_slow
from .feet import Feet
from .ground import Ground, clear_slope, contact_floor_points, find_ground, first_guess
from .lowest import lowest_heights
from .smoothing import CalmMotion, continuous_quats, smooth_motion
from .standing import Holds, plan_holds

_LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle", "foot")}


@dataclass(frozen=True, eq=False)
class CleanupSource:
    """A motion and its analysis, the input of `clean_up`.

    Attributes:
        motion: the original motion.
        model: its body.
        feet: the legs and feet of its shape.
        quats: (F, J, 4) its local rotations, w first, with signs that are continuous over time.
        calm: the motion smoothed according to its own noise.
        calmer: the motion smoothed as if it were noisy, whether it is or not.
        contacts: the foot contacts.
        ground: the floor under the contacts; None if there is none.
        holds: where the contacts hold their points; None without a floor.
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
        """Height of the floor below the median position of the pelvis, metres."""
        middle = np.median(self.motion.trans, axis=0) + self.feet.rest[0]
        return float(self.floor.heights_at(middle))

    @property
    def floor(self) -> Ground:
        """The floor under the feet, or the level of the clip's lowest vertex if the feet show none."""
        return self.ground or Ground(self.lowest_height_m, np.zeros(2))

    def lifted(self, height_m: float) -> CleanupSource:
        """Return the analysis of the same motion raised by *height_m*."""
        up = np.array([0.0, height_m, 0.0])
        ground, holds = self.ground, self.holds
        if ground is not None:
            ground = replace(ground, height_m=ground.height_m + height_m)
            holds = None if holds is None else replace(holds, target=holds.target + up, ground=ground)
        return replace(
            self,
            motion=replace(self.motion, trans=self.motion.trans + up),
            calm=replace(self.calm, trans=self.calm.trans + up),
            calmer=replace(self.calmer, trans=self.calmer.trans + up),
            ground=ground,
            holds=holds,
        )


def analyse_motion(motion: Motion, body: BodyData | BodyModel, held: np.ndarray | None = None) -> CleanupSource:
    """Find the contacts, the floor and the smoothed curves of *motion* for `clean_up`. This is the slow part.

    Args:
        motion: the motion to clean up.
        body: the body that its betas belong to.
        held: (F, J) bool, joints that the fit held because no keypoint showed them, and all joints in frames in which
            the person was not seen (see `held_joints`). Nothing is smoothed across them. None if there are none.

    Raises:
        SkeletonError: motion and body have different skeletons.
        ValueError: *held* has the wrong shape.
    """
    model = body if isinstance(body, BodyModel) else BodyModel(body)
    skeleton = model.skeleton
    skeleton.check_same(motion.skeleton, of="the motion", as_in=f"body {model.data.name!r}")
    shape = motion.num_frames, skeleton.num_joints
    is_held = np.zeros(shape, dtype=bool) if held is None else np.asarray(held, dtype=bool)
    if is_held.shape != shape:
        raise ValueError(f"expected held {shape}, got {is_held.shape}")
    quats = continuous_quats(motion.rotations())
    calm, calmer = smooth_motion(quats, motion.trans, is_held, motion.fps, skeleton)
    feet = Feet.of_body(model, motion.betas)
    rotations = quat_wxyz_to_matrix(calm.quats)
    points = feet.points(*feet.chain(rotations, calm.trans))
    joints = world_positions(world_rotations(rotations, skeleton), feet.rest, skeleton) + calm.trans[:, None]
    contacts, ground = find_floor(points, joints, feet, motion.fps, _unobserved_points(is_held, feet))
    holds = None if ground is None else plan_holds(contacts, points, feet.heights, ground, motion.fps)
    return CleanupSource(motion, model, feet, quats, calm, calmer, contacts, ground, holds)


def find_floor(
    points: np.ndarray, joints: np.ndarray, feet: Feet, fps: float, unobserved: np.ndarray
) -> tuple[tuple[Contact, ...], Ground | None]:
    """Return the foot contacts, and the floor under them; None if there is none.

    Args:
        points: (F, 4, 3) the contact points of *feet*, metres.
        joints: (F, J, 3) all joints.
        feet: the feet of the body.
        fps: frames per second.
        unobserved: (F, 4) bool, points that are not known.
    """
    contacts, slope = _find_floor_contacts(points, feet, fps, unobserved)
    return contacts, find_ground(contacts, points, feet.heights, joints, slope)


def _unobserved_points(held: np.ndarray, feet: Feet) -> np.ndarray:
    """Return a mask (F, 4) of the contact points whose position depends on a joint that is *held* (F, J)."""
    chains = [[0, *(feet.joint(side, name) for name in ("hip", "knee", "ankle"))] for side in SIDES]
    return np.repeat(np.stack([held[:, chain].any(axis=1) for chain in chains], axis=1), 2, axis=1)


def _find_floor_contacts(
    points: np.ndarray, feet: Feet, fps: float, unobserved: np.ndarray
) -> tuple[tuple[Contact, ...], np.ndarray]:
    """Return the contacts of *points* (F, 4, 3) and the slope (2,) of the floor; the mask *unobserved* is (F, 4).

    Slow points give first the slope of the floor, then its height; slow points near the floor are contacts.
    """
    slow = find_contacts(points, np.zeros(points.shape[:2]), fps, feet.leg_m, unobserved)
    slope = np.zeros(2)
    if slow:
        point_of_contact = np.array([contact.point for contact in slow])
        slope = clear_slope(contact_floor_points(slow, points, feet.heights), point_of_contact)
    heights = points[..., 1] - points[..., [0, 2]] @ slope - feet.heights
    level = first_guess(heights, find_slow(points, fps, feet.leg_m) & ~unobserved)
    if level is None:
        return (), slope
    return find_contacts(points, heights - level, fps, feet.leg_m, unobserved), slope


def held_joints(flags: Sequence[Flag], motion: Motion, track_fps: float) -> np.ndarray:
    """Return a mask (F, J) of the joints that the fit held, and of all joints in frames without the person.

    Args:
        flags: the flags of the `FitReport`, in frames of the track.
        motion: the fitted motion; its frame rate may differ from the track's.
        track_fps: frame rate of the track.
    """
    frames = np.arange(motion.num_frames) * (track_fps / motion.fps)
    held = np.zeros((motion.num_frames, motion.skeleton.num_joints), dtype=bool)
    for flag in flags:
        if flag.kind in ("held", "missing"):
            inside = (frames > flag.first - 1) & (frames < flag.last + 1)
            held[np.ix_(np.flatnonzero(inside), np.array(_joints_of(flag, motion.skeleton)))] = True
    return held


def _joints_of(flag: Flag, skeleton: Skeleton) -> list[int]:
    """Return the joints of a held limb, or all joints for a missing person."""
    if flag.kind == "missing":
        return list(range(skeleton.num_joints))
    if flag.what == "head":
        return [skeleton.index("neck"), skeleton.index("head")]
    side, limb = flag.what.split()
    if limb == "hand":
        return list(skeleton.joints_of(LEFT_HAND if side == "left" else RIGHT_HAND))
    return [skeleton.index(f"{side}_{name}") for name in _LIMBS[limb]]
