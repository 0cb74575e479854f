"""Readers of keypoint files: a file or a folder in, what it says out. Nothing is interpreted here."""

from __future__ import annotations

from .dispatch import find_tracks, read_recordings
from .raw import RawRecording

__all__ = ["RawRecording", "find_tracks", "read_recordings"]
