"""Find the controls of a control rig by experiment: rotate them at random, and detect what follows what. E evaluations.

No rig is known by name. With every control turned at random, a bone that keeps its place relative to one control in all
evaluations is carried by it, and the control that carries another control is its parent, whatever constraints lie
between. So the controls are keyed like an ordinary skeleton. Switches between FK and IK are custom properties that
drive constraints; they are set so that most bones follow a control.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy

from ..figure.scene_state import is_among
from .action import suspended
from .errors import CharacterError
from .experiment import Experiment, carrier, distance, distinct, followed, is_carried, moved_with, turned
from .ik_controls import IkControls, find_ik_controls
from .keys import Channel, Link
from .laboratory import Laboratory
from .obstacles import driven_bones, is_at_work

_EVALUATIONS = 6
_TRIAL_EVALUATIONS = 1
"""Evaluations, besides the one at rest, in the final experiment, and in those that decide on a switch."""
_AT_JOINT = 0.02
"""Largest distance of a control's head from the joint that it turns, relative to the size of the rig."""


@dataclass(frozen=True, eq=False)
class ControlRig:
    """The controls of a character.

    Attributes:
        links: how the controls hang on each other, parents before children; at rest in the armature's space.
        control_of: the control that carries each mapped bone that has one.
        traveller: the innermost control that carries all of them and has a location; None if there is none.
        switches: the values of custom properties under which this holds, where they differ from the present ones.
        ik: the IK controls of the limbs; they are among *links* too.
    """

    links: dict[str, Link]
    control_of: dict[str, str]
    traveller: str | None
    switches: dict[Channel, float]
    ik: IkControls


def find_controls(
    armature: bpy.types.Object,
    segments: Mapping[str, str | None],
    limbs: Iterable[Sequence[str]],
    values: Mapping[Channel, Iterable[float]],
) -> ControlRig:
    """Return the controls that move the bones of *armature*; it is left exactly as it is. In Object or Pose Mode.

    Args:
        armature: the character, in the current view layer.
        segments: the mapped bones, and for each the mapped bone at whose head it ends, None for a last one.
        limbs: upper, lower and end bone of each limb.
        values: values of channels that an earlier motion has keyed, as they were before.

    Raises:
        CharacterError: no bone can be a control, or the character is in another view layer.
    """
    if not is_among(armature, bpy.context.view_layer.objects):
        raise CharacterError(
            f"expected {armature.name} in the current view layer, to try its controls; show its collection"
        )
    controls = _controls(armature)
    if not controls:
        raise CharacterError(f"expected bones of {armature.name} that can be posed freely, found none")
    with suspended(armature, values), _restored(armature):
        laboratory = Laboratory(armature, controls, segments)
        search = _Search(laboratory)
        inner = search.inner_controls()
        switches = search.choose_switches(inner)
        chosen, base = search.choose_controls(inner)
        switches |= search.choose_switches([*base, *chosen.values()])
        links, control_of = search.links(base, chosen)
        chains = list(limbs)
        ik = find_ik_controls(laboratory, chains, control_of, _keyed_under_fk(base, chains, control_of))
        links = search.more_links(links, ik.controls)
    travellers = [control for control in base if control in links and not links[control].connected]
    return ControlRig(links, control_of, travellers[-1] if travellers else None, switches, ik.among(links))


def _keyed_under_fk(base: Iterable[str], limbs: Iterable[Sequence[str]], control_of: Mapping[str, str]) -> set[str]:
    """Return the controls that can be no goal of IK: all that are keyed, but those of the ends of limbs without FK."""
    ends = {end for upper, lower, end in limbs if upper not in control_of and lower not in control_of}
    return {*base, *(control for bone, control in control_of.items() if bone not in ends)}


def _controls(armature: bpy.types.Object) -> list[str]:
    """Return the bones that nothing but the user moves; if there are bones with shapes of their own, only these."""
    driven = driven_bones(armature)
    free = [
        bone.name
        for bone in armature.pose.bones
        if not any(map(is_at_work, bone.constraints)) and bone.name not in driven and not all(bone.lock_rotation)
    ]
    shaped = [name for name in free if armature.pose.bones[name].custom_shape is not None]
    return shaped or free


@contextmanager
def _restored(armature: bpy.types.Object) -> Iterator[None]:
    """Restore the poses, IK settings and custom properties of all bones afterwards."""
    names = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
    bones = armature.pose.bones
    poses: list[tuple[bpy.types.PoseBone, str, Any]]
    poses = [(bone, name, tuple(getattr(bone, name))) for bone in bones for name in names]
    poses += [(bone, "ik_stretch", bone.ik_stretch) for bone in bones]
    kept = [(bone, name, value) for bone in bones for name, value in bone.items() if isinstance(value, int | float)]
    try:
        yield
    finally:
        for bone, name, value in poses:
            setattr(bone, name, value)
        for bone, name, value in kept:
            if bone[name] != value:
                bone[name] = value
        armature.update_tag()
        bpy.context.view_layer.update()


