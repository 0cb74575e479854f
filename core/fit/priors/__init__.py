"""Priors on the pose, given the keypoints."""
