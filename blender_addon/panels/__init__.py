"""What the user sees in the SMPLify tab of the 3D viewport's sidebar, one module a box; they read top to bottom."""
