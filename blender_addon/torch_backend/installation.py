"""Install PyTorch into the private environment, with progress; can be cancelled at any time, complete or not at all.

Needs neither Blender nor the core.
"""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..background.process import read_lines
from ..background.python import start_python
from ..background.task import Progress, TaskCancelled
from .builds import PINS, PYTHON_VERSIONS, TORCH_VERSION, Build, shown_size
from .environment import (
    EnvironmentFault,
    environment_python,
    free_mb,
    of_any_length,
    publish,
    python_of,
    short_paths_only,
    unfinished_environment,
)
from .pip_output import PipProgress
from .probe import PythonInfo, probe

PIP = "pip==25.3"
_PIP_WITH_PROGRESS = (24, 1)
"""The first version of pip that reports the progress of downloads."""

_POLL_S = 0.2
_PRINTED_TAIL = 20
_ENSURE_PIP = re.compile(r"ensurepip|No module named '?venv")


@dataclass(frozen=True)
class Plan:
    """What to install.

    Attributes:
        base: the Python that creates the environment.
        build: the build of PyTorch.
        index_url: package index used instead of the build's extra index; empty for the build's.
        user_folder: the folder that contains the environment.
    """

    base: Path
    build: Build
    user_folder: Path
    index_url: str = ""

    @property
    def needed_mb(self) -> int:
        """The disk space needed during the installation, megabytes."""
        return self.build.disk_mb + self.build.download_mb

    @property
    def pip_arguments(self) -> list[str]:
        """The requirements for pip, and an index besides those that the user has configured."""
        if self.index_url:
            return [f"torch=={TORCH_VERSION}", "numpy", "--extra-index-url", self.index_url]
        index = ["--extra-index-url", self.build.extra_index] if self.build.extra_index else []
        return [self.build.requirement, "numpy", *index]


class Installation:
    """One installation."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        """Prepare to install as *plan* says; *progress* returns False to cancel."""
        self._plan = plan
        self._progress = progress
        self._step = (0.0, "Creating the environment")

    def run(self) -> PythonInfo:
        """Install PyTorch; return the checked properties of the new environment's Python.

        Raises:
            EnvironmentFault: the environment cannot be made, or pip fails.
            ProbeError: the installed PyTorch does not work.
            OSError: the disk cannot be written.
            TaskCancelled: it was cancelled; nothing is left behind.
        """
        plan = self._plan
        free = free_mb(plan.user_folder)
        if free < plan.needed_mb:
            raise EnvironmentFault(
                f"expected {shown_size(plan.needed_mb)} of free space for {plan.user_folder}, found "
                f"{shown_size(free)}; make room and try again"
            )
        with unfinished_environment(plan.user_folder) as folder:
            self._make(folder)
            self._fill(folder)
            self._report(0.98, "Testing PyTorch")
            info = probe(python_of(folder), lambda *_: self._progress(*self._step))
            self._check()
            publish(folder, plan.user_folder)
        self._progress(1.0, "Done")
        return replace(info, path=str(environment_python(plan.user_folder)))

    def _make(self, folder: Path) -> None:
        """Create an empty environment."""
        base = self._plan.base
        version = self._output([base, "-c", "import sys; print(*sys.version_info[:2])"])
        if tuple(map(int, version.split())) not in PYTHON_VERSIONS:
            wanted = ", ".join(f"{major}.{minor}" for major, minor in PYTHON_VERSIONS)
            raise EnvironmentFault(
                f"expected one of Python {wanted}, which PyTorch {TORCH_VERSION} supports; {base} is "
                f"{version.strip().replace(' ', '.')}. Choose another Python under More Options > Made with"
            )
        try:
            self._output([base, "-m", "venv", folder])
        except EnvironmentFault as error:
            if not _ENSURE_PIP.search(error.output):
                raise
            raise EnvironmentFault(
                f"{base} cannot make environments: it lacks Python's venv and ensurepip. Choose another Python "
                "under More Options > Made with, or install them (Debian, Ubuntu: apt-get install python3-venv)"
            ) from error

    def _reports_progress(self, python: Path) -> bool:
        """Return whether pip reports download progress; try to upgrade an old pip first."""
        if self._pip_version(python) < _PIP_WITH_PROGRESS:
            self._report(0.01, "Updating pip")
            with suppress(EnvironmentFault):  # the user's index may lack pip; the old one works too
                self._output([*_pip_install(python), PIP])
        return self._pip_version(python) >= _PIP_WITH_PROGRESS

    def _pip_version(self, python: Path) -> tuple[int, int]:
        said = self._output([python, "-m", "pip", "--version"])
        found = re.match(r"pip (\d+)\.(\d+)", said)
        if found is None:
            raise EnvironmentFault(f"expected the version of pip, got {said[:80]!r}")
        return int(found[1]), int(found[2])

    def _fill(self, folder: Path) -> None:
        """Install PyTorch and NumPy; pip's temporary files are inside the environment and removed with it."""
        temporary = folder / "tmp"
        temporary.mkdir()
        pins = temporary / "pins.txt"
        pins.write_text("".join(f"{pin}\n" for pin in PINS), encoding="utf-8")
        python = python_of(folder)
        packages = Path(self._output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
        progress = PipProgress(self._plan.build.download_mb * 1_000_000, packages)

        def on_line(line: str) -> None:
            if line:
                progress.read_line(line)
            progress.count_unpacked()
            self._report(0.02 + 0.95 * progress.share, progress.what)

        command = [*_pip_install(python), "--constraint", pins, *self._plan.pip_arguments]
        if short_paths_only():
            command += ["--prefix", of_any_length(str(folder.absolute()))]
        if self._reports_progress(python):
            command += ["--progress-bar", "raw"]
        self._run(command, on_line, temporary=temporary)
        shutil.rmtree(temporary, ignore_errors=True)

    def _report(self, share: float, what: str) -> None:
        self._step = (share, what)
        self._check()

    def _check(self) -> None:
        """Raise `TaskCancelled` if the user has cancelled."""
        if not self._progress(*self._step):
            raise TaskCancelled

    def _output(self, command: list[str | Path]) -> str:
        """Run *command* and return the last lines of its output."""
        lines: deque[str] = deque(maxlen=_PRINTED_TAIL)
        self._run(command, lines.append)
        return "".join(lines)

    def _run(self, command: list[str | Path], on_line: Callable[[str], None], *, temporary: Path | None = None) -> None:
        """Run *command*; call *on_line* with each line of output, and regularly with "".

        Raises:
            EnvironmentFault: the command fails.
            TaskCancelled: the user has cancelled.
        """
        self._check()
        variables = {} if temporary is None else dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
        process = start_python(*command, receive=read_lines, variables=variables)
        printed: deque[str] = deque(maxlen=_PRINTED_TAIL)
        try:
            process.end_input()
            for line in process.items(_POLL_S):
                self._check()
                printed.append(line or "")
                on_line(line or "")
            code = process.exit_code()
            if code != 0:
                output = process.last_lines() or "".join(printed).strip()
                raise EnvironmentFault(f"{_shown(command)} failed (exit code {code}):\n{output}", output=output)
        finally:
            process.end()
            process.close()


def _pip_install(python: Path) -> list[str | Path]:
    """Return the start of a pip command that builds, asks and caches nothing and uses the user's pip configuration."""
    return [
        python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--only-binary",
        ":all:",
    ]  # fmt: skip


def _shown(command: list[str | Path]) -> str:
    """Return the program and its first arguments, for messages."""
    return " ".join(str(part) for part in command[:4])
