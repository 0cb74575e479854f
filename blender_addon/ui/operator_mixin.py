"""Type declarations for mixins of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING


class OperatorMixin:
    """Base of mixins that precede `bpy.types.Operator`; declares its methods for type checkers, empty at run time."""

    if TYPE_CHECKING:

        def report(self, kind: set[str], message: str) -> None:
            """Show *message* to the user; *kind* contains "ERROR", "WARNING" or "INFO"."""

        @classmethod
        def poll_message_set(cls, message: str) -> None:
            """Set the reason why `poll` returns False."""
