"""From optical markers to joint centres."""
