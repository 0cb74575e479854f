"""Motions for training: where they come from, how they are split, prepared as arrays, and drawn from as pairs."""
