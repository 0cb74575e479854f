"""The keypoints that the panel works on: read on a thread, described, drawn in the viewport; no object is made."""
