"""Blender's command-line command ``blender --command smplify ...``."""

from __future__ import annotations

import bpy

COMMAND = "smplify"
CLASSES = ()

_commands: list[object] = []


def register() -> None:
    """Add the command."""
    _commands.append(bpy.utils.register_cli_command(COMMAND, _run_command))


def unregister() -> None:
    """Remove the command."""
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())


def _run_command(arguments: list[str]) -> int:
    """Run ``blender --command smplify ...``."""
    from ..project_files import project_paths
    from .cli import main

    return main(arguments, prog=f"blender --background --command {COMMAND}", protected=project_paths())
