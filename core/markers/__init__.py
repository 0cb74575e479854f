"""Joint centres from optical markers."""
