"""Find the IK controls of a control rig's limbs by experiment: a goal, and a pole that sets the bend direction.

A limb's goal is the control that carries the limb's end and bends it while its start stays in place. The pole is the
one that the limb's IK constraint names. What turns that constraint on is switched on, and stretching of the bones in
its chain is switched off, since a chain that stretches does not bend where it should.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .experiment import Experiment, distance, followed, is_carried, moved_with, turned
from .obstacles import is_at_work
from .switches import driving_properties

if TYPE_CHECKING:
    from .keys import Channel
    from .laboratory import Laboratory

_NEAR_END = 0.08
"""Largest distance of a goal from the end of its limb, relative to the size of the rig."""
_AT_JOINT = 0.02
_BENT = 0.25
"""How far a goal is moved towards the start of its limb, relative to the limb's length, to bend the limb."""
_LEAST_BEND = 0.01
_SAME_TURN_RAD = 0.05
_IK_RIGID = 3e-3
"""Largest deviation of a limb's ends in the search for its pole: Blender's solver approaches the goal by steps."""


@dataclass(frozen=True)
class IkLimb:
    """The IK controls of a limb.

    Attributes:
        upper: the bone at whose head it starts.
        lower: the bone at whose head it bends.
        end: the bone at whose head it ends.
        goal: the control that *end* follows.
        pole: the control towards which it bends.
        pole_turn: angle about the line from start to end, from where it bends to where the pole is, radians.
    """

    upper: str
    lower: str
    end: str
    goal: str
    pole: str
    pole_turn: float


@dataclass(frozen=True, eq=False)
class IkControls:
    """The IK controls of a character.

    Attributes:
        limbs: its limbs that have IK controls.
        others: the control of each bone that follows another one under IK than under FK: a toe.
        switches: the values of custom properties that put these limbs under IK.
        settings: values that make the limbs bend as the pole says; they do not matter under FK.
    """

    limbs: tuple[IkLimb, ...]
    others: Mapping[str, str]
    switches: Mapping[Channel, float]
    settings: Mapping[Channel, float]

    def among(self, known: Container[str]) -> IkControls:
        """Return those whose controls are all *known*."""
        return replace(
            self,
            limbs=tuple(limb for limb in self.limbs if limb.goal in known and limb.pole in known),
            others={bone: control for bone, control in self.others.items() if control in known},
        )

    @property
    def bones(self) -> list[str]:
        """All bones that they move."""
        return [bone for limb in self.limbs for bone in (limb.upper, limb.lower, limb.end)] + list(self.others)

    @property
    def controls(self) -> list[str]:
        """All of the controls."""
        return [name for limb in self.limbs for name in (limb.goal, limb.pole)] + list(self.others.values())


def find_ik_controls(
    laboratory: Laboratory, limbs: Iterable[Sequence[str]], control_of: Mapping[str, str], taken: Iterable[str]
) -> IkControls:
    """Return the IK controls of *limbs*; switches are left as they are found here.

    Args:
        laboratory: the character, with its switches set for FK.
        limbs: upper, lower and end bone of each limb.
        control_of: the FK control of each bone that has one.
        taken: controls that are keyed already.
    """
    search = _Search(laboratory, set(taken))
    waiting = [(upper, lower, end) for upper, lower, end in limbs]
    found: list[IkLimb] = []
    switches: dict[Channel, float] = {}
    for changed in search.states([control_of[lower] for _, lower, _ in waiting if lower in control_of]):
        new = [limb for names in waiting if (limb := search.limb(*names)) is not None]
        found += new
        waiting = [names for names in waiting if names not in [(limb.upper, limb.lower, limb.end) for limb in new]]
        switches |= changed if new else {}
        search.keep = bool(new)
        if not waiting:
            break
    return IkControls(tuple(found), search.others(found, control_of), switches, search.settings)


