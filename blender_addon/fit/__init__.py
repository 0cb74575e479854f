"""The fit that the panel starts: on a thread, with progress, and cancelled without a trace."""
