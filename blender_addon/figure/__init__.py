"""Figures in the scene: armature, skin, keys, and the record stored with them."""
