"""Save a recording that cannot be keyed, since its file, its figure or its scene is gone, as an AMASS file."""

from __future__ import annotations

import time
from pathlib import Path

from ..core_access import LiveRecording, write_motion
from ..package import user_folder

FOLDER = "recordings"


def recordings_folder() -> Path:
    """Return the folder of saved recordings, in the add-on's user folder; it need not exist."""
    return user_folder() / FOLDER


def save(recording: LiveRecording) -> Path:
    """Write *recording*, which has frames, to a new file in the folder of recordings; return its path.

    Raises:
        OSError, OutputError: the file cannot be written.
    """
    folder = recordings_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"live {time.strftime('%Y-%m-%d %H-%M-%S')}.npz", 1
    while path.exists():
        number += 1
        path = path.with_stem(f"{path.stem.partition(' (')[0]} ({number})")
    write_motion(path, recording.motion(), up_axis="Y")
    return path
