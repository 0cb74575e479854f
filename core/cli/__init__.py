"""The command line: fit, one file or a batch; info; convert."""
