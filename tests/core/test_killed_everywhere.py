"""Commands that are killed at a file operation leave nothing half-written, and the next run goes on."""

from __future__ import annotations

import os
import signal

import pytest

if os.name == "nt":
    pytest.skip("kills by signals, after a fork", allow_module_level=True)

from tests.killed_everywhere import COMMANDS, SIGNALS, Command, Ended, faults_of, run, scene, tally

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder():
    with scene() as folder:
        yield folder


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
def test_the_run_after_a_killed_one_goes_on(folder, name, sent):
    """Killed at every seventh operation, each signal from another one; ``python -m tests.killed_everywhere``: all."""
    found = tally(folder, COMMANDS[name], sent, every=7, first=1 + 2 * SIGNALS.index(sent))
    assert found.kills > 0 and found.faults == []


def test_what_is_half_written_is_found(folder):
    def careless(argv):
        out = folder / "out"
        out.mkdir(exist_ok=True)
        (out / "a.npz").write_text("the first of two")
        (out / "b.npz").write_text("the second")
        return 0

    whole, operations = run(folder, Command(careless, ()), ())
    assert operations == 3
    killed, _ = run(folder, Command(careless, ()), (), number=2, sent=signal.SIGKILL)
    assert killed.code == -signal.SIGKILL
    half = Ended(130, "interrupted; nothing was written", {"a.npz": b"the fir"}, {"a.npz"})
    faults = list(faults_of(half, whole, {}, whole.left, signal.SIGINT))
    assert faults == [
        "a.npz is neither the old file nor the new one",
        "said that nothing was written, but ['a.npz'] were",
    ]
