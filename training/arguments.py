"""Types of command-line arguments that several commands of the training share."""

from __future__ import annotations

import argparse


def positive_int(text: str) -> int:
    """Return *text* as an integer of 1 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of 1 or more, got {text!r}")
    return value
