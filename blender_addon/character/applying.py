"""Retarget a figure's motion to a character, keep it up to date, and remove it again.

Nothing of the character is changed but its action, which NLA tracks are muted, and the pose of keyed bones; all of it
is restored by `remove_motion`. On an error nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import bpy

from ..core_access import BoneMap, CoreError, RetargetedMotion, retarget
from ..figure.fcurves import own_action
from . import stored as storage
from .action import give_action, keys_hash, remember, set_value, suspended, take_action, value_of, write_curves
from .controls import control_motion, control_note, controls_of, hang_together, switch_curves
from .errors import CharacterError
from .figure_motion import first_frame_of, source_of
from .identity import ACTION_KEY, characters_in, has_motion
from .keys import BoneMotion, Channel, Curve, bone_links, character_curves, held_bones
from .obstacles import check_editable, locked_bones, moved_otherwise
from .read_rig import read_rig
from .releasing import release
from .settings import CharacterSettings, Facts
from .stored import Stored


@dataclass(frozen=True, eq=False)
class _Solved:
    """A solution, ready to be written."""

    motion: RetargetedMotion
    curves: list[Curve]
    first_frame: int
    notes: tuple[str, ...]
    ik_limbs: int


def apply_motion(
    armature: bpy.types.Object,
    figure: bpy.types.Object,
    bone_map: BoneMap,
    settings: CharacterSettings,
    *,
    is_live: bool = False,
    first_frame: int | None = None,
) -> Facts:
    """Retarget the motion of *figure* to *armature*; an earlier motion is replaced.

    Must be called in Object or Pose Mode.

    Args:
        armature: the character.
        figure: the armature of a figure of this add-on, or any other animated armature.
        bone_map: the character's bones.
        settings: how to put the motion onto it.
        is_live: only the settings or the motion changed, so the controls of a control rig need not be found again.
        first_frame: frame of the scene in which the motion begins on the character; None for that of *figure*.

    Returns:
        How well it went.

    Raises:
        CoreError: the character, its bone map or the figure cannot be used; nothing is changed.
    """
    check_editable(armature)
    release(armature)
    if figure == armature:
        raise CharacterError(f"expected another armature's motion for {armature.name}, found its own; choose another")
    earlier = _loaded(armature) if has_motion(armature) else None
    solved = _solve(armature, figure, bone_map, settings, earlier, is_live=is_live)
    if first_frame is not None:
        solved = replace(solved, first_frame=first_frame)
    facts = Facts.from_report(solved.motion.report, solved.first_frame, solved.notes, ik_limbs=solved.ik_limbs)
    base = earlier if earlier is not None and _is_ours(armature, earlier) else _begin(armature, figure, earlier)
    values, stale = _changed_values(armature, base, solved.curves)
    kept = replace(
        base,
        figure=figure,
        bone_map=bone_map,
        settings=settings,
        before=replace(base.before, values=values),
        facts=facts,
        digest=write_curves(armature, solved.curves, solved.first_frame, stale),
        trouble="",
    )
    for channel in stale:
        set_value(armature, channel, base.before.values[channel])
    assert kept.action is not None, "the character was given one"
    kept.action.name = _name(armature, figure)
    storage.save(armature, kept)
    bpy.context.view_layer.update()
    return facts


def follow_figure(armature: bpy.types.Object) -> None:
    """Retarget the motion of its figure to *armature* again; on an error, keep its keys and store the reason.

    Keys of the character that were edited are not overwritten.
    """
    try:
        kept = storage.load(armature)
    except CoreError:
        return  # shown by the panel
    change_settings(armature, kept.settings)


def change_settings(armature: bpy.types.Object, settings: CharacterSettings) -> bool:
    """Apply the motion of the character *armature* again with *settings*; return whether that succeeded.

    On an error its keys and settings stay, and the reason is kept in `Stored.trouble`.

    Raises:
        CharacterError: what is kept with *armature* is damaged.
    """
    kept = _loaded(armature)
    try:
        if kept.figure is None or not kept.figure.users_scene:
            raise CharacterError(f"expected the figure whose motion {armature.name} has, but it was removed")
        if not _is_ours(armature, kept):
            raise CharacterError(f"expected {armature.name} to have the action that it was given; apply again")
        if keys_hash(armature, kept.before.values) != kept.digest:
            raise CharacterError(
                f"expected the keys of {armature.name} as they were written, but they were edited since; Apply "
                "overwrites the edits, Remove takes them away"
            )
        apply_motion(armature, kept.figure, kept.bone_map, settings, is_live=True)
    except CoreError as error:
        storage.save(armature, replace(kept, trouble=str(error)))
        return False
    return True


def apply_all_again(scene: bpy.types.Scene) -> dict[bpy.types.Object, str]:
    """Apply the motions of all characters of *scene* again, each with its own bones and settings.

    A character that is the source of another one comes before it. Edited keys are overwritten.

    Returns:
        The characters, each with the reason if its motion could not be applied, else empty. Such a one keeps its keys.
    """
    waiting, found = characters_in(scene), {}
    while waiting:
        sources = {item: _kept_figure(item) for item in waiting}
        armature = next((item for item in waiting if sources[item] not in waiting), waiting[0])
        waiting.remove(armature)
        found[armature] = ""
        try:
            kept = _loaded(armature)
            if kept.figure is None or not kept.figure.users_scene:
                raise CharacterError(f"expected the figure whose motion {armature.name} has, but it was removed")
            apply_motion(armature, kept.figure, kept.bone_map, kept.settings)
        except CoreError as error:
            found[armature] = str(error)
    return found


def has_edited_keys(armature: bpy.types.Object) -> bool:
    """Return whether keys of the character *armature* were edited since they were written."""
    try:
        kept = storage.load(armature)
    except CharacterError:
        return False
    return _is_ours(armature, kept) and keys_hash(armature, kept.before.values) != kept.digest


def _kept_figure(armature: bpy.types.Object) -> bpy.types.Object | None:
    try:
        return storage.load(armature).figure
    except CharacterError:
        return None


def remove_motion(armature: bpy.types.Object) -> None:
    """Remove the motion of a character and restore its previous animation.

    Raises:
        CharacterError: it has none, or what is kept with it is damaged.
    """
    kept = _loaded(armature)
    check_editable(armature)
    release(armature)
    storage.forget(armature)
    take_action(armature, kept.before, kept.old_action, ours=kept.action)
    bpy.context.view_layer.update()


def _solve(
    armature: bpy.types.Object,
    figure: bpy.types.Object,
    bone_map: BoneMap,
    settings: CharacterSettings,
    earlier: Stored | None,
    *,
    is_live: bool,
) -> _Solved:
    """Compute the curves; the character is not changed."""
    values = earlier.before.values if earlier is not None else {}
    with in_its_own_place(armature, earlier):
        rig = read_rig(armature)
        bone_map.check(rig)
        source = source_of(figure, settings.feet)
        links, controls = bone_links(armature), None
        mapped = [name for chain in bone_map.bones.values() for name in chain]
        if moved_otherwise(armature, held_bones(links, mapped)):
            controls = controls_of(armature, bone_map, values, reuse=is_live)
            rig = hang_together(rig, bone_map)
        motion = retarget(source, rig, bone_map, settings.options())
        if controls is None:
            curves = character_curves(armature, BoneMotion.of(motion), settings.root_motion, values, links)
            locked = locked_bones(armature, mapped)
            note = f"Locked against turning by hand, but keyed: {', '.join(locked)}" if locked else ""
        else:
            keyed = control_motion(armature, motion, bone_map, controls)
            curves = character_curves(armature, keyed, settings.root_motion, values, controls.links)
            curves += switch_curves(controls, settings.controls)
            note = control_note(controls, bone_map, settings.controls)
    ik_limbs = 0 if controls is None else len(controls.ik.limbs)
    return _Solved(motion, curves, first_frame_of(figure), (note,) if note else (), ik_limbs)


@contextmanager
def in_its_own_place(armature: bpy.types.Object, earlier: Stored | None) -> Iterator[None]:
    """Temporarily move the object *armature* back to where it was before an earlier motion moved it."""
    moved = {} if earlier is None else {key: value for key, value in earlier.before.values.items() if not key[0]}
    if moved:
        with suspended(armature, moved):
            yield
    else:
        bpy.context.view_layer.update()
        yield


def _loaded(armature: bpy.types.Object) -> Stored:
    """Return the data stored with *armature*; a duplicated character first gets its own copy of the action."""
    kept = storage.load(armature)
    animation = armature.animation_data
    if kept.action is None or animation is None or animation.action is None:
        return kept
    if animation.action == kept.action:
        own_action(armature)
    elif ACTION_KEY not in animation.action or keys_hash(armature, kept.before.values) != kept.digest:
        return kept
    return replace(kept, action=animation.action)


def _is_ours(armature: bpy.types.Object, kept: Stored) -> bool:
    """Return whether the present action of *armature* is the one that this add-on created."""
    animation = armature.animation_data
    return kept.action is not None and animation is not None and animation.action == kept.action


def _begin(armature: bpy.types.Object, figure: bpy.types.Object, earlier: Stored | None) -> Stored:
    """Give *armature* a new action; a backup from an earlier action that is gone now is kept."""
    before = remember(armature)
    old = armature.animation_data.action if armature.animation_data is not None else None
    if earlier is not None:
        tracks = tuple(dict.fromkeys((*earlier.before.tracks, *before.tracks)))
        before = replace(before, values=earlier.before.values, tracks=tracks, solo=before.solo or earlier.before.solo)
    give_action(armature, _name(armature, figure))
    empty = Facts(0.0, 0.0, None, 0, 0, (), ())
    return Stored(figure, armature.animation_data.action, old, BoneMap({}), CharacterSettings(), before, empty)


def _changed_values(
    armature: bpy.types.Object, base: Stored, curves: list[Curve]
) -> tuple[dict[Channel, list[float]], list[Channel]]:
    """Return the values that the channels of *curves* had before, and the channels that are no longer keyed."""
    before = base.before.values
    keyed = [curve.channel for curve in curves]
    values = {channel: list(before.get(channel, ())) or value_of(armature, channel) for channel in keyed}
    return values, [channel for channel in before if channel not in values]


def _name(armature: bpy.types.Object, figure: bpy.types.Object) -> str:
    return f"{figure.name} on {armature.name}"
