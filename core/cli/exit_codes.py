"""Exit codes of commands: errors are printed as one line on standard error instead of a traceback."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

from ..errors import CoreError
from ..printable import say

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def exit_code_of(
    program: str, work: Callable[[], int | None], *, interrupted: str | Callable[[], str] = "interrupted"
) -> int:
    """Run a command and return its exit code; print an expected error as one line.

    Args:
        program: the command's name, which error lines start with.
        work: runs the command and returns its exit code; None means 0.
        interrupted: the message after Ctrl-C, or a function that returns it.

    Raises:
        BrokenPipeError: the reader of standard output has closed it. It is passed on unchanged.
    """
    try:
        return work() or 0
    except CoreError as error:
        say_error(program, error)
    except BrokenPipeError:
        raise
    except OSError as error:
        say(f"{program}: {error}; check the path, its permissions and the space left", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{program}: {interrupted if isinstance(interrupted, str) else interrupted()}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_FAILED


def say_error(program: str, error: CoreError) -> None:
    """Print *error* on standard error: its message on one line, which begins with *program*, then its further lines."""
    for line in f"{program}: {error}".split("\n"):
        say(line, file=sys.stderr)


def raise_on_interrupt() -> None:
    """Make SIGINT (Ctrl-C) and SIGTERM raise KeyboardInterrupt; Blender's own handler only records them.

    A signal that the parent process set to be ignored stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
