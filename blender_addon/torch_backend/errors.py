"""What can go wrong with another Python, told to the user."""

from __future__ import annotations

from ..core_access import CoreError


class AccelerationError(CoreError, RuntimeError):
    """A fit in another Python failed for a reason that is not in the data."""
