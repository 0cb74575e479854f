"""Gauss-Newton on the keypoints: initial poses, normal equations, joint limits."""
