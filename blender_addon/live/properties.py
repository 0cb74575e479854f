"""``Scene.smplify_live``: the settings of the Live box, stored with the scene."""

from __future__ import annotations

import bpy

_FIRST_PORT, _LAST_PORT = 1024, 65535


class SMPLIFY_PG_live(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """Settings of the next live session."""

    kind: bpy.props.EnumProperty(
        name="Protocol",
        description="How the points are sent to this machine",
        items=(
            ("UDP", "UDP", "A datagram a frame: from programs, scripts and devices"),
            ("WS", "WebSocket", "A message a frame: from web pages and from programs"),
        ),
    )
    port: bpy.props.IntProperty(
        name="Port",
        description="The port to listen on; only this machine can reach it",
        default=9760,
        min=_FIRST_PORT,
        max=_LAST_PORT,
    )
    person: bpy.props.StringProperty(
        name="Person", description="The label of the person to follow; empty for the first one that is sent"
    )
    moves_characters: bpy.props.BoolProperty(
        name="Move Characters",
        description="Let characters that have the motion of the figure, and the one in the Character box, follow while "
        "points come in; otherwise those with its motion follow when a recording stops",
        default=True,
    )
    sends_vmc: bpy.props.BoolProperty(
        name="Send On by VMC", description="Send each pose on to a program on this machine that shows an avatar"
    )
    vmc_port: bpy.props.IntProperty(
        name="VMC Port",
        description="The port on which that program listens",
        default=39539,
        min=_FIRST_PORT,
        max=_LAST_PORT,
    )


CLASSES = (SMPLIFY_PG_live,)


def register() -> None:
    """Add the settings to every scene."""
    bpy.types.Scene.smplify_live = bpy.props.PointerProperty(type=SMPLIFY_PG_live)


def unregister() -> None:
    """Remove the settings."""
    del bpy.types.Scene.smplify_live
