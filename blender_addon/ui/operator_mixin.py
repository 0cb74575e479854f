"""How every operator of the add-on ends: with a report; errors are shown in the box whose button was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .box_errors import Box, clear_error, show_error
from .message_terms import in_panel_words
from .redraw import redraw_preferences, redraw_sidebars


class OperatorMixin:
    """Mixin to list before `bpy.types.Operator`; declares its methods for type checkers.

    A subclass sets ``box``, the box that has the operator's button.
    """

    if TYPE_CHECKING:
        box: Box

        def report(self, kind: set[str], message: str) -> None:
            """Show *message* to the user; *kind* contains "ERROR", "WARNING" or "INFO"."""

        @classmethod
        def poll_message_set(cls, message: str) -> None:
            """Set the reason why `poll` returns False."""

    def done(self, change: Callable[..., object], *arguments: object) -> set[str]:
        """Call *change* with *arguments* and end the operator: report the text that it returns, or its error."""
        from ..core_access import CoreError

        try:
            message = change(*arguments)
        except (CoreError, OSError) as error:
            return self.failed(str(error))
        return self.succeeded(message if isinstance(message, str) else "")

    def succeeded(self, message: str = "", *, doubts: str = "") -> set[str]:
        """End the operator; report *message* and *doubts*. The error in the box is replaced by the doubts.

        Args:
            message: what was done, translated; "" where the window shows it.
            doubts: what was not done, or is in doubt, translated.
        """
        clear_error(self.box)
        if doubts:
            show_error(self.box, doubts)
            self.report({"WARNING"}, doubts)
        if message:
            self.report({"INFO"}, message)
        self._redraw()
        return {"FINISHED"}

    def failed(self, message: str, *, is_shown: bool = False) -> set[str]:
        """End the operator with an error: report it, and show it in the operator's box.

        Args:
            message: what was expected, what was found and what to do; of the core or of the add-on.
            is_shown: whether the box shows this error by itself, as the state of its file.
        """
        from ..core_access import printable

        message = in_panel_words(printable(message))
        if is_shown:
            clear_error(self.box)
        else:
            show_error(self.box, message)
        self._redraw()
        self.report({"ERROR"}, message)
        return {"CANCELLED"}

    def _redraw(self) -> None:
        if self.box is Box.ACCELERATION:
            redraw_preferences()
        else:
            redraw_sidebars()
