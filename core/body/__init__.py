"""Body models in SMPL's format: files, joints, vertices, keypoints."""
