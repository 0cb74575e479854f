"""Keys of a retargeted motion on a character's own channels: each bone's rotation mode, the object's scale and turn.

F frames, B bones, M moved bones.

Convention: all in the armature's space. ``D`` is a bone's motion since rest, so its pose is ``D R`` with the rest
matrix R. A bone that does not turn itself has its parent's D. Blender composes a pose from the parent's: the basis
rotation of a bone is ``(D_parent R)^-1 (D R)``, or ``R^-1 (D R)`` where it does not inherit rotation; its location is
measured from where the parent carries its head, in the axes ``D_parent R``, or in the parent's own where it has no
local location.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np

from ..core_access import Carrier, RetargetedMotion
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.units import world_in_metres
from .errors import CharacterError
from .read_rig import rest_matrices, rotation_of
from .rotation_values import NEUTRAL, channel_of, rotation_values

Channel = tuple[str, str]
"""A bone, empty for the object, and a channel or custom property: ("Hips", "location"), ("Leg", '["IK"]')."""

ROOT_MOTIONS = ("hips", "bone", "object")
"""What carries the path through the room: the hips bone, the topmost bone above it, or the armature object."""

_SAME = 1e-6
"""Largest deviation of a basis from none that needs no key."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Values of one channel.

    Attributes:
        channel: the bone, empty for the object, and the channel's name.
        values: (F, N) one row per frame; (1, N) for a channel that keeps one value.
    """

    channel: Channel
    values: np.ndarray


def owner_of(armature: bpy.types.Object, channel: Channel) -> bpy.types.Object | bpy.types.PoseBone:
    """Return the bone of *armature* that *channel* belongs to, or the object."""
    return armature.pose.bones[channel[0]] if channel[0] else armature


def path_of(channel: Channel) -> str:
    """Return the data path of *channel*, relative to the armature object."""
    bone, name = channel
    if not bone:
        return name
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"]{"" if is_custom(channel) else "."}{name}'


def is_custom(channel: Channel) -> bool:
    """Return whether *channel* is a custom property of a bone."""
    return channel[1].startswith('["')


def custom_name(channel: Channel) -> str:
    """Return the name of the custom property that *channel* is."""
    name: str = bpy.utils.unescape_identifier(channel[1][2:-2])
    return name


@dataclass(frozen=True, eq=False)
class Link:
    """The relation of a keyed bone to its parent.

    Attributes:
        parent: the bone that carries it; None for none.
        rest: (4, 4) its matrix at rest, in the armature's space.
        inherits_rotation: whether its parent turns it.
        location_axes: (3, 3) the axes of its location at rest, which turn with its parent; None for its own.
        connected: whether it has no location.
    """

    parent: str | None
    rest: np.ndarray
    inherits_rotation: bool = True
    location_axes: np.ndarray | None = None
    connected: bool = False


Links = Mapping[str, Link]
"""The bones by name, parents before children."""


def bone_links(armature: bpy.types.Object) -> dict[str, Link]:
    """Return the parent relations of the bones of *armature*, from its own hierarchy."""
    return {
        bone.name: Link(
            parent=bone.parent.name if bone.parent is not None else None,
            rest=rest,
            inherits_rotation=bone.use_inherit_rotation,
            location_axes=None if bone.use_local_location else _parent_axes(bone),
            connected=bone.parent is not None and bone.use_connect,
        )
        for bone, rest in zip(armature.data.bones, rest_matrices(armature), strict=True)
    }


def _parent_axes(bone: bpy.types.Bone) -> np.ndarray:
    return np.eye(3) if bone.parent is None else np.array(bone.parent.matrix_local, dtype=np.float64)[:3, :3]


@dataclass(frozen=True, eq=False)
class BoneMotion:
    """The target motion of the keyed bones: world space, metres, Y up.

    Attributes:
        names: the M bones, the hips first.
        rotations: (F, M, 3, 3) world rotations.
        root: (F, 3) positions of the head of the first.
        hips_at_rest: (3,) where the hips are at rest.
        traveller: the bone whose location puts the hips in place; None for the hips, or the next bone above that has a
            location.
        carrier: the path over the floor, for a root bone or the object.
        places: (F, 3) positions of the heads of bones that are moved to where they belong, as goals of IK are.
    """

    names: tuple[str, ...]
    rotations: np.ndarray
    root: np.ndarray
    hips_at_rest: np.ndarray
    carrier: Carrier | None = None
    traveller: str | None = None
    places: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, motion: RetargetedMotion) -> BoneMotion:
        """Return the motion of a character's own bones."""
        names = tuple(motion.rig.names[bone] for bone in motion.bones)
        return cls(names, motion.rotations, motion.root, motion.rig.heads[motion.bones[0]], motion.carrier)


