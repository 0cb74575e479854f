"""Import motion files as figures."""
