"""Which poses to expect of the points seen."""
