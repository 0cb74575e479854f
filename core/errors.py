"""Exceptions whose text is meant for the user.

Every message says what was expected, what was found, in which file, and what to do next.
"""


class CoreError(Exception):
    """Base of all errors caused by a user's data or files."""


class TrackError(CoreError, ValueError):
    """A keypoint track is malformed, implausible, or cannot be interpreted without an option.

    Attributes:
        options: the fields of `core.reading.ReadOptions` that can settle it, by name; none where no option helps.
    """

    def __init__(self, message: str, *, options: tuple[str, ...] = ()) -> None:
        """Take the *message* for the user, and the *options* that it advises to give."""
        super().__init__(message)
        self.options = options


class TrackFileError(CoreError, ValueError):
    """A keypoint file cannot be read: truncated, empty, of another kind, or too large."""


class AmbiguousTrackError(TrackError):
    """A property of a track (layout, units, up axis, rate, person) could not be decided safely."""


class UnseenPersonError(TrackError):
    """So little of a person is seen in a whole track that nothing can be measured."""


class BodyError(CoreError, ValueError):
    """A body model file is malformed, or does not fit the data it is used with."""


class MotionError(CoreError, ValueError):
    """A motion file or motion array is malformed."""


class UnsafePickleError(CoreError, ValueError):
    """A pickle asks for an object outside the short list of inert ones, so it was not loaded."""


class InputMissingError(CoreError, FileNotFoundError):
    """A file or folder the user named does not exist."""


class OutputError(CoreError, OSError):
    """A file cannot be put where the user wants it."""


class FitOptionError(CoreError, ValueError):
    """An option of the fit has a value that it cannot have."""


class FitCancelled(CoreError):  # noqa: N818 - it is a request that was honoured, not a fault
    """The progress callback asked to stop."""
