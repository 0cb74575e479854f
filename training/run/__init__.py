"""A training run: the loop, its processes, its log, its validation."""
