"""The user's character: its armature is read, its bones are found, and the figure's motion is keyed on them."""
