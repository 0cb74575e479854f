"""The command line: fit, info, convert."""
