"""Arrays, rotations and filters, independent of any body model."""
