"""The Body box of the sidebar."""