class _Search:
    """The search for the IK controls of one character.

    Attributes:
        settings: see `IkControls`.
        keep: whether the present state of the switches is to stay.
    """

    def __init__(self, laboratory: Laboratory, taken: set[str]) -> None:
        self._laboratory, self._taken = laboratory, taken
        self._bones = laboratory.armature.pose.bones
        self.settings: dict[Channel, float] = {}
        self.keep = False

    def states(self, lower: list[str]) -> Iterator[dict[Channel, float]]:
        """Yield the present state, then one group of switches after the other toggled, if that affects a limb.

        Args:
            lower: the controls of the limbs' lower parts under FK.
        """
        yield {}
        laboratory = self._laboratory
        for name, bones in laboratory.switch_groups().items():
            kept = [bone[name] for bone in bones]
            for value in (0.0, 1.0):
                if set(kept) == {value}:
                    continue
                laboratory.switch(name, bones, [value] * len(bones))
                self.keep = False
                if self._some_leave(lower):
                    path = f'["{bpy.utils.escape_identifier(name)}"]'
                    yield {(bone.name, path): value for bone in bones}
                if self.keep:
                    break
                laboratory.switch(name, bones, kept)

    def _some_leave(self, controls: list[str]) -> bool:
        """Return whether a bone no longer follows one of *controls*."""
        segments = {bone: end for bone, end in self._laboratory.segments.items() if end is not None}
        experiment = self._laboratory.evaluate(controls, 1)
        return len(set(followed(experiment, segments, controls).values())) < len(controls) if controls else True

    def limb(self, upper: str, lower: str, end: str) -> IkLimb | None:
        """Return the IK controls of a limb under the present state of the switches, if it has them."""
        goal = self._goal(upper, lower, end)
        pole = None if goal is None else self._pole(lower)
        if goal is None or pole is None:
            return None
        turn, again = (self._pole_turn((upper, lower, end), goal, pole, aside) for aside in (0.0, 0.3))
        if turn is None or again is None or abs(np.angle(np.exp(1j * (again - turn)))) > _SAME_TURN_RAD:
            return None
        self._taken |= {goal, pole}
        return IkLimb(upper, lower, end, goal, pole, turn)

    def _goal(self, upper: str, lower: str, end: str) -> str | None:
        """Return the control that carries *end* and bends the limb; of several, the one that carries most."""
        rest = self._laboratory.evaluate([], 0)
        best, most = None, 0
        for control in self._laboratory.controls:
            if control in self._taken or not self._can_move(control) or distance(rest, control, end) > _NEAR_END:
                continue
            posed = self._laboratory.evaluate_basis({control: self._bending(rest, control, upper, end)})
            moved = [_moved(posed, bone) for bone in (upper, lower)]
            if moved[0] > _IK_RIGID or moved[1] < _LEAST_BEND:
                continue
            count = int(moved_with(posed, control).sum())
            if count > most and is_carried(posed, control, end, self._laboratory.segments.get(end)):
                best, most = control, count
        return best

    def _can_move(self, control: str) -> bool:
        bone = self._laboratory.armature.data.bones[control]
        return not all(self._bones[control].lock_location) and not (bone.use_connect and bone.parent is not None)

    def _bending(self, rest: Experiment, goal: str, upper: str, end: str) -> np.ndarray:
        way = _head(rest, 0, upper) - _head(rest, 0, end)
        return self._laboratory.moved_basis(rest, goal, _BENT * way, turned=True)

    def _pole(self, lower: str) -> str | None:
        """Return the pole of the IK constraint of a limb's lower part, which is enabled."""
        rest = self._laboratory.evaluate([], 0)
        for bone in self._bones:
            for constraint in bone.constraints:
                if constraint.type != "IK" or constraint.pole_target != self._laboratory.armature:
                    continue
                pole = constraint.pole_subtarget
                if pole not in self._bones or pole in self._taken or distance(rest, bone.name, lower) > _AT_JOINT:
                    continue
                if not any(map(is_at_work, self._bones[pole].constraints)) and self._put_to_work(bone, constraint):
                    self._stop_stretching(bone, constraint.chain_count)
                    self._laboratory.add_control(pole)
                    return pole
        return None

    def _put_to_work(self, bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> bool:
        """Enable *constraint* by the custom properties that drive it; return whether it takes effect."""
        armature = self._laboratory.armature
        path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].constraints'
        path += f'["{bpy.utils.escape_identifier(constraint.name)}"].'
        for owner, name in driving_properties(armature, (f"{path}mute", f"{path}influence"), whole=True):
            if is_at_work(constraint):
                return True
            before = self._bones[owner][name]
            value = type(before)(not before)
            self._laboratory.switch(name, [self._bones[owner]], [value])
            armature.update_tag()
            bpy.context.view_layer.update()
            if is_at_work(constraint):
                self.settings[owner, f'["{bpy.utils.escape_identifier(name)}"]'] = float(value)
            else:
                self._laboratory.switch(name, [self._bones[owner]], [before])
        return is_at_work(constraint)

    def _stop_stretching(self, last: bpy.types.PoseBone, count: int) -> None:
        chain = [last, *last.parent_recursive]
        for bone in chain[: count or len(chain)]:
            if bone.ik_stretch > 0.0:
                bone.ik_stretch = 0.0
                self.settings[bone.name, "ik_stretch"] = 0.0

    def _pole_turn(self, joints: tuple[str, str, str], goal: str, pole: str, aside: float) -> float | None:
        """Return the angle of the pole from where the limb bends, with the pole moved *aside*; None if it has none."""
        upper, _, end = joints
        rest = self._laboratory.evaluate([], 0)
        basis = {goal: self._bending(rest, goal, upper, end)}
        way = _head(rest, 0, end) - _head(rest, 0, upper)
        across = np.cross(way, _head(rest, 0, pole) - _head(rest, 0, upper)) / np.linalg.norm(way)
        basis[pole] = self._laboratory.moved_basis(rest, pole, aside * across)
        posed = self._laboratory.evaluate_basis(basis)
        start, middle, stop = (_head(posed, 1, bone) for bone in joints)
        goal_at = posed.pose[1, posed.index[goal]] @ np.linalg.inv(posed.pose[0, posed.index[goal]])
        wanted = goal_at[:3, :3] @ _head(posed, 0, end) + goal_at[:3, 3]
        bend, line = middle - start, stop - start
        if np.linalg.norm(stop - wanted) > _IK_RIGID or _moved(posed, upper) > _IK_RIGID:
            return None
        line = line / np.linalg.norm(line)
        bend, there = (vector - (vector @ line) * line for vector in (bend, _head(posed, 1, pole) - start))
        if min(np.linalg.norm(bend), np.linalg.norm(there)) < _LEAST_BEND:
            return None
        return float(np.arctan2(np.cross(bend, there) @ line, bend @ there))

    def others(self, limbs: Iterable[IkLimb], control_of: Mapping[str, str]) -> dict[str, str]:
        """Return the controls of the bones beyond the limbs' ends whose FK controls do not carry them now."""
        found = {}
        rest = self._laboratory.evaluate([], 0)
        for limb in limbs:
            bone = self._laboratory.segments.get(limb.end)
            if bone is None or self._turns_alone(control_of.get(bone), bone, limb.end):
                continue
            for control in self._laboratory.controls:
                if control in self._taken or distance(rest, control, bone) > _AT_JOINT:
                    continue
                if self._turns_alone(control, bone, limb.end):
                    found[bone] = control
                    self._taken.add(control)
                    break
        return found

    def _turns_alone(self, control: str | None, bone: str, before: str) -> bool:
        """Return whether *control* carries *bone*, but not the one *before* it."""
        if control is None:
            return False
        posed = self._laboratory.evaluate([control], 1)
        carried = is_carried(posed, control, bone, self._laboratory.segments.get(bone))
        return carried and turned(posed, bone) and not turned(posed, before)


def _head(experiment: Experiment, number: int, bone: str) -> np.ndarray:
    head: np.ndarray = experiment.pose[number, experiment.index[bone], :3, 3]
    return head


def _moved(experiment: Experiment, bone: str) -> float:
    return float(np.linalg.norm(_head(experiment, 1, bone) - _head(experiment, 0, bone)))
