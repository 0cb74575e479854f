"""Start another Python so that it imports only what is its own. Needs neither Blender nor the core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from .process import Item, Process

_KEPT = "PYTHONNOUSERSITE"
_REDIRECTIONS = (
    "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON",
)  # fmt: skip
"""Variables that make a Python, or its pip, use another place; the user's other settings of pip are kept."""


def start_python(
    python: Path | str,
    *arguments: Path | str,
    receive: Callable[[IO[bytes]], Iterator[Item]],
    variables: Mapping[str, str] | None = None,
) -> Process[Item]:
    """Start *python* in an empty folder that is not on its path.

    Args:
        python: the executable.
        arguments: its arguments.
        receive: as for `Process`.
        variables: further environment variables.

    Raises:
        OSError: it cannot be started.
    """
    command = [os.path.abspath(python), *map(str, arguments)]
    return Process(command, receive, environment=_environment() | dict(variables or {}))


def _environment() -> dict[str, str]:
    """Return this process's environment variables without those that redirect imports."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == _KEPT or not (name.startswith("PYTHON") or name in _REDIRECTIONS)
    }
    # `-m venv` and `-m pip` must not import what lies in a working directory. The other Python imports modules of the
    # add-on; its byte code must not end up in the add-on's folder.
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
