"""The fingers of a motion, fitted after the body, each hand by itself."""
