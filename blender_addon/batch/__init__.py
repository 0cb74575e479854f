"""Many keypoint files to animation files, from a command line."""
