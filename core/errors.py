"""Exceptions whose messages are meant for the user.

Each message says what was expected, what was found, in which file, and what to do next. Code never parses a message:
what it needs to know is an attribute of the exception.
"""

from pathlib import Path
from typing import Self

from .printable import printable, printable_lines


class CoreError(Exception):
    """Base class of all errors that a user's data, files or options cause.

    Attributes:
        lines: what follows the message on lines of its own, such as what another program printed last; often empty.
    """

    lines = ""

    def __str__(self) -> str:
        """Return the message on one line, without control characters: it may name what a hostile file is called."""
        message = printable(super().__str__())
        return f"{message}\n{printable_lines(self.lines)}" if self.lines else message

    def with_lines(self, lines: str) -> Self:
        """Return this error with *lines* after its message."""
        self.lines = lines
        return self


class TrackError(CoreError, ValueError):
    """A keypoint track is malformed, implausible, or cannot be interpreted without an option.

    Attributes:
        options: names of the fields of `core.reading.ReadOptions` that can resolve the error; empty if none can.
    """

    def __init__(self, message: str, *, options: tuple[str, ...] = ()) -> None:
        """Store the *message* for the user and the names of the *options* that can resolve the error."""
        super().__init__(message)
        self.options = options


class TrackFileError(CoreError, ValueError):
    """A keypoint file cannot be read: it is truncated, empty, too large, or of an unknown format."""


class AmbiguousTrackError(TrackError):
    """A property of a track (layout, units, up axis, frame rate, person) could not be determined reliably."""


class UnseenPersonError(TrackError):
    """So little of a person is visible in the whole track that nothing can be measured."""


class BodyError(CoreError, ValueError):
    """A body model file is malformed, or does not match the data it is used with."""


class MotionError(CoreError, ValueError):
    """A motion file or motion array is malformed."""


class SkeletonError(CoreError, ValueError):
    """A skeleton is malformed, or is not the one of the motion, body or figure that it is used with."""


class UnsafePickleError(CoreError, ValueError):
    """A pickle refers to an object outside the list of allowed types, so it was not loaded."""


class InputMissingError(CoreError, FileNotFoundError):
    """A file or folder the user named does not exist."""


class OutputError(CoreError, OSError):
    """A file cannot be written where the user wants it.

    Attributes:
        path: the file that the system did not write; None where this program refused to.
        reason: why it did not, in its own words.
    """

    def __init__(self, message: str, *, path: Path | None = None, reason: str = "") -> None:
        """Store the *message* for the user, and which file was not written and why."""
        super().__init__(message)
        self.path, self.reason = path, reason


class LiveError(CoreError, ValueError):
    """A message of a live sender is malformed, or an address cannot be listened on or sent to."""


class FitOptionError(CoreError, ValueError):
    """An option of the fit has an invalid value."""


class FitCancelled(CoreError):  # noqa: N818 - a request that was honoured, not an error
    """The progress callback asked the fit to stop."""
