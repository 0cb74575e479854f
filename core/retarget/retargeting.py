"""Retarget a motion to a character, block by block. F frames, M moved bones.

The rotations of each frame follow from the source's by the rest alignment. The feet's goals are planned for the whole
clip, since a stance spans many frames; then every frame is solved for itself, so a long clip takes no more memory than
its result and a few numbers a frame.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..fit.solver.gauss_newton import blocks
from ..smpl_skeleton import SIDES
from .arms import solve_arms
from .body_skin import BodySkin, lowest
from .bone_map import BoneMap
from .feet import FootPath, lowest_point, plan_foot
from .fingers import HandMotion
from .floor import FloorPlan, FloorPlanner, Nearness, leaning
from .floor_contacts import touching
from .legs import in_reach, leg_gaps, over_feet, solve_legs
from .options import RetargetOptions
from .prepared import Prepared
from .report import Measurements, make_report
from .retargeted import RetargetedMotion
from .rig import Rig
from .root import carrier_path
from .source import RetargetSource
from .touch import FADE_S, FloorReach, Touch, find_touches
from .tree import Pose

_BLOCK_FRAMES = 512
_LIFTS, _LIFT_STEPS = 2, 3
_TOLERATED_LEGS = 0.001 / 0.8
"""Skin may sink this far below the floor, as a share of the leg's length."""
_UP = np.array([[0.0], [1.0], [0.0]])
_PLANNING = 0.2
"""Share of the time that the planning of the feet takes."""

OnProgress = Callable[[float], None]
"""Called with the completed fraction, 0 to 1; what it raises ends the retargeting."""


def retarget(
    source: RetargetSource,
    rig: Rig,
    bone_map: BoneMap,
    options: RetargetOptions | None = None,
    on_progress: OnProgress | None = None,
) -> RetargetedMotion:
    """Return the motion of *source* on the character *rig*.

    Args:
        source: the motion.
        rig: the character at rest.
        bone_map: its bones by role.
        options: settings; None for the defaults.
        on_progress: called with the completed fraction after each block.

    Raises:
        BoneMapError: *bone_map* does not fit the rig, or lacks a required bone.
        RigError: a limb has no length, or the bones do not hang together.
        RetargetOptionError: the rest pose of *options* does not fit the rig.
    """
    chosen = options or RetargetOptions()
    return _Retargeting(source, rig, bone_map, chosen).run(on_progress or (lambda fraction: None))


