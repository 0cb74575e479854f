"""Motions for training: find and read the datasets, prepare them as arrays, split them, and sample pairs."""
