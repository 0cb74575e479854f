"""The residual network: from a pose and the keypoints to come, to the pose to come. Inference on NumPy or torch."""
