"""Retarget a figure's motion to a character, keep it up to date, and remove it again.

Nothing of the character is changed but its action, which NLA tracks are muted, and the pose of keyed bones; all of it
is restored by `remove_motion`. On an error nothing is changed. A figure with several takes gives the character an
action each (`takes`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import bpy

from ..core_access import BoneMap, CoreError, RetargetedMotion, retarget
from ..figure.fcurves import own_action
from ..figure.takes import present_take, recalled, set_action
from . import stored as storage
from .action import (
    give_action,
    keys_hash,
    new_action,
    remember,
    remove_strips,
    remove_unused,
    set_value,
    suspended,
    take_action,
    value_of,
    write_curves,
)
from .controls import control_motion, control_note, controls_of, hang_together, switch_curves
from .errors import CharacterError
from .figure_motion import first_frame_of, source_of
from .identity import ACTION_KEY, characters_in, has_motion
from .keys import BoneMotion, Channel, Curve, bone_links, character_curves, held_bones
from .obstacles import check_editable, locked_bones, moved_otherwise
from .read_rig import read_rig
from .releasing import release
from .settings import CharacterSettings, Facts
from .stored import OtherTake, Stored
from .takes import Take, push_strips, show_like_figure, show_same_take, takes_to_apply, with_own_takes


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
    return _apply(
        armature, figure, bone_map, settings, takes_to_apply(figure), is_live=is_live, first_frame=first_frame
    )


def _apply(
    armature: bpy.types.Object,
    figure: bpy.types.Object,
    bone_map: BoneMap,
    settings: CharacterSettings,
    takes: Sequence[Take],
    *,
    is_live: bool = False,
    first_frame: int | None = None,
) -> Facts:
    """Retarget *takes* of *figure*, those of `takes_to_apply` or the present one alone; see `apply_motion`."""
    check_editable(armature)
    release(armature)
    if figure == armature:
        raise CharacterError(f"expected another armature's motion for {armature.name}, found its own; choose another")
    earlier = _loaded(armature) if has_motion(armature) else None
    solved: dict[Take, _Solved] = {}
    for take in takes:
        with recalled(figure, take):
            found = _solve(armature, figure, bone_map, settings, earlier, is_live=is_live or bool(solved))
        solved[take] = found if first_frame is None else replace(found, first_frame=first_frame)
    if earlier is not None and _is_ours(armature, earlier):
        base = earlier
    else:
        if earlier is not None and armature.animation_data is not None:
            remove_strips(armature.animation_data, earlier.actions)
        base = _begin(armature, figure, earlier)
    kept = _write(armature, replace(base, figure=figure, bone_map=bone_map, settings=settings, trouble=""), solved)
    storage.save(armature, kept)
    remove_unused(action for action in base.actions if action not in kept.actions)
    bpy.context.view_layer.update()
    return kept.facts


def _write(armature: bpy.types.Object, base: Stored, solved: Mapping[Take, _Solved]) -> Stored:
    """Key the solved takes in an action each, show the present one, and return what is to be stored."""
    figure, before = base.figure, dict(base.before.values)
    assert figure is not None, "it has just been solved"
    present = present_take(figure) if None not in solved else None
    wanted = set(takes_to_apply(figure)) if present is not None else {None}
    known = {other.source: other for other in base.others if other.source is not None and other.source in wanted}
    actions: dict[Take, bpy.types.Action] = {take: other.action for take, other in known.items() if other.action}
    spare = base.action
    if base.take in wanted and base.action is not None:
        actions[base.take], spare = base.action, None
    keyed = {curve.channel for item in solved.values() for curve in item.curves}
    values: dict[Channel, Sequence[float]] = {
        channel: list(before.get(channel, ())) or value_of(armature, channel) for channel in sorted(keyed)
    }
    done: dict[Take, OtherTake] = {**known}
    for take, item in sorted(solved.items(), key=lambda pair: pair[0] == present):
        if take not in actions:
            free = spare if take == present else None
            actions[take] = free or new_action("")
        set_action(armature, actions[take])
        own = {curve.channel for curve in item.curves}
        digest = write_curves(
            armature, item.curves, item.first_frame, [channel for channel in before if channel not in own]
        )
        actions[take].name = _name(armature, take or figure)
        facts = Facts.from_report(item.motion.report, item.first_frame, item.notes, ik_limbs=item.ik_limbs)
        done[take] = OtherTake(take, actions[take], facts, digest)
    for channel in before:
        if channel not in keyed:
            set_value(armature, channel, before[channel])
    if len(solved) < len(wanted):  # the other takes have their channels still
        values = {**before, **values}
    mine = done.pop(present)
    kept = replace(
        base, take=present, action=mine.action, facts=mine.facts, digest=mine.digest, others=tuple(done.values()),
        before=replace(base.before, values=values),
    )  # fmt: skip
    if len(solved) == len(wanted):
        remove_strips(armature.animation_data, base.actions)
        if present is not None:
            push_strips(armature, figure, actions)
    show_like_figure(armature, kept)
    return kept


def follow_figure(armature: bpy.types.Object) -> None:
    """Retarget the motion of its figure to *armature* again; on an error, keep its keys and store the reason.

    Keys of the character that were edited are not overwritten.
    """
    try:
        kept = _loaded(armature)
    except CoreError:
        return  # shown by the panel
    if kept.others and _is_ours(armature, kept):
        kept = show_same_take(armature, kept)
    change_settings(armature, kept.settings)


def change_settings(armature: bpy.types.Object, settings: CharacterSettings) -> bool:
    """Apply the motion of the character *armature* again with *settings*; return whether that succeeded.

    On an error its keys and settings stay, and the reason is kept in `Stored.trouble`. All takes get new settings; with
    the present ones, only the present take is applied again.

    Raises:
        CharacterError: what is kept with *armature* is damaged.
    """
    kept = _loaded(armature)
    try:
        if kept.figure is None or not kept.figure.users_scene:
            raise CharacterError(f"expected the figure whose motion {armature.name} has, but it was removed")
        if not _is_ours(armature, kept):
            raise CharacterError(f"expected {armature.name} to have the action that it was given; apply again")
        all_takes = takes_to_apply(kept.figure)
        takes = all_takes if settings != kept.settings or kept.take not in all_takes else [kept.take]
        if _edited(armature, kept, takes):
            raise CharacterError(
                f"expected the keys of {armature.name} as they were written, but they were edited since; Apply "
                "overwrites the edits, Remove takes them away"
            )
        _apply(armature, kept.figure, kept.bone_map, settings, takes, is_live=True)
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
    return _is_ours(armature, kept) and _edited(armature, kept, [kept.take, *(other.source for other in kept.others)])


def _edited(armature: bpy.types.Object, kept: Stored, takes: Collection[Take]) -> bool:
    """Return whether keys of the character's actions of *takes* were edited since they were written."""
    mine = OtherTake(kept.take, kept.action, kept.facts, kept.digest)
    present = armature.animation_data.action
    try:
        for item in (mine, *kept.others):
            if item.action is not None and item.source in takes:
                if armature.animation_data.action != item.action:
                    set_action(armature, item.action)
                if keys_hash(armature, kept.before.values) != item.digest:
                    return True
    finally:
        if armature.animation_data.action != present:
            set_action(armature, present)
    return False


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
    take_action(armature, kept.before, kept.old_action, ours=kept.actions)
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
    kept = with_own_takes(armature, storage.load(armature))
    animation = armature.animation_data
    if kept.action is None or animation is None or animation.action is None:
        return kept
    if animation.action == kept.action:
        own_action(armature)
    elif (
        any(animation.action == other.action for other in kept.others)
        or ACTION_KEY not in animation.action
        or keys_hash(armature, kept.before.values) != kept.digest
    ):
        return kept
    return replace(kept, action=animation.action)


def _is_ours(armature: bpy.types.Object, kept: Stored) -> bool:
    """Return whether *armature* shows an action that this add-on created, or the strips of such actions."""
    animation = armature.animation_data
    if animation is None or not kept.actions:
        return False
    if animation.action is not None:
        return animation.action in kept.actions
    strips = [strip for track in animation.nla_tracks for strip in track.strips]
    return any(strip.action in kept.actions for strip in strips)


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


def _name(armature: bpy.types.Object, source: bpy.types.ID) -> str:
    return f"{source.name} on {armature.name}"
