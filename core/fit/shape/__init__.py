"""What is constant over a clip: betas, keypoint offsets and how far points are off."""
