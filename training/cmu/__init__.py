"""Readers of the files that the CMU Graphics Lab Motion Capture Database comes in, and their way to SMPL."""
