"""The custom properties of bones that drive constraints: a control rig's switches."""

from __future__ import annotations

import re
from collections.abc import Collection

import bpy

_VARIABLE = re.compile(r'^pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\]\["(?P<name>(?:[^"\\]|\\.)*)"\]$')


def driving_properties(
    armature: bpy.types.Object, paths: Collection[str] | None = None, *, whole: bool = False
) -> list[tuple[str, str]]:
    """Return the custom properties of bones, as bone and name, that drive a constraint's influence.

    Args:
        armature: the character.
        paths: the data paths of the driven properties; None for the influence of any constraint.
        whole: also those that are whole numbers or on and off.
    """
    kinds = (float, int, bool) if whole else (float,)
    found: dict[tuple[str, str], None] = {}
    animation = armature.animation_data
    for curve in animation.drivers if animation is not None else ():
        path = curve.data_path
        if not (path in paths if paths is not None else path.endswith(("].influence", "].weight"))):
            continue
        for variable in curve.driver.variables:
            for target in variable.targets:
                match = _VARIABLE.match(target.data_path) if target.id == armature else None
                if match is None:
                    continue
                bone, name = (bpy.utils.unescape_identifier(part) for part in match.group("bone", "name"))
                posed = armature.pose.bones.get(bone)
                if posed is not None and isinstance(posed.get(name), kinds):
                    found[bone, name] = None
    return list(found)
