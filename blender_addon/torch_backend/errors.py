"""The error of fits in another Python."""

from __future__ import annotations

from ..core_access import CoreError


class AccelerationError(CoreError, RuntimeError):
    """A fit in another Python failed for a reason other than its input."""
