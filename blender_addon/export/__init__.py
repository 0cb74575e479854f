"""The Export box: figures to files, with the names and axes of a target."""
