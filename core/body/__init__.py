"""Body models in SMPL format: files, joints, vertices, keypoints."""
