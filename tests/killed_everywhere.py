"""Kill commands at each file operation: ``python -m tests.killed_everywhere``. Not on Windows: it forks.

Each command is run in a process of its own that gets a signal right before its n-th file operation, for all n, and is
then run again. Nothing may be half-written then, what was said must be true, and the second run must leave what an
undisturbed one leaves, without hidden folders. The fit itself is replaced by its result.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import filterfalse
from pathlib import Path

import core.pipeline
from core.body.catalog import load_free_body
from core.cli.exit_codes import exit_code_of
from core.cli.main import main as core_main
from core.fit import FitOptions, fit_track
from core.reading import ReadOptions, read_tracks
from tests.core.batch import quick
from tests.core.cli.commands import save, two_people

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_PASSING = ("seconds", "timings_s", "unchanged", "kept")
"""Keys of what differs from run to run."""

Tree = dict[str, bytes]
"""The files below a folder, by path; folders have a slash at the end."""


@dataclass(frozen=True)
class Command:
    """A command to be killed.

    Attributes:
        main: runs it; the working directory has the inputs.
        arguments: its arguments; outputs are below ``out``.
        before: the arguments of an earlier run, which it replaces the outputs of; empty for none.
    """

    main: Callable[[Sequence[str]], int]
    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()


@dataclass
class Ended:
    """How a run ended.

    Attributes:
        code: the exit code; negative for a signal.
        printed: what it printed.
        left: what is below ``out``.
        written: the files that it put there, or replaced.
    """

    code: int
    printed: str
    left: Tree
    written: set[str]


@dataclass
class Tally:
    """What the kills of one command by one signal came to."""

    operations: int
    kills: int = 0
    with_leftovers: int = 0
    faults: list[str] = field(default_factory=list)


FIT = ("fit", "--quiet", "duo", "--fps", "30", "--layout", "body25", "--out-up", "Y")
BATCH = ("walk.npz", "other/run.npz", "-o", "out", "--formats", "npz", "bvh")


def quick_batch(argv: Sequence[str]) -> int:
    """Run a quick batch as the command line does."""
    return exit_code_of("batch", lambda: quick.main(argv), interrupted="interrupted; run it again to continue")


COMMANDS = {
    "convert": Command(core_main, ("convert", "walk.npz", "-o", "out/points.npz")),
    "convert, again": Command(
        core_main, ("convert", "walk.npz", "-o", "out/points.npz"),
        before=("convert", "walk.npz", "-o", "out/points.npz", "--fps", "15"),
    ),
    "fit of two people": Command(core_main, (*FIT, "-o", "out/duo.npz", "--report", "out/duo.json")),
    "fit, again": Command(
        core_main, (*FIT, "-o", "out/duo.npz", "--report", "out/duo.json"),
        before=(*FIT, "-o", "out/duo.npz", "--report", "out/duo.json", "--root", "in_place"),
    ),
    "fit for OpenSim": Command(core_main, (*FIT, "-o", "out/duo.mot")),
    "names' template": Command(core_main, ("info", "walk.npz", "--names-template", "out/names.json")),
    "batch": Command(quick_batch, BATCH),
    "batch, again": Command(quick_batch, BATCH, before=(*BATCH, "--quality", "fast")),
}  # fmt: skip


def tree(folder: Path) -> Tree:
    """Return the files below *folder*."""
    return {
        str(path.relative_to(folder)) + "/" * path.is_dir(): b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells of each file below *folder* whether it was replaced."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): ((found := path.stat()).st_ino, found.st_mtime_ns) for path in files}


def _watch(folder: Path, number: int, sent: signal.Signals, count: list[int]) -> None:
    """Send this process a signal before its *number*-th file operation (from 1) in *folder*; 0 for never."""
    root = str(folder.resolve())

    def concerns(event: str, values: tuple[object, ...]) -> bool:
        if event == "open":
            path, _, flags = values
            inside = isinstance(path, str | os.PathLike) and os.path.abspath(os.fspath(path)).startswith(root)
            return inside and isinstance(flags, int) and bool(flags & _WRITES)
        return event in _CHANGES

    def hook(event: str, values: tuple[object, ...]) -> None:
        if concerns(event, values):
            count[0] += 1
            if count[0] == number:
                os.kill(os.getpid(), sent)

    sys.addaudithook(hook)


def run(
    folder: Path, command: Command, arguments: Sequence[str], number: int = 0, sent: signal.Signals = signal.SIGINT
) -> tuple[Ended, int]:
    """Run *command* in a child process with *folder* as working directory, killed at the operation *number*.

    Returns:
        How it ended, and how many file operations it began.
    """
    before = _stamps(folder / "out")
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as counted:
        child = os.fork()
        if child == 0:
            _be_child(folder, command, arguments, (number, sent), said.fileno(), counted.fileno())
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        said.seek(0)
        counted.seek(0)
        written = {name for name, stamp in _stamps(folder / "out").items() if before.get(name) != stamp}
        ended = Ended(code, said.read().decode(), tree(folder / "out"), set(filterfalse(is_hidden, written)))
        return ended, int(counted.read() or b"0")


def _be_child(
    folder: Path, command: Command, arguments: Sequence[str], kill: tuple[int, signal.Signals], said: int, counted: int
) -> None:
    count, code = [0], 99
    try:
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0, closefd=False), write_through=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False), write_through=True)
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.default_int_handler)
        os.chdir(folder)
        _watch(folder, *kill, count)
        code = command.main(list(arguments))
    except BaseException:  # noqa: BLE001 - the child must end here, and the parent finds the traceback
        traceback.print_exc()
    finally:
        os.write(counted, str(count[0]).encode())
        os._exit(code)


@contextlib.contextmanager
def scene() -> Iterator[Path]:
    """Yield a folder with inputs, in which a fit takes no time."""
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    original = core.pipeline.fit_track
    try:
        (folder / "other").mkdir()
        save(folder / "walk.npz")
        save(folder / "other" / "run.npz")
        two_people(folder / "duo")
        (track, _) = read_tracks(folder / "duo", ReadOptions(fps=30.0, layout="body25"))
        fitted = fit_track(track, load_free_body(), FitOptions(quality="fast"))
        core.pipeline.fit_track = lambda *_, **__: fitted
        yield folder
    finally:
        core.pipeline.fit_track = original
        shutil.rmtree(folder)


def prepare(folder: Path, command: Command) -> Tree:
    """Remove the outputs, let the earlier run be, and return what is there."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    if command.before:
        ended, _ = run(folder, command, command.before)
        assert ended.code == 0, ended.printed
    return tree(folder / "out")


