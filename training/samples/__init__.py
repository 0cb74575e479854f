"""The motion of the samples that the project carries."""
