"""Arrays, rotations and filters that know nothing of bodies."""
