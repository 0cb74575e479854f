"""Find the controls of a control rig by experiment: turn them at random, and see what follows what. E evaluations.

No rig is known by name. With every control turned at random, a bone that keeps its place relative to one control in all
evaluations is carried by it, and the control that carries another control is its parent, whatever constraints lie
between. So the controls are keyed like an ordinary skeleton. Switches between FK and IK are custom properties that
drive constraints; they are set so that most bones follow a control.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from .action import suspended
from .errors import CharacterError
from .keys import Channel, Link
from .obstacles import driven_bones, is_at_work

_EVALUATIONS = 6
_TRIAL_EVALUATIONS = 1
"""Evaluations, besides the one at rest, in the final experiment, and in those that decide on a switch."""
_TURN_RAD = 0.3
"""How far controls are turned; they are not moved, since only the innermost control that carries all is keyed so."""
_RIGID = 1e-3
"""Largest deviation of a constant transform; lengths are relative to the size of the rig."""
_AT_JOINT = 0.02
"""Largest distance of a control's head from the joint that it turns, relative to the size of the rig."""
_MOST_SWITCHES = 60
_VARIABLE = re.compile(r'^pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\]\["(?P<name>(?:[^"\\]|\\.)*)"\]$')


@dataclass(frozen=True, eq=False)
class ControlRig:
    """The controls of a character.

    Attributes:
        links: how the controls hang on each other, parents before children; at rest in the armature's space.
        control_of: the control that carries each mapped bone that has one.
        traveller: the innermost control that carries all of them and has a location; None if there is none.
        switches: the values of custom properties under which this holds, where they differ from the present ones.
    """

    links: dict[str, Link]
    control_of: dict[str, str]
    traveller: str | None
    switches: dict[Channel, float]


@dataclass(frozen=True, eq=False)
class _Experiment:
    """The matrices of all bones in all evaluations; the first is at rest. Lengths are relative to the rig's size.

    Attributes:
        index: index of each bone.
        pose: (E, B, 4, 4) in the armature's space.
        carried: (E, B, 4, 4) where each bone would be without its own basis.
    """

    index: Mapping[str, int]
    pose: np.ndarray
    carried: np.ndarray


def find_controls(
    armature: bpy.types.Object, segments: Mapping[str, str | None], values: Mapping[Channel, Iterable[float]]
) -> ControlRig:
    """Return the controls that move the bones of *armature*; it is left exactly as it is. In Object or Pose Mode.

    Args:
        armature: the character, in the current view layer.
        segments: the mapped bones, and for each the mapped bone at whose head it ends, None for a last one.
        values: values of channels that an earlier motion has keyed, as they were before.

    Raises:
        CharacterError: no bone can be a control, or the character is in another view layer.
    """
    if bpy.context.view_layer.objects.get(armature.name) != armature:
        raise CharacterError(
            f"expected {armature.name} in the current view layer, to try its controls; show its collection"
        )
    controls = _controls(armature)
    if not controls:
        raise CharacterError(f"expected bones of {armature.name} that can be posed freely, found none")
    with suspended(armature, values), _restored(armature, controls):
        laboratory = _Laboratory(armature, controls, segments)
        inner = laboratory.inner_controls()
        switches = laboratory.choose_switches(inner)
        chosen, base = laboratory.choose_controls(inner)
        switches |= laboratory.choose_switches([*base, *chosen.values()])
        links, control_of = laboratory.links(base, chosen)
    travellers = [control for control in base if control in links and not links[control].connected]
    return ControlRig(links, control_of, travellers[-1] if travellers else None, switches)


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
def _restored(armature: bpy.types.Object, controls: list[str]) -> Iterator[None]:
    """Restore the poses of *controls* and all custom properties of bones afterwards."""
    names = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
    bones = armature.pose.bones
    poses = {control: {name: tuple(getattr(bones[control], name)) for name in names} for control in controls}
    switches = {switch: bones[switch[0]][switch[1]] for switch in _switches(armature)}
    try:
        yield
    finally:
        for control, pose in poses.items():
            for name, value in pose.items():
                setattr(bones[control], name, value)
        for (bone, name), value in switches.items():
            bones[bone][name] = value
        armature.update_tag()
        bpy.context.view_layer.update()


