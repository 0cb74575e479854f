"""The Track box: keypoints, read on a thread, described, and drawn in the viewport without adding objects."""
