"""Training, evaluation and creation of the assets. Needs more packages than core; see the README."""
