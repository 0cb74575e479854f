"""What neighbouring frames say of each other: smoothing, artifacts, limbs that are not seen."""
