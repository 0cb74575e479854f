"""The Export box: write figures to files, with the bone names and axes of a target program."""
