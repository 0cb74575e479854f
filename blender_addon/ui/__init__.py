"""What all boxes of the sidebar share: layout, words, redrawing."""
