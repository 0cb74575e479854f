"""Types and checks of command-line arguments shared by the training commands."""

from __future__ import annotations

import argparse
import importlib.util

from core.errors import CoreError


def positive_int(text: str) -> int:
    """Return *text* as an integer of 1 or more.

    Raises:
        argparse.ArgumentTypeError: it is no such integer.
    """
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of 1 or more, got {text!r}")
    return value


def check_torch(option: str) -> None:
    """Check that PyTorch, which *option* needs, is installed.

    Raises:
        CoreError: it is not.
    """
    if importlib.util.find_spec("torch") is None:
        raise CoreError(
            f"expected PyTorch for {option}, found none in this Python; install requirements/torch.txt, or leave "
            f"{option} out"
        )
