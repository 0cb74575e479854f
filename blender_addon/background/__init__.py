"""Threads, processes and messages: work that runs beside Blender."""
