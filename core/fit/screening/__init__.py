"""Points that cannot be right, found before anything is fitted."""
