"""Motions of other files as figures."""
