"""Readers of keypoint files: they return what a file or folder states, without interpreting it."""

from __future__ import annotations

from .dispatch import TRACK_SUFFIXES, find_tracks, read_recordings
from .raw import RawRecording

__all__ = ["TRACK_SUFFIXES", "RawRecording", "find_tracks", "read_recordings"]