class _Retargeting:
    """One run: what all its blocks share."""

    def __init__(self, source: RetargetSource, rig: Rig, bone_map: BoneMap, options: RetargetOptions) -> None:
        """Measure the character."""
        self.source, self.options = source, options
        self.prepared = Prepared.of(source, rig, bone_map, options)
        self.character, self.outputs, self.step = self.prepared.character, self.prepared.outputs, self.prepared.step
        self.blocks = blocks(source.num_frames, _BLOCK_FRAMES)
        self.measured = Measurements.empty(source)
        self.skin = BodySkin.of(rig, self.character.tree)
        self.near = Nearness.empty(source.num_frames)

    def run(self, on_progress: OnProgress) -> RetargetedMotion:
        """Transfer, plan the feet and solve."""
        source, num_frames = self.source, self.source.num_frames
        feet = self._plan_feet(on_progress)
        floor = self._plan_floor(feet)
        rotations = np.empty((num_frames, len(self.outputs.bones), 3, 3))
        root = np.empty((num_frames, 3))
        for number, frames in enumerate(self.blocks):
            joints, hips = self._solve(frames, feet, floor)
            rotations[frames] = self.outputs.rotations(joints, source.level, frames, floor)
            root[frames] = hips.T @ source.level + source.floor_origin
            on_progress(_PLANNING + (1.0 - _PLANNING) * (number + 1) / len(self.blocks))
        carrier = None
        if self.options.root_motion != "hips":
            turns = rotations[:, 0] @ self.character.rig.axes[self.outputs.bones[0]].T
            carrier = carrier_path(root, turns, source.floor.heights_at(root), source.motion.fps)
        report = make_report(source, self.character, self.options, self.step, self.measured)
        return RetargetedMotion(
            self.character.rig, self.outputs.bones, rotations, root, source.motion.fps, report, carrier
        )

    def _plan_feet(self, on_progress: OnProgress) -> tuple[FootPath, ...]:
        """Return where both feet go in all frames."""
        tree, num_frames = self.character.tree, self.source.num_frames
        shapes = ((3, num_frames), (3, 3, num_frames), (3, 3, num_frames))
        paths = [FootPath(*(np.empty(shape) for shape in shapes)) for _ in SIDES]
        for number, frames in enumerate(self.blocks):
            pose, rotations, root = self.prepared.transferred(self.source, frames)
            positions = tree.positions(rotations, root)
            self.measured.add_source(frames, self.source, pose)
            self.near.add(frames, self.character, self.skin, pose, Pose(rotations, positions))
            for path, foot in zip(paths, self.character.feet, strict=True):
                path.ankle[:, frames] = positions[:, foot.ankle]
                path.foot[..., frames] = rotations[:, :, foot.ankle]
                path.toe[..., frames] = rotations[:, :, foot.ankle if foot.toe is None else foot.toe]
            on_progress(_PLANNING * (number + 1) / len(self.blocks))
        if self.options.feet == 0.0:
            return tuple(paths)
        contacts, drift = self.source.in_contact(), self.step * (self.source.level @ self.source.drift.T)
        return tuple(
            plan_foot(foot, path, contacts[:, 2 * number : 2 * number + 2], drift, self.options.feet)
            for number, (foot, path) in enumerate(zip(self.character.feet, paths, strict=True))
        )

    def _plan_floor(self, feet: tuple[FootPath, ...]) -> FloorPlan | None:
        """Return how the other parts of the body are put on the floor; None if they are not near it."""
        if self.options.feet == 0.0 or not self.near.looked_at.any():
            return None

        def posed(frames: slice, lift: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self._on_feet(frames, feet, lift, pitch)

        options = self.options
        planner = FloorPlanner(self.character, self.skin, self.source, self.near, posed, self.step, options.hands)
        return planner.plan(_BLOCK_FRAMES)

    def _solve(
        self, frames: slice, feet: tuple[FootPath, ...], floor: FloorPlan | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the joints' rotations (3, 3, N, F) and the root (3, F), both in the floor's axes."""
        character, options = self.character, self.options
        still = np.zeros(frames.stop - frames.start)
        lift, pitch = (still, still) if floor is None else (floor.lift[frames], floor.pitch[frames])
        rotations, root = self._on_feet(frames, feet, lift, pitch)
        touches: list[Touch | FloorReach] = [*self._touches(frames)]
        touches += [] if floor is None else floor.reaches(frames)
        tips = None if self._pointing is None else self._pointing.tip_points(frames)
        kept = solve_arms(character, rotations, root, touches, options.hands, tips)
        self.measured.add_touches(frames, character, kept)
        self.measured.add_feet(frames, character, character.tree.pose(rotations, root))
        return rotations, root

    def _on_feet(
        self, frames: slice, feet: tuple[FootPath, ...], lift: np.ndarray, pitch: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the transferred rotations (3, 3, N, F) and root (3, F), lifted and leant (F,), on its feet."""
        _, rotations, root = self.prepared.transferred(self.source, frames)
        strength = self.options.feet
        rotations, root = leaning(self.character, rotations, root + strength * lift * _UP, strength * pitch)
        if self.options.feet > 0.0:
            for foot, path in zip(self.character.feet, feet, strict=True):
                rotations[:, :, foot.ankle] = path.foot[..., frames]
                if foot.toe is not None:
                    rotations[:, :, foot.toe] = path.toe[..., frames]
            root = self._solve_legs(frames, rotations, root, feet, lift)
        return rotations, root

    def _solve_legs(
        self,
        frames: slice,
        rotations: np.ndarray,
        root: np.ndarray,
        feet: tuple[FootPath, ...],
        lift: np.ndarray,
    ) -> np.ndarray:
        """Bring the ankles to their goals, and lift those whose skin still reaches below the floor.

        The goals account for the skin that moves with the foot; part of it also moves with the shin.
        """
        character = self.character
        goals = [path.ankle[:, frames] for path in feet]
        planned = [
            np.minimum(goal[1] + lowest_point(foot, path.foot[..., frames], path.toe[..., frames]), 0.0)
            for goal, foot, path in zip(goals, character.feet, feet, strict=True)
        ]
        lying = touching(self.near.body[frames]) > 0.0
        held = self.near.held(frames, lift, character.leg_m)
        root = over_feet(character, rotations, root, goals, held * self.near.propped(frames))
        goals = in_reach(character, rotations, root, goals, held)
        root = solve_legs(character, rotations, root, goals, held=held)
        for _ in range(_LIFTS):
            pose = character.tree.pose(rotations, root)
            lifts = [
                np.maximum(
                    np.maximum(level - foot.support.lowest(pose), np.where(lying, -lowest(shin, pose), 0.0)), 0.0
                )
                for level, foot, shin in zip(planned, character.feet, self.skin.shins, strict=True)
            ]
            if max(lift.max() for lift in lifts) < _TOLERATED_LEGS * character.leg_m:
                break
            goals = [goal + lift * _UP for goal, lift in zip(goals, lifts, strict=True)]
            goals = in_reach(character, rotations, root, goals, held)
            root = solve_legs(character, rotations, root, goals, _LIFT_STEPS, held)
        self.measured.leg_gaps[frames] = leg_gaps(character, character.tree.pose(rotations, root), goals)
        return root

    def _touches(self, frames: slice) -> list[Touch]:
        """Return the touches of the source in *frames*."""
        source = self.source
        fade = round(FADE_S * source.motion.fps)
        first, end = max(frames.start - fade, 0), min(frames.stop + fade, source.num_frames)
        inner = slice(frames.start - first, frames.stop - first)
        whole, names = slice(first, end), set(self.character.parts)
        tips = None if self._pointing is None else self._pointing.source_tip_points(whole)
        return find_touches(source.parts, source.pose(whole), names, fade, inner, tips)

    @property
    def _pointing(self) -> HandMotion | None:
        """The fingers of the character if they follow fingers that move, whose tips may touch; else None."""
        fingers = self.outputs.fingers
        return fingers if fingers is not None and fingers.source.moves else None
