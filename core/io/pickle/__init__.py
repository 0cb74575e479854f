"""Read pickles as data: nothing in them is ever executed."""
