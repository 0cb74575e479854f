"""The command line without Blender: ``python -m core fit|info|convert``, or ``learnable-smplify`` where installed."""

import os
import sys

from .cli.exit_codes import EXIT_FAILED
from .cli.main import main


def command() -> int:
    """Run the installed command ``learnable-smplify``; return the exit code."""
    return _run("learnable-smplify")


def _run(program: str) -> int:
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the console cannot show; that is no reason to fail.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = main(program=program)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output has seen enough; what is left of it must not be flushed when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


if __name__ == "__main__":
    sys.exit(_run(f"python -m {__package__}"))