def restore(folder: Path, before: Tree) -> None:
    """Make the outputs what they were in *before*."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    for name, content in before.items():
        path = folder / "out" / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)


def _timeless(content: bytes) -> object:
    """Return what a file says but for how long it took, and whether this run or an earlier one wrote it."""
    if not content.startswith(b"{"):
        return content
    try:
        return _without_times(json.loads(content))
    except json.JSONDecodeError:  # the summary of a batch has an object a line
        totals, *_ = map(json.loads, content.splitlines())
        return {key: totals[key] for key in ("total", "failed")}


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in _PASSING}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def is_hidden(name: str) -> bool:
    """Return whether a path is of a hidden folder or of what is in it."""
    return any(part.startswith(".") for part in name.split("/"))


def faults_of(killed: Ended, again: Ended, before: Tree, whole: Tree, sent: signal.Signals) -> Iterator[str]:
    """Yield what is wrong with a run that was killed by *sent*, and with the run after it.

    Args:
        killed: how the killed run ended.
        again: how the same command ended afterwards.
        before: the outputs before the killed run.
        whole: the outputs of an undisturbed run.
        sent: the signal.
    """
    if killed.code != (-sent if sent == signal.SIGKILL else 130):
        yield f"ended with {killed.code}"
    if "Traceback" in killed.printed:
        yield f"printed {killed.printed}"
    left = {name: content for name, content in killed.left.items() if not is_hidden(name)}
    for name, content in left.items():
        if name.endswith((".json", ".jsonl")):  # the report and the summary of a batch tell of the interruption
            _timeless(content)  # raises for half of one
        elif content not in (before.get(name), whole.get(name)):
            yield f"{name} is neither the old file nor the new one"
    if lost := before.keys() - left.keys():
        yield f"{sorted(lost)} are gone"
    if "nothing was written" in killed.printed and killed.written:
        yield f"said that nothing was written, but {sorted(killed.written)} were"
    listed = killed.printed.partition("after it wrote ")[2]
    if listed and {name for name in whole if f"out/{name}" in listed} != killed.written:
        yield f"said {listed!r}, but wrote {sorted(killed.written)}"
    if sent != signal.SIGKILL and "interrupted" not in killed.printed:
        yield f"said {killed.printed!r}"
    if again.code != 0:
        yield f"the next run ended with {again.code}: {again.printed}"
    if again.left.keys() != whole.keys():
        yield f"the next run left {sorted(again.left.keys() ^ whole.keys())}"
    elif any(_timeless(again.left[name]) != _timeless(whole[name]) for name in whole):
        yield "the next run left other contents"


def tally(folder: Path, command: Command, sent: signal.Signals, every: int = 1, first: int = 1) -> Tally:
    """Kill *command* by *sent* before its operation *first* and each *every*-th one after it, and tell of it."""
    before = prepare(folder, command)
    whole, operations = run(folder, command, command.arguments)
    assert whole.code == 0, whole.printed
    found = Tally(operations)
    for number in range(first, operations + 1, every):
        restore(folder, before)
        killed, _ = run(folder, command, command.arguments, number, sent)
        again, _ = run(folder, command, command.arguments)
        found.kills += 1
        found.with_leftovers += any(map(is_hidden, killed.left))
        found.faults += [
            f"{sent.name} at {number}: {fault}" for fault in faults_of(killed, again, before, whole.left, sent)
        ]
    return found


def main() -> int:
    """Kill every command at every operation by every signal; print a table and the faults."""
    print(f"{'command':<20}{'signal':<10}{'operations':>10}{'kills':>8}{'left hidden folders':>22}{'recovered':>11}")
    faults = []
    with scene() as folder:
        for name, command in COMMANDS.items():
            for sent in SIGNALS:
                found = tally(folder, command, sent)
                faulty = len({fault.split(":")[0] for fault in found.faults})
                print(
                    f"{name:<20}{sent.name:<10}{found.operations:>10}{found.kills:>8}{found.with_leftovers:>22}"
                    f"{found.kills - faulty:>11}",
                    flush=True,
                )
                faults += [f"{name}, {fault}" for fault in found.faults]
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
