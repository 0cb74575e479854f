"""What stands in the scene: armature, skin, keys, and the record kept with them."""
