"""The data stored with a character that has a retargeted motion, in one custom property of its armature.

So it survives saving, undo, appending and duplicating. A file may come from anyone: whatever does not read as it was
written is an error of ours, never Python's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import bpy

from ..core_access import BoneMap
from .action import BLENDING, Before, Track
from .errors import CharacterError
from .identity import STORED_KEY, keeper_of
from .keys import Channel, is_custom
from .renames import renamed_since
from .rotation_values import NEUTRAL
from .settings import CharacterSettings, Facts

_VERSION = 1
_MAX_TEXT = 1 << 22
_CHANNELS = {**{name: len(values) for name, values in NEUTRAL.items()}, "rotation_axis_angle": 4, "ik_stretch": 1}
_MENUS = ("action_blend_type", "action_extrapolation")


@dataclass(frozen=True)
class OtherTake:
    """A take of the figure that the character has too, but which is not the present one.

    Attributes:
        source: the figure's action; None if that was removed.
        action: the character's action; None if that was removed.
        facts: how well it went.
        digest: hash of the keys as they were written.
    """

    source: bpy.types.Action | None
    action: bpy.types.Action | None
    facts: Facts
    digest: str


@dataclass(frozen=True)
class Stored:
    """A character with a retargeted motion.

    Attributes:
        figure: the armature of the figure whose motion it is; None if that was removed.
        action: the character's action; None if it was removed.
        old_action: the action it had before; None if it had none or that was removed.
        bone_map: its bones by role.
        settings: how the motion was put onto it.
        before: what was there before.
        facts: how well it went.
        digest: hash of the keys as they were written.
        trouble: why the last change was not followed, empty if it was.
        take: the figure's action whose motion *action* has, if the figure has several takes.
        others: the figure's other takes.
    """

    figure: bpy.types.Object | None
    action: bpy.types.Action | None
    old_action: bpy.types.Action | None
    bone_map: BoneMap
    settings: CharacterSettings
    before: Before
    facts: Facts
    digest: str = ""
    trouble: str = ""
    take: bpy.types.Action | None = None
    others: tuple[OtherTake, ...] = ()

    @property
    def actions(self) -> tuple[bpy.types.Action, ...]:
        """The character's actions of all takes."""
        found = (self.action, *(other.action for other in self.others))
        return tuple(action for action in found if action is not None)


def save(armature: bpy.types.Object, stored: Stored) -> None:
    """Store *stored* with *armature*."""
    values = plain_values(stored.before.values)
    about = {
        "version": _VERSION,
        "confidence": dict(stored.bone_map.confidence),
        "settings": asdict(stored.settings),
        "before": {**asdict(replace(stored.before, values={})), "values": values},
        "facts": asdict(stored.facts),
        "digest": stored.digest,
        "trouble": stored.trouble,
        "others": [{"facts": asdict(other.facts), "digest": other.digest} for other in stored.others],
    }
    kept: dict[str, Any] = {"about": json.dumps(about), "bones": stored.bone_map.to_json()}
    objects = {"figure": stored.figure, "action": stored.action, "old_action": stored.old_action, "take": stored.take}
    for number, other in enumerate(stored.others):
        objects |= {f"source{number}": other.source, f"action{number}": other.action}
    keeper = keeper_of(armature)
    own = [name for name, item in objects.items() if item is None or item == keeper]  # no reference to itself
    kept["keeper"] = next((name for name in own if objects[name] is not None), "")
    keeper[STORED_KEY] = kept | {name: item for name, item in objects.items() if name not in own}