def _switches(armature: bpy.types.Object) -> list[tuple[str, str]]:
    """Return the custom properties of bones, as bone and name, that drive the influence of a constraint."""
    found: dict[tuple[str, str], None] = {}
    animation = armature.animation_data
    for curve in animation.drivers if animation is not None else ():
        if not curve.data_path.endswith(("].influence", "].weight")):
            continue
        for variable in curve.driver.variables:
            for target in variable.targets:
                match = _VARIABLE.match(target.data_path) if target.id == armature else None
                if match is None:
                    continue
                bone, name = (bpy.utils.unescape_identifier(part) for part in match.group("bone", "name"))
                posed = armature.pose.bones.get(bone)
                if posed is not None and isinstance(posed.get(name), float):
                    found[bone, name] = None
    return list(found)[:_MOST_SWITCHES]


class _Laboratory:
    """The experiments on one character."""

    def __init__(self, armature: bpy.types.Object, controls: list[str], segments: Mapping[str, str | None]) -> None:
        self._armature, self._controls, self._segments = armature, controls, segments
        spans = np.ptp([bone.head_local for bone in armature.data.bones], axis=0)
        self._size = max(float(spans.max()), 1e-9)
        self._rng = np.random.default_rng(1)
        self._rest: tuple[np.ndarray, np.ndarray] | None = None

    def inner_controls(self) -> list[str]:
        """Return the controls that carry other ones when all are posed at once."""
        experiment = self._evaluate(self._controls, _TRIAL_EVALUATIONS)
        carriers = {_carrier(experiment, control, self._controls) for control in self._controls}
        return [control for control in self._controls if control in carriers]

    def choose_switches(self, controls: list[str]) -> dict[Channel, float]:
        """Set the switches so that most segments and most of *controls* follow rigidly; return the changes.

        Switches of one name, as each limb has one, are set together.
        """
        changed: dict[Channel, float] = {}
        groups: dict[str, list[bpy.types.PoseBone]] = {}
        for bone, name in _switches(self._armature):
            groups.setdefault(name, []).append(self._armature.pose.bones[bone])
        best = self._num_followed(controls)
        for name, bones in groups.items():
            kept = [bone[name] for bone in bones]
            for value in (0.0, 1.0):
                if best == (len(self._segments), len(controls)) or set(kept) == {value}:
                    continue
                self._switch(name, bones, [value] * len(bones))
                found = self._num_followed(controls)
                if found > best:
                    best, kept = found, [value] * len(bones)
                    path = f'["{bpy.utils.escape_identifier(name)}"]'
                    changed |= {(bone.name, path): value for bone in bones}
            self._switch(name, bones, kept)
        return changed

    def _switch(self, name: str, bones: list[bpy.types.PoseBone], values: list[float]) -> None:
        for bone, value in zip(bones, values, strict=True):
            bone[name] = value
        self._rest = None

    def _num_followed(self, controls: list[str]) -> tuple[int, int]:
        """Return how many of *controls* carry a segment that they lie at an end of, and how many are carried."""
        experiment = self._evaluate(controls, _TRIAL_EVALUATIONS)
        carried = sum(_carrier(experiment, control, controls) is not False for control in controls)
        found = _followed(experiment, self._segments, controls).items()
        return len({control for bone, control in found if self._is_near(experiment, control, bone)}), carried

    def _is_near(self, experiment: _Experiment, control: str, bone: str) -> bool:
        """Return whether the head of *control* is at an end of the segment that begins with *bone*."""
        end = self._segments[bone]
        ends = [bone] if end is None else [bone, end]
        return min(_distance(experiment, control, joint) for joint in ends) < _AT_JOINT

    def choose_controls(self, inner: list[str]) -> tuple[dict[str, str], list[str]]:
        """Return the control of each segment, and the controls that carry all segments, from the root inwards.

        Each control that is *inner* or at the end of a segment is posed alone. The control of a segment lies at one of
        its ends and carries it; of several it is the one that carries most, since the others only adjust it.
        """
        carried: dict[str, tuple[set[str], int]] = {}
        rest = self._evaluate([], 0)
        joints = {joint for pair in self._segments.items() for joint in pair if joint is not None}
        for control in self._controls:
            if control not in inner and min(_distance(rest, control, joint) for joint in joints) > _AT_JOINT:
                continue
            posed = self._evaluate([control], 1)
            moves = _moved_with(posed, control)
            moved = {bone for bone, end in self._segments.items() if _is_carried(posed, control, bone, end)}
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
        chosen = _distinct(rest, choices)
        return chosen, [control for control in base if control not in chosen.values()]

    def links(self, base: list[str], chosen: Mapping[str, str]) -> tuple[dict[str, Link], dict[str, str]]:
        """Return the links of the controls that are carried up to the root, and the bones that follow theirs then.

        All of the controls are posed at once. Parents come before children.
        """
        controls = [*base, *chosen.values()]
        experiment = self._evaluate(controls, _EVALUATIONS)
        parents = {control: _carrier(experiment, control, controls) for control in controls}
        links: dict[str, Link] = {}
        while True:
            new = [
                (name, parent)
                for name, parent in parents.items()
                if name not in links and (parent is None or parent in links)
            ]
            if not new:
                break
            for name, parent in new:
                assert parent is None or isinstance(parent, str), "those that follow nothing are in no link"
                links[name] = self._link(experiment, name, parent)
        following = {
            bone: control
            for bone, control in chosen.items()
            if control in links and _followed(experiment, {bone: self._segments[bone]}, [control])
        }
        return links, following

    def _link(self, experiment: _Experiment, name: str, parent: str | None) -> Link:
        rest = experiment.pose[0, experiment.index[name]].copy()
        rest[:3, 3] *= self._size
        bone = self._armature.data.bones[name]
        axes = None
        if not bone.use_local_location:
            above = bone.parent
            axes = np.eye(3) if above is None else experiment.pose[0, experiment.index[above.name], :3, :3]
        return Link(parent, rest, location_axes=axes, connected=bone.use_connect and bone.parent is not None)

    def _evaluate(self, moved: Iterable[str], count: int) -> _Experiment:
        """Pose the controls *moved* at random *count* times, the others at rest; first, all at rest."""
        bones = self._armature.pose.bones
        index = {bone.name: row for row, bone in enumerate(bones)}
        self._rest = self._rest or self._pose([])
        found = [self._rest] + [self._pose(moved) for _ in range(count)]
        return _Experiment(index, *(np.array(matrices) for matrices in zip(*found, strict=True)))

    def _pose(self, moved: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """Pose the controls *moved* at random and all others at rest; return `pose` and `carried` (B, 4, 4)."""
        bones = self._armature.pose.bones
        basis = {control: Matrix.Identity(4) for control in self._controls}
        basis |= {control: self._random_basis() for control in moved}
        for control, matrix in basis.items():
            bones[control].matrix_basis = matrix
        self._armature.update_tag()
        bpy.context.view_layer.update()
        pose = np.array([bone.matrix for bone in bones], dtype=np.float64)
        done = [np.array(bone.matrix_basis) if bone.name in basis else np.eye(4) for bone in bones]
        carried = pose @ np.linalg.inv(np.array(done, dtype=np.float64))
        for matrices in (pose, carried):
            matrices[:, :3, 3] /= self._size
        return pose, carried

    def _random_basis(self) -> Matrix:
        turn = Quaternion(Vector(self._rng.normal(size=3)).normalized(), self._rng.choice((-_TURN_RAD, _TURN_RAD)))
        return turn.to_matrix().to_4x4()


def _carrier(experiment: _Experiment, control: str, controls: list[str]) -> str | None | bool:
    """Return the control that carries *control*; None if nothing does, False if it follows none rigidly."""
    wanted = experiment.carried[:, experiment.index[control]]
    if np.abs(wanted - wanted[0]).max() < _RIGID:
        return None
    others = [other for other in controls if other != control]
    frames = experiment.pose[:, [experiment.index[other] for other in others]]
    relative = np.linalg.inv(frames) @ wanted[:, None]
    off = np.abs(relative - relative[:1]).max(axis=(0, 2, 3))
    best = int(off.argmin())
    return others[best] if off[best] < _RIGID else False


def _followed(experiment: _Experiment, segments: Mapping[str, str | None], controls: list[str]) -> dict[str, str]:
    """Return the control that carries each bone: the whole bone, or both ends of the segment that begins with it.

    The second holds for bones that take only part of a limb's twist.
    """
    found = {}
    frames = np.linalg.inv(experiment.pose[:, [experiment.index[control] for control in controls]])
    for bone, end in segments.items():
        matrices = frames @ experiment.pose[:, None, experiment.index[bone]]
        off = np.abs(matrices - matrices[:1]).max(axis=(0, 2, 3))
        if off.min() >= _RIGID and end is not None:
            heads = experiment.pose[:, [experiment.index[bone], experiment.index[end]]][..., 3]
            points = frames[:, :, None] @ heads[:, None, ..., None]
            off = np.abs(points - points[:1]).max(axis=(0, 2, 3, 4))
        if off.min() < _RIGID:
            found[bone] = controls[int(off.argmin())]
    return found


def _distinct(experiment: _Experiment, choices: Mapping[str, list[str]]) -> dict[str, str]:
    """Return for each bone the last of its *choices* that no other bone has a better claim to: nearer to its joint."""
    owners: dict[str, str] = {}
    waiting = [bone for bone in choices if choices[bone]]
    left = {bone: list(controls) for bone, controls in choices.items()}
    while waiting:
        bone = waiting.pop()
        if not left[bone]:
            continue
        control = left[bone].pop()
        rival = owners.get(control)
        if rival is None or _distance(experiment, control, bone) < _distance(experiment, control, rival):
            owners[control] = bone
            waiting += [] if rival is None else [rival]
        else:
            waiting.append(bone)
    return {bone: control for control, bone in owners.items()}


def _distance(experiment: _Experiment, first: str, second: str) -> float:
    """Return the distance of the heads of two bones at rest, relative to the size of the rig."""
    heads = experiment.pose[0, [experiment.index[first], experiment.index[second]], :3, 3]
    return float(np.linalg.norm(heads[1] - heads[0]))


def _moved_with(experiment: _Experiment, control: str) -> np.ndarray:
    """Return which bones (B,) moved exactly as *control* did between the first two evaluations."""
    before, after = experiment.pose[0], experiment.pose[1]
    row = experiment.index[control]
    moved = after[row] @ np.linalg.inv(before[row]) @ before
    found: np.ndarray = np.abs(moved - after).max(axis=(1, 2)) < _RIGID
    return found


def _is_carried(experiment: _Experiment, control: str, bone: str, end: str | None) -> bool:
    """Return whether *bone*, or the joints at its two ends, moved exactly as *control* did."""
    before, after = experiment.pose[0], experiment.pose[1]
    row = experiment.index[control]
    motion = after[row] @ np.linalg.inv(before[row])
    joints = [experiment.index[bone]] if end is None else [experiment.index[bone], experiment.index[end]]
    off = np.abs(motion @ before[joints] - after[joints])
    return bool(off[0].max() < _RIGID or (end is not None and off[..., 3].max() < _RIGID))
