"""Shared by all boxes of the sidebar: layout, texts, translations, redrawing."""
