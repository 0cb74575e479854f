"""The bones of a character by role, with confidences; stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CoreError, InputMissingError
from ..smpl_skeleton import SIDES
from .rig import Rig

LIMB_ROLES = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
ROLES = (
    "hips",
    "spine",
    "neck",
    "head",
    *(f"{side}_{name}" for side in SIDES for name in ("clavicle", *LIMB_ROLES, "toe")),
)
"""What a bone can be to the retargeting.

Each role is played by a chain of bones, from the trunk outwards. The first bone of a limb's chain is its joint; the
others are twist bones that share its rotation about the limb. The bones of the spine (above the hips, up to and with
the chest that carries the shoulders) and of the neck share the bend of their chain.
"""
REQUIRED_ROLES = ("hips", *(f"{side}_{name}" for side in SIDES for name in LIMB_ROLES if name != "hand"))
"""Roles without which a motion cannot be put onto a character."""
CERTAIN = 0.8
"""Confidence from which a bone needs no check."""
DOUBTFUL = 0.6
"""Confidence below which a required bone is not used without the user's consent."""

_FORMAT = "smplify bones"
_VERSION = 1
_MAX_BYTES = 1 << 20


class BoneMapError(CoreError, ValueError):
    """A bone map is malformed, or does not fit the character.

    Attributes:
        reason: why a skeleton is not a person's, as a clause; empty for other errors.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        """Store the *message* for the user and the *reason*."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class BoneMap:
    """The bones of a character by role.

    Attributes:
        bones: the chain of bone names of each role; roles without a bone are absent.
        confidence: how sure each role is, from 0 to 1; a role that the user chose has 1.
        kind: the family of skeletons that the names belong to ("Mixamo", "Unreal"), empty if unknown.
        notes: what is odd about the character, a clause each; not stored.
    """

    bones: Mapping[str, tuple[str, ...]]
    confidence: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the roles and that no bone has two; raise `BoneMapError`."""
        unknown = [role for role in self.bones if role not in ROLES]
        if unknown:
            raise BoneMapError(f"expected roles out of {', '.join(ROLES)}; found {', '.join(map(repr, unknown))}")
        empty = [role for role, chain in self.bones.items() if not chain]
        if empty:
            raise BoneMapError(f"expected at least one bone for each role, found none for {', '.join(empty)}")
        names = [name for chain in self.bones.values() for name in chain]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            found = "; ".join(f"{name} in {', '.join(r for r, c in self.bones.items() if name in c)}" for name in twice)
            raise BoneMapError(f"expected each bone in one role, found {found}; choose other bones for all but one")

    def joint(self, role: str) -> str | None:
        """Return the first bone of *role*, the one at its joint; None if the character has none."""
        chain = self.bones.get(role)
        return chain[0] if chain else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The required roles without a bone."""
        return tuple(role for role in REQUIRED_ROLES if role not in self.bones)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The roles whose bone should be checked."""
        return tuple(role for role in self.bones if self.confidence.get(role, 1.0) < CERTAIN)

    def check(self, rig: Rig) -> None:
        """Check that the map can be used for *rig*.

        Raises:
            BoneMapError: required roles are missing, or *rig* lacks bones of the map.
        """
        absent = [name for chain in self.bones.values() for name in chain if name not in rig.index]
        if absent:
            raise BoneMapError(
                f"expected bones of the character, but it has no {', '.join(map(repr, absent))}; correct the bone map"
            )
        if self.missing:
            raise BoneMapError(f"expected a bone for each of {', '.join(self.missing)}; name them in the bone map")

    def to_json(self) -> str:
        """Return the map as JSON text, one role per line, for manual correction; `from_json` reads it."""
        lines = ",\n".join(f"  {json.dumps(role)}: {json.dumps(list(chain))}" for role, chain in self.bones.items())
        head = f'"format": {json.dumps(_FORMAT)}, "version": {_VERSION}, "kind": {json.dumps(self.kind)}'
        return f'{{{head}, "bones": {{\n{lines}\n}}}}\n'

    @classmethod
    def from_json(cls, text: str, source: str = "the bone map") -> BoneMap:
        """Return the map in *text*, as certain as the user who wrote it; *source* names it in messages.

        Raises:
            BoneMapError: *text* is not a bone map.
        """
        try:
            content = json.loads(text) if len(text) <= _MAX_BYTES else None
        except (ValueError, RecursionError) as error:
            raise BoneMapError(f"expected JSON in {source}, found: {error}") from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT or content.get("version") != _VERSION:
            raise BoneMapError(
                f'expected a bone map in {source}: {{"format": "{_FORMAT}", "version": {_VERSION}, "bones": {{...}}}}, '
                "found other content; choose a file that Save JSON has written"
            )
        bones, kind = content.get("bones"), content.get("kind", "")
        if not isinstance(bones, dict) or not all(_is_chain(chain) for chain in bones.values()):
            raise BoneMapError(f'expected "bones" in {source} to give a list of bone names for each role')
        return cls({role: tuple(chain) for role, chain in bones.items() if chain}, kind=str(kind)[:60])


def _is_chain(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


def read_bone_map(path: Path) -> BoneMap:
    """Return the bone map in the JSON file *path*.

    Raises:
        InputMissingError: there is no such file, or it cannot be read.
        BoneMapError: it is not a bone map.
    """
    try:
        if path.exists() and not path.is_file():
            raise BoneMapError(f"expected a bone map in a file, found a folder or a device at {path}; name a file")
        if path.stat().st_size > _MAX_BYTES:
            raise BoneMapError(f"expected a bone map in {path}, found a file of more than {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputMissingError(f"expected a bone map at {path}, but it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BoneMapError(f"expected a bone map as JSON in {path}, found no text in UTF-8") from error
    return BoneMap.from_json(text, str(path))
