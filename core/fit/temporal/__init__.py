"""Temporal processing: keypoint smoothing, pose artifacts, hidden limbs, feet."""
