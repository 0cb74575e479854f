"""Results of an experiment with a control rig: which bones moved with which control. E evaluations, B bones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RIGID = 1e-3
"""Largest deviation of a constant transform; lengths are relative to the size of the rig."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """The matrices of all bones in all evaluations; the first is at rest. Lengths are relative to the rig's size.

    Attributes:
        index: index of each bone.
        pose: (E, B, 4, 4) in the armature's space.
        carried: (E, B, 4, 4) where each bone would be without its own basis.
    """

    index: Mapping[str, int]
    pose: np.ndarray
    carried: np.ndarray


def carrier(experiment: Experiment, control: str, controls: list[str]) -> str | None | bool:
    """Return the control that carries *control*; None if nothing does, False if it follows none rigidly."""
    wanted = experiment.carried[:, experiment.index[control]]
    if np.abs(wanted - wanted[0]).max() < RIGID:
        return None
    others = [other for other in controls if other != control]
    frames = experiment.pose[:, [experiment.index[other] for other in others]]
    relative = np.linalg.inv(frames) @ wanted[:, None]
    off = np.abs(relative - relative[:1]).max(axis=(0, 2, 3))
    best = int(off.argmin())
    return others[best] if off[best] < RIGID else False


def followed(experiment: Experiment, segments: Mapping[str, str | None], controls: list[str]) -> dict[str, str]:
    """Return the control that carries each bone: the whole bone, or both ends of the segment that begins with it.

    The second holds for bones that take only part of a limb's twist.
    """
    found = {}
    frames = np.linalg.inv(experiment.pose[:, [experiment.index[control] for control in controls]])
    for bone, end in segments.items():
        matrices = frames @ experiment.pose[:, None, experiment.index[bone]]
        off = np.abs(matrices - matrices[:1]).max(axis=(0, 2, 3))
        if off.min() >= RIGID and end is not None:
            heads = experiment.pose[:, [experiment.index[bone], experiment.index[end]]][..., 3]
            points = frames[:, :, None] @ heads[:, None, ..., None]
            off = np.abs(points - points[:1]).max(axis=(0, 2, 3, 4))
        if off.min() < RIGID:
            found[bone] = controls[int(off.argmin())]
    return found


def distinct(experiment: Experiment, choices: Mapping[str, list[str]]) -> dict[str, str]:
    """Return for each bone the last of its *choices* that is not nearer to the joint of another bone."""
    owners: dict[str, str] = {}
    waiting = [bone for bone in choices if choices[bone]]
    left = {bone: list(controls) for bone, controls in choices.items()}
    while waiting:
        bone = waiting.pop()
        if not left[bone]:
            continue
        control = left[bone].pop()
        rival = owners.get(control)
        if rival is None or distance(experiment, control, bone) < distance(experiment, control, rival):
            owners[control] = bone
            waiting += [] if rival is None else [rival]
        else:
            waiting.append(bone)
    return {bone: control for control, bone in owners.items()}


def distance(experiment: Experiment, first: str, second: str) -> float:
    """Return the distance of the heads of two bones at rest, relative to the size of the rig."""
    heads = experiment.pose[0, [experiment.index[first], experiment.index[second]], :3, 3]
    return float(np.linalg.norm(heads[1] - heads[0]))


def moved_with(experiment: Experiment, control: str) -> np.ndarray:
    """Return which bones (B,) moved exactly as *control* did between the first two evaluations."""
    before, after = experiment.pose[0], experiment.pose[1]
    row = experiment.index[control]
    moved = after[row] @ np.linalg.inv(before[row]) @ before
    found: np.ndarray = np.abs(moved - after).max(axis=(1, 2)) < RIGID
    return found


def is_carried(experiment: Experiment, control: str, bone: str, end: str | None) -> bool:
    """Return whether *bone*, or the joints at its two ends, moved exactly as *control* did."""
    before, after = experiment.pose[0], experiment.pose[1]
    row = experiment.index[control]
    motion = after[row] @ np.linalg.inv(before[row])
    joints = [experiment.index[bone]] if end is None else [experiment.index[bone], experiment.index[end]]
    off = np.abs(motion @ before[joints] - after[joints])
    return bool(off[0].max() < RIGID or (end is not None and off[..., 3].max() < RIGID))


def turned(experiment: Experiment, bone: str) -> bool:
    """Return whether *bone* turned between the first two evaluations; IK holds the bones of its chain."""
    turns = experiment.pose[:2, experiment.index[bone], :3, :3]
    return bool(np.abs(turns[1] - turns[0]).max() > RIGID)
