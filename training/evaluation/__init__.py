"""Evaluation of the fit and the networks: conditions, metrics, tables, SMPLify-3D."""
