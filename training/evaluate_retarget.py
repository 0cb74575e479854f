"""Measure retargeting to characters beside a plain retarget, and print a table.

    python -m training.evaluate_retarget RIG_FOLDER MOTION_FOLDER [--rigs m2m ...] [--clips 07_01 ...] [--frames N]
    python -m training.evaluate_retarget RIG_FOLDER --floor

--live also measures ours frame by frame; --blender also applies the first clip to each character in Blender.

RIG_FOLDER contains characters as .blend, .fbx, .glb, .gltf or .vrm, which need Blender as a module, or as .npz
(`core.retarget.rig_file`), and optional bone maps NAME.json (`BoneMap.to_json`); without one, the bones are mapped
automatically. Unusable characters are reported and left out, and the exit code is 1. MOTION_FOLDER contains clips in
AMASS layout, Y up, on the free body; --floor adds generated motions on the floor (`training.samples.floor_motion`). The
plain retarget is the usual rule of add-ons, reimplemented: each bone gets the source's world rotation since rest, on
its own rest pose in the file; the hips bone follows the pelvis, scaled by its height above the lowest mapped bone.

Lengths are millimetres on a character scaled to a leg of 0.80 m. Directions: mean angle between a limb and the source's
in frames without a touch. Slide: extent of a heel's or ball's positions on the floor in a contact. Lowest: the lowest
vertex of the whole skin in a clip, for characters with a leg of at least 0.50 m; depth: distance of the lowest vertex
below the floor, mean over frames. Touches: position error of the hand in frames in which its target is in reach.
Acceleration: mean second difference of wrists and ankles, relative to the source's scaled by the height of the hips.
Bones: share of the right ones that are certain by names, and found with names that say nothing; without a bone map,
those that are used count as right. Blender: see `blender_addon.character.measuring`; times are for 1000 frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.amass import read_motion
from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.cli.exit_codes import EXIT_FAILED, exit_code_of
from core.errors import InputMissingError
from core.io.own_files import OVERWRITE_HELP
from core.math.frames_last import matrices_last
from core.motion import Motion
from core.retarget.alignment import LIMBS, SOURCE_JOINTS
from core.retarget.arms import solve_arms
from core.retarget.bone_map import BoneMap
from core.retarget.character import Character
from core.retarget.live import LiveRetargeting
from core.retarget.options import RetargetOptions
from core.retarget.report import TOUCHES_FROM
from core.retarget.retargeted import RetargetedMotion, RetargetReport
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig
from core.retarget.source import RetargetSource
from core.retarget.surfaces import HANDS
from core.retarget.touch import FloorReach, Touch, find_touches
from core.smpl_skeleton import JOINT_INDEX

from .arguments import positive_int
from .evaluation.character_files import CHARACTER_SUFFIXES, applied_in_blender, read_characters
from .evaluation.mapping_metrics import mapping_metrics
from .evaluation.metrics_json import write_json
from .evaluation.retarget_tables import print_table
from .outputs import check_files
from .samples.floor_motion import NAMES as FLOOR_MOTIONS
from .samples.floor_motion import floor_motion

_LEG_MM = 800.0
_LEAST_LEG_M = 0.5
_SKIN_VERTICES = 4000
_BLOCK_FRAMES = 100
_ENDS = [f"{side}_{part}" for side in ("left", "right") for part in ("hand", "foot")]


@dataclass(frozen=True)
class Row:
    """Metrics of one method, character and clip; NaN where there is nothing to measure.

    Attributes:
        arms_deg: direction error of upper and lower arms.
        legs_deg: direction error of thighs and shins.
        slide_mm: mean slide over contacts.
        worst_slide_mm: largest slide.
        sole_mm: height of the lowest vertex of the feet.
        lowest_mm: height of the lowest vertex of the whole skin.
        depth_mm: distance of each frame's lowest vertex below the floor, mean over frames.
        hands_mm: error of hands that touch each other.
        head_mm: error of hands that touch the head.
        body_mm: error of hands that touch trunk, thighs or the other arm.
        reached: share of the touches that are in reach.
        acceleration: acceleration of wrists and ankles relative to the source.
        cpu_ms: CPU time for 1000 frames.
    """

    arms_deg: float
    legs_deg: float
    slide_mm: float
    worst_slide_mm: float
    sole_mm: float
    lowest_mm: float
    depth_mm: float
    hands_mm: float
    head_mm: float
    body_mm: float
    reached: float
    acceleration: float
    cpu_ms: float


def plain_retarget(source: RetargetSource, rig: Rig, bone_map: BoneMap) -> RetargetedMotion:
    """Retarget by world rotations since rest."""
    motion = retarget(source, rig, bone_map, RetargetOptions(feet=0.0, hands=0.0, rest_pose=rig.axes))
    mapped = [rig.index[name] for chain in bone_map.bones.values() for name in chain]
    hips = int(motion.bones[0])
    height = rig.heads[hips, 1] - rig.heads[mapped, 1].min()
    toes = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
    scale = height / (source.rest[0, 1] - source.rest[toes, 1].min())
    return replace(motion, root=scale * (source.rest[0] + source.motion.trans))


def live_retarget(source: RetargetSource, rig: Rig, bone_map: BoneMap, body: BodyModel) -> RetargetedMotion:
    """Retarget frame by frame, as in a live session; the report is empty."""
    live, motion = LiveRetargeting(body.data, rig, bone_map), source.motion
    poses = [
        live.push(pose, trans, motion.betas, frame / motion.fps)
        for frame, (pose, trans) in enumerate(zip(motion.poses, motion.trans, strict=True))
    ]
    rotations, root = (np.stack([getattr(pose, name) for pose in poses]) for name in ("rotations", "root"))
    nothing = RetargetReport(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, np.zeros(0, dtype=np.int64))
    return RetargetedMotion(rig, live.bones, rotations, root, motion.fps, nothing)


class Evaluator:
    """Measures motions retargeted from one source to one character."""

    def __init__(self, source: RetargetSource, rig: Rig, bone_map: BoneMap) -> None:
        self.source, self.rig, self.bone_map = source, rig, bone_map
        self.character = Character.of(rig, bone_map, source)
        self.millimetres = _LEG_MM / self.character.leg_m
        self.pose = source.pose(slice(None))
        self.touches = find_touches(source.parts, self.pose, set(self.character.parts), 0, slice(0, source.num_frames))
        self.free = np.ones(source.num_frames, dtype=bool)
        for touch in self.touches:
            self.free[touch.frames] = False

    def row(self, motion: RetargetedMotion, cpu_s: float) -> Row:
        """Return the metrics of *motion*."""
        positions = self._positions(motion)
        slides = self.millimetres * self._slides(motion, positions)
        has_skin = len(self.rig.skin.vertices) > 0 and self.character.leg_m >= _LEAST_LEG_M
        sole, lowest, depth = self._lowest(motion) if has_skin else (np.nan, np.nan, np.nan)
        hands, head, rest, reached = self._touch_errors(motion)
        return Row(
            arms_deg=self._directions(positions, ("arm", "forearm")),
            legs_deg=self._directions(positions, ("thigh", "shin")),
            slide_mm=float(slides.mean()) if len(slides) else np.nan,
            worst_slide_mm=float(slides.max()) if len(slides) else np.nan,
            sole_mm=self.millimetres * sole,
            lowest_mm=self.millimetres * lowest,
            depth_mm=self.millimetres * depth,
            hands_mm=hands,
            head_mm=head,
            body_mm=rest,
            reached=reached,
            acceleration=self._acceleration(positions),
            cpu_ms=1e6 * cpu_s / self.source.num_frames,
        )

    def _positions(self, motion: RetargetedMotion) -> dict[str, np.ndarray]:
        """Return the joint position (F, 3) of each mapped role."""
        heads = np.concatenate([motion.pose(block)[1] for block in _blocks(motion.num_frames)])
        return {role: heads[:, self.rig.index[chain[0]]] for role, chain in self.bone_map.bones.items()}

    def _directions(self, positions: dict[str, np.ndarray], parts: tuple[str, str]) -> float:
        angles = []
        for role, end in LIMBS:
            if role.endswith(parts) and end in positions:
                ours = (positions[end] - positions[role])[self.free]
                joints = self.pose.positions[:, [SOURCE_JOINTS[role], SOURCE_JOINTS[end]]]
                theirs = (joints[:, 1] - joints[:, 0]).T[self.free]
                cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
                angles.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
        return float(np.mean(angles)) if np.size(angles) else np.nan

    def _slides(self, motion: RetargetedMotion, positions: dict[str, np.ndarray]) -> np.ndarray:
        """Return the slide (C,) of each contact, metres."""
        column = {int(bone): number for number, bone in enumerate(motion.bones)}
        points = []
        for side, foot in zip(("left", "right"), self.character.feet, strict=True):
            bone = self.character.tree.bones[foot.ankle]
            turn = (
                motion.rotations[:, column[int(bone)]]
                @ self.rig.axes[bone].T
                @ self.character.tree.aligned[foot.ankle].T
            )
            points += [positions[f"{side}_foot"] + turn @ point for point in (foot.heel, foot.ball)]
        paths = [points[contact.point][contact.frames][:, [0, 2]] for contact in self.source.contacts]
        return np.array([np.linalg.norm(np.ptp(path, axis=0)) for path in paths])

    def _lowest(self, motion: RetargetedMotion) -> tuple[float, float, float]:
        """Return the heights of the lowest vertices of the feet and of the whole skin, and the mean depth.

        The skin follows the bones by linear blend skinning; away from the feet, a subset of its vertices suffices.
        """
        skin, rig, tree = self.rig.skin, self.rig, self.character.tree
        if len(skin.vertices) == 0:
            return np.nan, np.nan, np.nan
        names = np.array([tree.names[joint] for joint in tree.owners(rig)[skin.main_bones]])
        is_foot = np.isin(names, [f"{side}_{part}" for side in ("left", "right") for part in ("foot", "toe")])
        if not is_foot.any():
            return np.nan, np.nan, np.nan
        chosen = np.flatnonzero(is_foot | (np.arange(len(is_foot)) % -(-len(is_foot) // _SKIN_VERTICES) == 0))
        weights = skin.weights[chosen] / skin.weights[chosen].sum(axis=1, keepdims=True)
        found = []
        for block in _blocks(motion.num_frames):
            rotations, heads = motion.pose(block)
            turns = rotations @ np.swapaxes(rig.axes, -1, -2)
            heights = np.zeros((len(heads), len(chosen)))
            for slot in range(weights.shape[1]):
                bones = skin.bones[chosen, slot]
                arms = skin.vertices[chosen] - rig.heads[bones]
                heights += weights[:, slot] * (heads[:, bones, 1] + np.einsum("fvj,vj->fv", turns[:, bones, 1], arms))
            found.append(np.stack([heights[:, is_foot[chosen]].min(axis=1), heights.min(axis=1)]))
        soles, lowest = np.concatenate(found, axis=1) - self.source.floor.height_m
        return float(soles.min()), float(lowest.min()), float(np.maximum(-lowest, 0.0).mean())

    def _touch_errors(self, motion: RetargetedMotion) -> tuple[float, float, float, float]:
        """Return the mean errors of touches of hands, head and body, and the share of touches in reach."""
        tree = self.character.tree
        column = {int(bone): number for number, bone in enumerate(motion.bones)}
        chosen = motion.rotations[:, [column[int(bone)] for bone in tree.bones]]
        rests = tree.aligned @ self.rig.axes[tree.bones]
        joints = matrices_last(chosen @ np.swapaxes(rests, -1, -2))
        root = (motion.root - self.source.floor_origin).T
        errors: dict[str, list[np.ndarray]] = {"hands": [], "head": [], "body": []}
        reached = []
        for kept in solve_arms(self.character, joints, root, self.touches, 0.0):
            counts = kept.touch.weight >= TOUCHES_FROM
            reached.append(kept.in_reach[counts])
            errors[_kind(kept.touch)].append(kept.off_m[counts & kept.in_reach])
        means = [_mean(self.millimetres * np.concatenate(part)) if part else np.nan for part in errors.values()]
        return means[0], means[1], means[2], _mean(np.concatenate(reached)) if reached else np.nan

    def _acceleration(self, positions: dict[str, np.ndarray]) -> float:
        ours = np.stack([positions[role] for role in _ENDS if role in positions])
        theirs = np.stack([self.pose.positions[:, SOURCE_JOINTS[role]].T for role in _ENDS if role in positions])
        means = [np.linalg.norm(np.diff(path, n=2, axis=1), axis=-1).mean() for path in (ours, theirs)]
        if means[1] == 0.0:
            return np.nan  # the source stands still
        character, source = self.character, self.source
        heights = character.ankle_height - character.size * source.leg_drop, source.ankle_height - source.leg_drop
        return float(means[0] / means[1] * heights[1] / heights[0])


def _kind(touch: Touch | FloorReach) -> str:
    return "hands" if touch.part in HANDS else "head" if touch.part == "head" else "body"


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _blocks(num_frames: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK_FRAMES, num_frames)) for start in range(0, num_frames, _BLOCK_FRAMES)]


def evaluate(
    characters: Mapping[str, tuple[Rig, BoneMap]],
    clips: Mapping[str, Callable[[], Motion]],
    frames: int | None,
    *,
    live: bool = False,
) -> dict[str, dict[str, Row]]:
    """Return each method's rows by "RIG CLIP"; *clips* maps names to functions that return the motions.

    With *live*, ours frame by frame is the third method.
    """
    body = BodyModel(load_free_body())
    rows: dict[str, dict[str, Row]] = {"plain": {}, "ours": {}, **({"live": {}} if live else {})}
    for clip, read in clips.items():
        motion = read()
        motion = replace(motion, poses=motion.poses[:frames], trans=motion.trans[:frames])
        source = RetargetSource.of_motion(motion, body)
        for name, (rig, bone_map) in characters.items():
            evaluator = Evaluator(source, rig, bone_map)
            start = time.process_time()
            ours = retarget(source, rig, bone_map)
            middle = time.process_time()
            plain = plain_retarget(source, rig, bone_map)
            end = time.process_time()
            key = f"{name} {clip}"
            rows["ours"][key] = evaluator.row(ours, middle - start)
            rows["plain"][key] = evaluator.row(plain, end - middle)
            if live:
                start = time.process_time()
                followed = live_retarget(source, rig, bone_map, body)
                rows["live"][key] = evaluator.row(followed, time.process_time() - start)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_retarget", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "rigs_folder",
        type=Path,
        metavar="RIG_FOLDER",
        help=f"characters ({', '.join(CHARACTER_SUFFIXES)}) and bone maps (.json)",
    )
    parser.add_argument(
        "motions_folder", type=Path, metavar="MOTION_FOLDER", nargs="?", help="clips in AMASS layout, Y up"
    )
    parser.add_argument("--floor", action="store_true", help="also measure generated motions on the floor")
    parser.add_argument("--live", action="store_true", help="also measure ours frame by frame, as in a live session")
    parser.add_argument("--blender", action="store_true", help="also apply the first clip in Blender: keys and time")
    parser.add_argument(
        "--rigs", nargs="+", default=[""], metavar="PART", help="only characters with one of these in their names"
    )
    parser.add_argument(
        "--clips", nargs="+", default=[""], metavar="PART", help="only clips with one of these in their names"
    )
    parser.add_argument("--frames", type=positive_int, metavar="N", help="use only the first N frames of each clip")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the metrics as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    rigs = _files(options.rigs_folder, CHARACTER_SUFFIXES, options.rigs)
    if options.motions_folder is None and not options.floor:
        raise InputMissingError("expected a folder of clips, or --floor for the generated motions; got neither")
    files = [] if options.motions_folder is None else _files(options.motions_folder, (".npz",), options.clips)
    clips: dict[str, Callable[[], Motion]] = {path.stem: partial(read_motion, path, up_axis="Y") for path in files}
    if options.floor:
        clips |= {f"floor_{name}": partial(floor_motion, name) for name in FLOOR_MOTIONS}
    check_files(
        {"the metrics": options.json},
        {"the rigs": [*rigs, *(path.with_suffix(".json") for path in rigs)], "the clips": files},
        overwrite=options.overwrite,
    )
    characters = read_characters(rigs)
    rows = evaluate(characters, clips, options.frames, live=options.live)
    metrics = {method: {key: asdict(row) for key, row in by_key.items()} for method, by_key in rows.items()}
    metrics["bones"] = {name: mapping_metrics(rig, bone_map) for name, (rig, bone_map) in characters.items()}
    if options.blender:
        metrics["keys"] = applied_in_blender([path for path in rigs if path.stem in characters], files)
    print(f"{len(characters)} characters, {len(clips)} clips")
    print_table(metrics)
    if options.json is not None:
        write_json(options.json, metrics)
    return 0 if len(characters) == len(rigs) else EXIT_FAILED


def _files(folder: Path, suffixes: Sequence[str], parts: Sequence[str]) -> list[Path]:
    """Return the files of *folder* with one of *suffixes* whose names contain one of *parts*, sorted by name.

    Raises:
        InputMissingError: there is none.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in suffixes)
    found = [path for path in files if any(part in path.stem for part in parts)]
    if not found:
        wanted = " or ".join(map(repr, parts))
        raise InputMissingError(f"expected {', '.join(suffixes)} files with {wanted} in {folder}, found none")
    return found


if __name__ == "__main__":
    sys.exit(main())
