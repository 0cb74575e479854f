"""What the add-on gives to Blender: its classes, in order of dependence, and a command of the command line."""

from __future__ import annotations

import bpy

from . import operators, panels

CLASSES = (*operators.CLASSES, *panels.CLASSES)
COMMAND = "smplify"

_commands: list[object] = []


def register() -> None:
    """Register everything."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    _commands.append(bpy.utils.register_cli_command(COMMAND, _run_command))


def unregister() -> None:
    """Unregister everything, in reverse."""
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _run_command(arguments: list[str]) -> int:
    """Answer ``blender --command smplify ...``."""
    from .cli import main

    return main(arguments, prog=f"blender --background --command {COMMAND}")
