"""The networks that are trained, their losses and checkpoints."""
