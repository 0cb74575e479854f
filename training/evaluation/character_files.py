"""Read characters from files; formats that need Blender are converted by the add-on in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import CoreError, InputMissingError
from core.printable import say
from core.retarget.bone_map import BoneMap
from core.retarget.mapping import map_bones
from core.retarget.rig import Rig
from core.retarget.rig_file import read_rig

CHARACTER_SUFFIXES = (".npz", ".blend", ".fbx", ".glb", ".gltf", ".vrm")
_ARCHIVE = "blender_addon.character.rig_archives"
"""The add-on's command that writes characters of other formats as .npz, using Blender."""
_MEASURING = "blender_addon.character.measuring"
"""The add-on's command that applies a motion to characters, using Blender."""


def read_characters(files: Sequence[Path]) -> dict[str, tuple[Rig, BoneMap]]:
    """Return the usable characters of *files*, by name; report the others on standard error.

    Raises:
        InputMissingError: none is usable.
    """
    characters: dict[str, tuple[Rig, BoneMap]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        others = [str(path) for path in files if path.suffix.lower() != ".npz"]
        if others:
            command = [sys.executable, "-m", _ARCHIVE, *others, "--output", temporary]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        for path in files:
            archive = path if path.suffix.lower() == ".npz" else Path(temporary) / f"{path.stem}.npz"
            if not archive.exists():
                continue  # the command has reported why
            try:
                characters[path.stem] = read_character(archive, path.with_suffix(".json"))
            except CoreError as error:
                say(f"left out: {path.name}: {error}", file=sys.stderr)
    if not characters:
        raise InputMissingError(f"expected a usable character among {len(files)} files, found none")
    return characters


def applied_in_blender(files: Sequence[Path], clips: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Return what the add-on measures when it applies the first of *clips* to each character of *files*, by name.

    Raises:
        InputMissingError: no clip or no character is in a file that Blender reads.
    """
    characters = [str(path) for path in files if path.suffix.lower() != ".npz"]
    if not clips or not characters:
        raise InputMissingError("expected clips and characters in files that Blender reads, to apply them in Blender")
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "measured.json"
        command = [sys.executable, "-m", _MEASURING, *characters, "--motion", str(clips[0]), "-o", str(output)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if not output.exists():
            raise InputMissingError("expected Blender as a module, to apply motions in it; its error is above")
        found: dict[str, dict[str, float]] = json.loads(output.read_text(encoding="utf-8"))
    return found


def read_character(archive: Path, map_path: Path) -> tuple[Rig, BoneMap]:
    """Return the character in *archive* and its bone map, which is detected if *map_path* does not exist.

    Raises:
        CoreError: a file is malformed, or the bones cannot be mapped.
    """
    rig = read_rig(archive)
    if not map_path.is_file():
        return rig, map_bones(rig)
    return rig, BoneMap.from_json(map_path.read_text(encoding="utf-8"), str(map_path))
