"""A tree of named joints, as a value that motions, bodies and figures carry. J joints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property

from .errors import SkeletonError

BODY, LEFT_HAND, RIGHT_HAND = "body", "left_hand", "right_hand"
"""Names of parts; a skeleton may have others too."""

_MAX_NAMED = 4
"""How many joints a message names."""


@dataclass(frozen=True)
class Skeleton:
    """A tree of named joints; two skeletons are equal if all their attributes are.

    Attributes:
        names: (J,) the joints' names, all different.
        parents: (J,) index of each joint's parent, which comes before it; -1 for the root, which is the first joint.
        mirror: (J,) index of the corresponding joint on the other side of the body; a joint in the middle has its own.
        parts: (J,) the part of the body that each joint belongs to: `BODY`, `LEFT_HAND`, `RIGHT_HAND`.

    Raises:
        SkeletonError: the attributes do not describe such a tree; the message names all faults.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    mirror: tuple[int, ...]
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check types and lengths, then the tree."""
        kinds = {"names": str, "parents": int, "mirror": int, "parts": str}
        faults = [
            f"{name}, expected a tuple of {kind.__name__}"
            for name, kind in kinds.items()
            if not isinstance(values := getattr(self, name), tuple) or any(type(value) is not kind for value in values)
        ]
        if not faults and (not self.names or len({len(getattr(self, name)) for name in kinds}) > 1):
            counts = ", ".join(f"{len(getattr(self, name))} {name}" for name in kinds)
            faults.append(f"{counts}, expected one of each for every joint")
        faults = faults or self._tree_faults()
        if faults:
            raise SkeletonError(f"malformed skeleton: {'; '.join(faults)}; give one root, and parents before children")

    def _tree_faults(self) -> list[str]:
        """Return the faults of attributes of correct types and lengths."""
        faults = []
        if len(set(self.names)) < len(self.names) or not all(self.names):
            faults.append("names that are empty or occur twice")
        if self.parents[0] != -1:
            faults.append(f"parent {self.parents[0]} of the first joint, expected -1")
        for joint, (parent, other) in enumerate(zip(self.parents, self.mirror, strict=True)):
            if joint and not 0 <= parent < joint:
                faults.append(f"parent {parent} of joint {joint}, expected 0 to {joint - 1}")
            if not 0 <= other < len(self.names) or self.mirror[other] != joint:
                faults.append(f"mirror {other} of joint {joint}, expected a joint whose mirror it is")
        return faults

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return len(self.names)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: joint for joint, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """Return the index of the joint *name*.

        Raises:
            SkeletonError: there is no such joint.
        """
        if name not in self._index:
            raise SkeletonError(f"expected a skeleton with a joint {name!r}, found {_listed(self.names)}")
        return self._index[name]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each joint, the joints whose parent it is."""
        return tuple(
            tuple(child for child, parent in enumerate(self.parents) if parent == joint)
            for joint in range(self.num_joints)
        )

    @cached_property
    def subtrees(self) -> tuple[tuple[int, ...], ...]:
        """For each joint, the joints that rotate with it in ascending order: itself and all its descendants."""
        found: list[tuple[int, ...]] = [()] * self.num_joints
        for joint in reversed(range(self.num_joints)):
            below = [other for child in self.children[joint] for other in found[child]]
            found[joint] = (joint, *sorted(below))
        return tuple(found)

    def joints_of(self, part: str) -> tuple[int, ...]:
        """Return the joints of *part* in ascending order; none if the skeleton has no such part."""
        return tuple(joint for joint, other in enumerate(self.parts) if other == part)

    def check_same(self, other: Skeleton, *, of: str, as_in: str) -> None:
        """Raise unless *other* is this skeleton.

        Args:
            other: the other skeleton.
            of: what *other* belongs to, for the message ("the motion").
            as_in: what this skeleton belongs to ("body 'smpl'").

        Raises:
            SkeletonError: *other* is another skeleton.
        """
        if other == self:
            return
        more = [name for name in other.names if name not in self._index]
        less = [name for name in self.names if name not in other._index]
        parts = [f"{word} {_listed(names)}" for word, names in (("with", more), ("without", less)) if names]
        raise SkeletonError(
            f"expected {of} to have the {self.num_joints} joints of {as_in}, found {other.num_joints} joints, "
            f"{' and '.join(parts) or 'arranged differently'}; use both of the same skeleton"
        )

    def to_json(self) -> str:
        """Return the skeleton as JSON; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: object) -> Skeleton:
        """Return the skeleton that `to_json` wrote as *text*.

        Raises:
            SkeletonError: *text* is anything else.
        """
        expected = {field.name for field in fields(cls)}
        try:
            stored = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            stored = None
        if not isinstance(stored, dict) or set(stored) != expected:
            raise SkeletonError(f"expected a skeleton with {', '.join(sorted(expected))}, found {str(text)[:80]!r}")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()})


def _listed(names: Sequence[str]) -> str:
    """Return the first of *names*, and how many more there are, for a message."""
    rest = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")