class _Search:
    """The search for the controls of one character."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._controls, self._segments = laboratory.controls, laboratory.segments

    def inner_controls(self) -> list[str]:
        """Return the controls that carry other ones when all are posed at once."""
        experiment = self._laboratory.evaluate(self._controls, _TRIAL_EVALUATIONS)
        carriers = {carrier(experiment, control, self._controls) for control in self._controls}
        return [control for control in self._controls if control in carriers]

    def choose_switches(self, controls: list[str]) -> dict[Channel, float]:
        """Set the switches so that most segments and most of *controls* follow rigidly; return the changes.

        Switches of one name, as each limb has one, are set together.
        """
        changed: dict[Channel, float] = {}
        best = self._num_followed(controls)
        for name, bones in self._laboratory.switch_groups().items():
            kept = [bone[name] for bone in bones]
            for value in (0.0, 1.0):
                if best == (len(self._segments), len(controls)) or set(kept) == {value}:
                    continue
                self._laboratory.switch(name, bones, [value] * len(bones))
                found = self._num_followed(controls)
                if found > best:
                    best, kept = found, [value] * len(bones)
                    path = f'["{bpy.utils.escape_identifier(name)}"]'
                    changed |= {(bone.name, path): value for bone in bones}
            self._laboratory.switch(name, bones, kept)
        return changed

    def _num_followed(self, controls: list[str]) -> tuple[int, int]:
        """Return how many of *controls* carry a segment that they lie at an end of, and how many are carried."""
        experiment = self._laboratory.evaluate(controls, _TRIAL_EVALUATIONS)
        carried = sum(carrier(experiment, control, controls) is not False for control in controls)
        found = followed(experiment, self._segments, controls).items()
        return len({control for bone, control in found if self._is_near(experiment, control, bone)}), carried

    def _is_near(self, experiment: Experiment, control: str, bone: str) -> bool:
        """Return whether the head of *control* is at an end of the segment that begins with *bone*."""
        end = self._segments[bone]
        ends = [bone] if end is None else [bone, end]
        return min(distance(experiment, control, joint) for joint in ends) < _AT_JOINT

    def choose_controls(self, inner: list[str]) -> tuple[dict[str, str], list[str]]:
        """Return the control of each segment, and the controls that carry all segments, from the root inwards.

        Each control that is *inner* or at the end of a segment is posed alone. The control of a segment lies at one of
        its ends and carries it; of several it is the one that carries most, since the others only adjust it.
        """
        carried: dict[str, tuple[set[str], int]] = {}
        rest = self._laboratory.evaluate([], 0)
        joints = {joint for pair in self._segments.items() for joint in pair if joint is not None}
        for control in self._controls:
            if control not in inner and min(distance(rest, control, joint) for joint in joints) > _AT_JOINT:
                continue
            posed = self._laboratory.evaluate([control], 1)
            if not turned(posed, control):
                continue
            moves = moved_with(posed, control)
            moved = {bone for bone, end in self._segments.items() if is_carried(posed, control, bone, end)}
            carried[control] = moved, int(moves.sum())
        most = max(len(bones) for bones, _ in carried.values())
        base = [control for control, (bones, _) in carried.items() if len(bones) == most]
        base.sort(key=lambda control: -carried[control][1])
        choices = {
            bone: sorted(
                (control for control in carried if bone in carried[control][0] and self._is_near(rest, control, bone)),
                key=lambda control: (len(carried[control][0]), carried[control][1]),
            )
            for bone in self._segments
        }
        chosen = distinct(rest, choices)
        return chosen, [control for control in base if control not in chosen.values()]

    def links(self, base: list[str], chosen: Mapping[str, str]) -> tuple[dict[str, Link], dict[str, str]]:
        """Return the links of the controls that are carried up to the root, and the bones that follow theirs then.

        All of the controls are posed at once. Parents come before children.
        """
        controls = [*base, *chosen.values()]
        experiment = self._laboratory.evaluate(controls, _EVALUATIONS)
        links = self._hang({}, experiment, controls)
        following = {
            bone: control
            for bone, control in chosen.items()
            if control in links and followed(experiment, {bone: self._segments[bone]}, [control])
        }
        return links, following

    def more_links(self, links: Mapping[str, Link], new: Iterable[str]) -> dict[str, Link]:
        """Return the links of the *new* controls that hang on each other and on those of *links*.

        With all controls posed, a chain of IK may not reach its goal; so those that hang on its end are then tried with
        the *new* ones alone.
        """
        controls = [*links, *new]
        found = self._hang(links, self._laboratory.evaluate(controls, _EVALUATIONS), controls)
        if all(name in found for name in controls):
            return found
        alone = self._hang(found, self._laboratory.evaluate(controls[len(links) :], _EVALUATIONS), controls)
        return {name: link for name, link in alone.items() if name in found or link.parent is not None}

    def _hang(self, links: Mapping[str, Link], experiment: Experiment, controls: list[str]) -> dict[str, Link]:
        """Return *links* and those of the other *controls* that are carried up to a root, parents before children."""
        found = dict(links)
        parents = {name: carrier(experiment, name, controls) for name in controls if name not in found}
        while True:
            new = [
                (name, parent)
                for name, parent in parents.items()
                if name not in found and (parent is None or parent in found)
            ]
            if not new:
                return found
            for name, parent in new:
                assert parent is None or isinstance(parent, str), "those that follow nothing are in no link"
                found[name] = self._laboratory.link(experiment, name, parent)
