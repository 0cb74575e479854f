"""Gauss-Newton on the keypoints: initial poses, normal equations, joint limits. The joints are SMPL's 24."""
