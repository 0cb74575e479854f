"""The fingers of a motion, fitted after the body, each hand on its own."""
