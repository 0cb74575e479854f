"""Convert many keypoint files to animation files from the command line."""
