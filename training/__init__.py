"""Training, evaluation and the making of assets. Needs more than core does: see the README."""
