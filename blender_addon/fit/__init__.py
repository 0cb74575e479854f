"""The Fit box: fits on a thread, with progress and cancelling that changes nothing."""
