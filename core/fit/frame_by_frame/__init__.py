"""The fit for live use: each frame from its own points and those before it."""
