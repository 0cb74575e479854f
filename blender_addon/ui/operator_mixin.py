"""What operators share: user errors become reports, and the methods that type checkers do not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING


class OperatorMixin:
    """Base of mixins that precede `bpy.types.Operator`; declares its methods for type checkers."""

    if TYPE_CHECKING:

        def report(self, kind: set[str], message: str) -> None:
            """Show *message* to the user; *kind* contains "ERROR", "WARNING" or "INFO"."""

        @classmethod
        def poll_message_set(cls, message: str) -> None:
            """Set the reason why `poll` returns False."""

    def done(self, change: Callable[..., None], *arguments: object) -> set[str]:
        """Call *change* with *arguments*; report user errors."""
        from ..core_access import CoreError

        try:
            change(*arguments)
        except CoreError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}