def load(armature: bpy.types.Object) -> Stored:
    """Return the data stored with *armature*.

    Raises:
        CharacterError: nothing is kept, or it is damaged or of a later version.
    """
    keeper = keeper_of(armature)
    if STORED_KEY not in keeper:
        raise CharacterError(f"expected a character with a motion, but {armature.name} has none; apply one first")
    try:
        kept = keeper[STORED_KEY].to_dict()
        if keeper != armature:
            kept[kept.get("keeper") or "action"] = keeper
        text = kept["about"]
        if not isinstance(text, str) or len(text) > _MAX_TEXT:
            raise ValueError("no text")
        about = json.loads(text)
        if about["version"] != _VERSION:
            raise ValueError(f"version {about['version']}")
        renamed = renamed_since(armature, [str(bone) for bone in about["before"].get("bones", ())])
        return Stored(
            figure=_datablock(kept.get("figure"), bpy.types.Object),
            action=_datablock(kept.get("action"), bpy.types.Action),
            old_action=_datablock(kept.get("old_action"), bpy.types.Action),
            bone_map=_bone_map(kept["bones"], about["confidence"], renamed),
            settings=CharacterSettings.from_dict(about["settings"]),
            before=_before(about["before"], renamed),
            facts=Facts.from_dict(about["facts"]),
            digest=str(about["digest"]),
            trouble=str(about["trouble"])[:1000],
            take=_datablock(kept.get("take"), bpy.types.Action),
            others=tuple(_other(kept, number, item) for number, item in enumerate(about.get("others", ()))),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise CharacterError(
            f"expected what this add-on keeps with {armature.name}, found a damaged entry ({type(error).__name__}: "
            f"{str(error)[:120]}); delete its custom property {STORED_KEY}, then apply the motion again"
        ) from error


def forget(armature: bpy.types.Object) -> None:
    """Delete the data stored with *armature*."""
    del keeper_of(armature)[STORED_KEY]


def _other(kept: Mapping[str, Any], number: int, about: Mapping[str, Any]) -> OtherTake:
    return OtherTake(
        source=_datablock(kept.get(f"source{number}"), bpy.types.Action),
        action=_datablock(kept.get(f"action{number}"), bpy.types.Action),
        facts=Facts.from_dict(about["facts"]),
        digest=str(about["digest"]),
    )


def _datablock(item: Any, kind: type) -> Any:
    """Return a stored data-block; None where it was removed."""
    if item is not None and not isinstance(item, kind):
        raise TypeError(f"{kind.__name__} expected")
    return item


def _bone_map(text: Any, confidence: Mapping[str, Any], renamed: Mapping[str, str]) -> BoneMap:
    if not isinstance(text, str):
        raise TypeError("the bone map is no text")
    read = BoneMap.from_json(text, "the stored bone map")
    bones = {role: tuple(renamed.get(bone, bone) for bone in chain) for role, chain in read.bones.items()}
    return replace(read, bones=bones, confidence={str(role): finite(value) for role, value in confidence.items()})


def plain_values(values: Mapping[Channel, Sequence[float]]) -> dict[str, list[float]]:
    """Return *values* of channels as JSON can hold them."""
    return {f"{bone}\n{channel}": list(numbers) for (bone, channel), numbers in values.items()}


def read_values(plain: Any) -> dict[Channel, list[float]]:
    """Return the values of channels that `plain_values` returned.

    Raises:
        KeyError, TypeError, AttributeError, ValueError: they are damaged.
    """
    return dict(_value(key, numbers) for key, numbers in plain.items())


def _before(about: Mapping[str, Any], renamed: Mapping[str, str]) -> Before:
    values = read_values(about["values"])
    return Before(
        values={(renamed.get(bone, bone), channel): numbers for (bone, channel), numbers in values.items()},
        bones=tuple(renamed.get(str(bone), str(bone)) for bone in about.get("bones", ())),
        animated=bool(about["animated"]),
        blending={name: _blending(name, about["blending"][name]) for name in BLENDING if name in about["blending"]},
        slot=int(about["slot"]),
        fake_user=bool(about["fake_user"]),
        tracks=tuple(_track(place) for place in about["tracks"]),
        solo=_track(about["solo"]) if about["solo"] else None,
    )


def _track(place: Any) -> Track:
    """Return an NLA track's name and number; earlier versions kept the name alone."""
    name, number = (place, 0) if isinstance(place, str) else place
    return str(name), int(number)


def _blending(name: str, value: Any) -> str | float:
    """Return the value of a setting of the animation data, one of `action.BLENDING`."""
    if name == "action_influence":
        return finite(value)
    choices = bpy.types.AnimData.bl_rna.properties[name].enum_items.keys() if name in _MENUS else (value,)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} {str(value)[:40]!r}")
    return value


def _value(key: str, numbers: list[Any]) -> tuple[Channel, list[float]]:
    bone, _, channel = key.rpartition("\n")
    is_switch = bool(bone) and is_custom((bone, channel)) and channel.endswith('"]')
    if len(numbers) != (1 if is_switch else _CHANNELS[channel]):
        raise ValueError(f"{len(numbers)} values of {channel}")
    return (bone, channel), [finite(value) for value in numbers]


def finite(value: Any) -> float:
    """Return *value* as a number; raise `ValueError` unless it is finite."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number that is not finite")
    return number