def held_bones(links: Links, moved: Iterable[str]) -> list[str]:
    """Return the bones whose pose the keys determine: *moved* and everything above, parents before children."""
    held = {name for bone in moved for name in (bone, *_above(links, bone))}
    return [name for name in links if name in held]


def traveller_of(links: Links, hips: str) -> str:
    """Return the bone whose location puts *hips* in place: the first at or above it that has one."""
    return next(name for name in (hips, *_above(links, hips)) if not links[name].connected)


def turn_since_rest(posed: np.ndarray, world: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the rotations (..., 3, 3) since rest, in the armature's space, of bones with a world rotation.

    Args:
        posed: (..., 3, 3) world rotations, Y up.
        world: (..., 3, 3) rotations of the armature's object.
        rest: (..., 3, 3) rotations of the bones at rest.
    """
    found: np.ndarray = np.swapaxes(world, -1, -2) @ Z_UP_FROM_Y_UP @ posed @ np.swapaxes(rest, -1, -2)
    return found


def basis_of(turn: np.ndarray, parent_turn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the basis rotations (..., 3, 3) of bones.

    Args:
        turn: (..., 3, 3) their rotations since rest.
        parent_turn: (..., 3, 3) those of the parents that they inherit; none for a bone that does not.
        rest: (..., 3, 3) their rotations at rest.
    """
    found: np.ndarray = np.swapaxes(parent_turn @ rest, -1, -2) @ turn @ rest
    return found


def _above(links: Links, bone: str) -> list[str]:
    """Return the bones that carry *bone*, from its parent up to a root."""
    found = []
    parent = links[bone].parent
    while parent is not None:
        found.append(parent)
        parent = links[parent].parent
    return found


def character_curves(
    armature: bpy.types.Object,
    motion: BoneMotion,
    root_motion: str,
    before: Mapping[Channel, Sequence[float]] | None = None,
    links: Links | None = None,
) -> list[Curve]:
    """Return the channels that make *armature* perform *motion*; bones that carry no moved bone are left out.

    A channel that must be neutral gets one key, unless it is neutral anyway.

    Args:
        armature: the character, whose object stands where the motion was solved for it.
        motion: the motion.
        root_motion: one of `ROOT_MOTIONS`.
        before: the values of channels that are animated by earlier keys of this module, without these.
        links: how the bones hang on each other; None for the armature's own hierarchy.

    Raises:
        CharacterError: nothing is there to carry the root motion.
        RigError: the object is scaled unevenly, sheared or mirrored.
    """
    pose = _Pose(armature, motion, root_motion, before or {}, bone_links(armature) if links is None else links)
    curves = list(pose.object_curves())
    for bone in held_bones(pose.links, [*motion.names, *motion.places]):
        curves += pose.bone_curves(bone)
    return curves


class _Pose:
    """The motions since rest of the held bones, worked out from the roots on."""

    def __init__(
        self,
        armature: bpy.types.Object,
        motion: BoneMotion,
        root_motion: str,
        before: Mapping[Channel, Sequence[float]],
        links: Links,
    ) -> None:
        self.links = links
        self._armature, self._motion, self._before = armature, motion, before
        self._world = world_in_metres(armature, bpy.context.scene)
        self._turn = rotation_of(self._world, armature.name)
        self._num_frames = len(motion.root)
        self._hips = motion.names[0]
        self._row = {name: row for row, name in enumerate(motion.names)}
        self._object_moves = root_motion == "object"
        self._path = np.eye(4)[None] if root_motion == "hips" else self._find_path()
        self._carrier = self._find_carrier() if root_motion == "bone" else ""
        self._traveller = traveller_of(links, motion.traveller or self._hips)
        self._turns: dict[str, np.ndarray] = {}
        self._shifts: dict[str, np.ndarray] = {}

    def _find_carrier(self) -> str:
        """Return the bone that carries the path."""
        above = _above(self.links, self._hips)
        if not above or above[-1] in self._row:
            raise CharacterError(
                f"expected a root bone above {self._hips}, but {self._armature.name} has none; "
                "choose Hips or Object as the root motion"
            )
        return above[-1]

    def _find_path(self) -> np.ndarray:
        """Return the motion (F, 4, 4) since rest, in the world, of the point on the floor below the hips."""
        carrier = self._motion.carrier
        assert carrier is not None, "the core gives one for a root bone or the object"
        path = np.tile(np.eye(4), (self._num_frames, 1, 1))
        cosine, sine = np.cos(carrier.yaw), np.sin(carrier.yaw)
        path[:, 0, 0], path[:, 0, 1], path[:, 1, 0], path[:, 1, 1] = cosine, -sine, sine, cosine
        start = Z_UP_FROM_Y_UP @ self._motion.hips_at_rest * (1.0, 1.0, 0.0)
        path[:, :3, 3] = carrier.position @ Z_UP_FROM_Y_UP.T - path[:, :3, :3] @ start
        return path

    def object_curves(self) -> Iterator[Curve]:
        """Yield the channels of the object, if it carries the path."""
        if not self._object_moves:
            return
        armature = self._armature
        before = np.array(armature.matrix_basis, dtype=np.float64)
        rotation_of(before, armature.name)
        size = np.linalg.norm(before[:3, 0])
        if armature.constraints or _has_deltas(armature):
            raise CharacterError(
                f"expected {armature.name} to be free to move, but it has constraints or delta transforms; choose Hips "
                "as the root motion"
            )
        places = before @ np.linalg.solve(self._world, self._path @ self._world)
        yield Curve(("", "location"), places[:, :3, 3])
        mode = armature.rotation_mode
        yield Curve(("", channel_of(mode)), rotation_values(places[:, :3, :3] / size, mode))

    def bone_curves(self, name: str) -> list[Curve]:
        """Return the channels of a held bone; its parents' must have been asked for before."""
        posed, link = self._armature.pose.bones[name], self.links[name]
        rest = link.rest
        parent_turn = np.eye(3) if link.parent is None else self._turns[link.parent]
        parent_shift = np.zeros(3) if link.parent is None else self._shifts[link.parent]
        carried = rest[:3, 3] @ np.swapaxes(parent_turn, -1, -2) + parent_shift
        turn = self._turn_of(name, parent_turn)
        head = self._head(name, carried)
        self._turns[name] = turn
        self._shifts[name] = head - rest[:3, 3] @ np.swapaxes(turn, -1, -2)
        basis = basis_of(turn, parent_turn if link.inherits_rotation else np.eye(3), rest[:3, :3])
        turned = np.abs(basis - np.eye(3)).max() > _SAME
        values = rotation_values(np.broadcast_to(basis, (self._num_frames, 3, 3)), posed.rotation_mode)
        curves = [self._curve(posed, channel_of(posed.rotation_mode), values if turned else None)]
        travels = name in (self._carrier, self._traveller, *self._motion.places)
        curves.append(self._curve(posed, "location", self._location(name, head - carried) if travels else None))
        curves.append(self._curve(posed, "scale", None))
        return [curve for curve in curves if curve is not None]

    def _curve(self, posed: bpy.types.PoseBone, channel: str, values: np.ndarray | None) -> Curve | None:
        """Return a channel with *values* (F, N); without values, kept neutral, or None if it is neutral anyway."""
        if values is not None:
            return Curve((posed.name, channel), values)
        now = np.array(self._before.get((posed.name, channel), getattr(posed, channel)), dtype=np.float64)
        neutral = np.array(NEUTRAL.get(channel, (0.0, *now[1:])))
        return Curve((posed.name, channel), neutral[None]) if np.abs(now - neutral).max() > _SAME else None

    def _turn_of(self, name: str, parent_turn: np.ndarray) -> np.ndarray:
        """Return the rotations (F, 3, 3) or (3, 3) since rest of a held bone."""
        if name in self._row:
            posed = self._motion.rotations[:, self._row[name]]
            world = self._path[:, :3, :3] @ self._turn if self._object_moves else self._turn
            return turn_since_rest(posed, world, self.links[name].rest[:3, :3])
        if name == self._carrier:
            turned: np.ndarray = self._turn.T @ self._path[:, :3, :3] @ self._turn
            return turned
        return parent_turn

    def _head(self, name: str, carried: np.ndarray) -> np.ndarray:
        """Return the positions (F, 3) or (3,) of the head of a held bone; *carried* is where its parent puts it."""
        if name in self._motion.places:
            return self._in_armature(self._motion.places[name])
        if name == self._traveller:
            return self._in_armature(self._motion.root) - self._to_hips(name)
        if name == self._carrier:
            moved = np.linalg.inv(self._world) @ self._path @ self._world @ self.links[name].rest
            at: np.ndarray = moved[:, :3, 3]
            return at
        return carried

    def _to_hips(self, name: str) -> np.ndarray:
        """Return the vectors (F, 3) or (3,) from the head of the bone *name*, at or above the hips, to theirs."""
        way = [*_above(self.links, self._hips)[::-1], self._hips]
        way = way[way.index(name) :]
        turn = np.eye(3) if self.links[name].parent is None else self._turns[self.links[name].parent or ""]
        total = np.zeros(3)
        for bone, below in zip(way, way[1:], strict=False):
            turn = self._turn_of(bone, turn)
            offset = self.links[below].rest[:3, 3] - self.links[bone].rest[:3, 3]
            total = total + offset @ np.swapaxes(turn, -1, -2)
        return total

    def _in_armature(self, places: np.ndarray) -> np.ndarray:
        """Return *places* (F, 3), in the world, in the armature's space."""
        where = np.concatenate([places @ Z_UP_FROM_Y_UP.T, np.ones((self._num_frames, 1))], axis=1)
        world = self._path @ self._world if self._object_moves else self._world[None]
        found: np.ndarray = (np.linalg.inv(world) @ where[..., None])[:, :3, 0]
        return found

    def _location(self, name: str, offset: np.ndarray) -> np.ndarray:
        """Return the location channel (F, 3) that moves the head of a bone by *offset* (F, 3)."""
        link = self.links[name]
        parent_turn = np.eye(3) if link.parent is None else self._turns[link.parent]
        axes = parent_turn @ (link.rest[:3, :3] if link.location_axes is None else link.location_axes)
        location: np.ndarray = (np.swapaxes(axes, -1, -2) @ offset[..., None])[..., 0]
        return location


def _has_deltas(item: bpy.types.Object) -> bool:
    moved = any(item.delta_location) or any(abs(value - 1.0) > _SAME for value in item.delta_scale)
    return moved or any(item.delta_rotation_euler) or abs(item.delta_rotation_quaternion[0] - 1.0) > _SAME
