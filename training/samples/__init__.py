"""Generated motions: the samples' and those on the floor."""
