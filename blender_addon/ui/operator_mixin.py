"""What the classes that are mixed into operators may call of them, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING


class OperatorMixin:
    """Base of a class that comes before `bpy.types.Operator` among an operator's bases; empty at run time."""

    if TYPE_CHECKING:

        def report(self, kind: set[str], message: str) -> None:
            """Tell the user *message*; *kind* holds "ERROR", "WARNING" or "INFO"."""

        @classmethod
        def poll_message_set(cls, message: str) -> None:
            """Say why `poll` answers False."""
