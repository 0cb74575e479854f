"""Test the exit codes and error messages of commands."""

from __future__ import annotations

import pytest

from core.cli.exit_codes import exit_code_of
from core.errors import TrackError


def failing(error: BaseException):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("work", "code", "message"),
    [
        (lambda: None, 0, ""),
        (lambda: 3, 3, ""),
        (failing(TrackError("expected points, found none")), 1, "fit: expected points, found none\n"),
        (failing(PermissionError(13, "Permission denied", "out")), 1, "check the path, its permissions"),
        (failing(KeyboardInterrupt()), 130, "fit: stopped\n"),
    ],
)
def test_errors_are_printed_in_one_line(work, code, message, capsys):
    assert exit_code_of("fit", work, interrupted="stopped") == code
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == bool(message)


@pytest.mark.parametrize("error", [BrokenPipeError(), ZeroDivisionError()])
def test_other_exceptions_are_passed_on(error):
    with pytest.raises(type(error)):
        exit_code_of("fit", failing(error))
