"""Read the files of the CMU Graphics Lab Motion Capture Database and convert them to SMPL."""
