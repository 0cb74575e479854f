"""The user's character: read its armature, map its bones, and key the figure's motion on them."""
