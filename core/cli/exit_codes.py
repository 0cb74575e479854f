"""How a command ends: its errors told in a line, not by a traceback, and the exit code that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..errors import CoreError

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def exit_code_of(program: str, work: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Do the *work* of the command *program*; return its exit code, or that of how it failed.

    Args:
        program: the name that errors begin with.
        work: returns the exit code; None for 0.
        interrupted: what to tell where Ctrl-C ended it.

    Raises:
        BrokenPipeError: as it came: nobody reads what is printed any more.
    """
    try:
        return work() or 0
    except CoreError as error:
        print(f"{program}: {error}", file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"{program}: {error}; check the path, its permissions and the space left", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{program}: {interrupted}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_FAILED
