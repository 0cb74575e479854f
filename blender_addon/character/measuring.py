"""``python -m blender_addon.character.measuring FILE... --motion CLIP.npz -o OUT.json``: applying, as Blender shows it.

`training.evaluate_retarget` runs it and prints what it measures: the keys of each character against the solution, the
time that applying and a step of a live slider take, and whether removing the motion leaves anything behind.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from ..core_access import BoneMap, CoreError, RetargetedMotion, exit_code_of, retarget, say
from ..figure.axes import Z_UP_FROM_Y_UP
from ..motion_import.importing import MotionImport, import_motions
from .applying import apply_motion, change_settings, in_its_own_place, remove_motion
from .controls import hang_together
from .figure_motion import first_frame_of, source_of
from .file import CharacterFile, bones_for, open_character
from .keys import bone_links, held_bones
from .obstacles import moved_otherwise
from .opening import CHARACTERS
from .read_rig import read_rig
from .settings import CharacterSettings
from .snapshot import snapshot
from .stored import load

_FRAMES = 25
"""Frames that are evaluated."""
_ENDS, _BENDS = ("_hand", "_foot"), ("_forearm", "_shin")
_STEP = 0.9
"""The value that a slider is moved to."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m blender_addon.character.measuring", description="Measure a motion on characters in Blender."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=", ".join(CHARACTERS))
    parser.add_argument("--motion", type=Path, required=True, metavar="CLIP.npz", help="a motion in AMASS layout, Y up")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.json")
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options.files, options.motion, options.output))


def _run(files: Sequence[Path], motion: Path, output: Path) -> int:
    found = {}
    for path in files:
        try:
            found[path.stem] = measure(path, motion)
        except CoreError as error:
            say(f"left out: {error}", file=sys.stderr)
    output.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def measure(path: Path, motion: Path) -> dict[str, float]:
    """Put *motion* on the character in *path*, in a new scene, and remove it again.

    Returns:
        keys_mm: largest distance of a joint from the solution. Of a control rig instead: fk_mm of hands and feet, and
        with IK controls, if there are any, ik_mm of hands and feet, bend_mm of knees and elbows. apply_s: processor
        time of Apply for 1000 frames, with the search for controls. step_s: that of a slider's step. is_restored: 1 if
        nothing is left behind.

    Raises:
        CoreError: the character cannot be used.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    figure = import_motions([motion], scene, MotionImport(up_axis="Y"))[0][0]
    armature = open_character(path)
    bone_map = bones_for(armature, CharacterFile(path))
    mapped = [name for chain in bone_map.bones.values() for name in chain]
    has_controls = bool(moved_otherwise(armature, held_bones(bone_links(armature), mapped)))
    before = snapshot(armature)
    per_1000 = 1000.0 / figure.motion.num_frames
    start = time.process_time()
    facts = apply_motion(armature, figure.armature, bone_map, CharacterSettings())
    found = {"apply_s": per_1000 * (time.process_time() - start)}
    start = time.process_time()
    change_settings(armature, CharacterSettings(feet=_STEP))
    found["step_s"] = per_1000 * (time.process_time() - start)
    change_settings(armature, CharacterSettings())
    solution = _solution(armature, figure.armature, bone_map, has_controls=has_controls)
    errors = _errors_mm(armature, figure.armature, solution, bone_map)
    if not has_controls:
        found["keys_mm"] = max(errors.values())
    else:
        found["fk_mm"] = max(value for role, value in errors.items() if role.endswith(_ENDS))
    if facts.ik_limbs:
        change_settings(armature, CharacterSettings(controls="ik"))
        errors = _errors_mm(armature, figure.armature, solution, bone_map)
        found["ik_mm"] = max(value for role, value in errors.items() if role.endswith(_ENDS))
        found["bend_mm"] = max(value for role, value in errors.items() if role.endswith(_BENDS))
    remove_motion(armature)
    found["is_restored"] = float(snapshot(armature) == before)
    return found


def _solution(
    armature: bpy.types.Object, figure: bpy.types.Object, bone_map: BoneMap, *, has_controls: bool
) -> RetargetedMotion:
    """Return what the core solves for the present motion of *armature*."""
    kept = load(armature)
    with in_its_own_place(armature, kept):
        rig = read_rig(armature)
    if has_controls:
        rig = hang_together(rig, bone_map)
    return retarget(source_of(figure, kept.settings.feet), rig, bone_map, kept.settings.options())


def _errors_mm(
    armature: bpy.types.Object, figure: bpy.types.Object, motion: RetargetedMotion, bone_map: BoneMap
) -> dict[str, float]:
    """Return the largest distance of each role's joint from the solution, in frames all over the clip, millimetres."""
    scene, first = bpy.context.scene, first_frame_of(figure)
    numbers = np.unique(np.linspace(0, motion.num_frames - 1, _FRAMES).round().astype(int))
    wanted = np.concatenate([motion.pose(slice(number, number + 1))[1] for number in numbers])
    off: dict[str, float] = dict.fromkeys(bone_map.bones, 0.0)
    for number, heads in zip(numbers, wanted, strict=True):
        scene.frame_set(first + int(number))
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for role, chain in bone_map.bones.items():
            head = np.array(posed.matrix_world @ posed.pose.bones[chain[0]].head) @ Z_UP_FROM_Y_UP
            error = 1000.0 * float(np.linalg.norm(head - heads[motion.rig.index[chain[0]]]))
            off[role] = max(off[role], error)
    return off


if __name__ == "__main__":
    sys.exit(main())
