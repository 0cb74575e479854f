"""Estimate what is constant over a clip: betas, keypoint offsets, error scales and the subject offset."""
