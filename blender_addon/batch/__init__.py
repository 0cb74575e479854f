"""Convert many keypoint and animation files to animation files from the command line."""
