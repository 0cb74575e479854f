"""Check a Python: its version, NumPy, PyTorch and GPUs. Needs neither Blender nor the core."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..background.process import read_lines
from ..background.python import start_python
from ..background.task import Progress, TaskCancelled

OLDEST_PYTHON = (3, 11)
SCRIPT = Path(__file__).resolve().parent / "probe_script.py"
TIMEOUT_S = 120.0
_MARK = "@smplify "
_POLL_S = 0.05


class ProbeError(Exception):
    """A Python cannot be checked or used; the message says why and what to do."""


@dataclass(frozen=True)
class Device:
    """A GPU that PyTorch finds.

    Attributes:
        id: PyTorch's name of the device ("cuda", "cuda:1", "mps").
        name: display name.
        fault: why it cannot compute; empty if it can.
    """

    id: str
    name: str
    fault: str = ""


@dataclass(frozen=True)
class PythonInfo:
    """The checked properties of a Python.

    Attributes:
        path: the executable, as given.
        version: the Python version.
        numpy: NumPy's version.
        torch: PyTorch's version.
        devices: the GPUs that PyTorch finds.
    """

    path: str
    version: str
    numpy: str
    torch: str
    devices: tuple[Device, ...] = ()

    @property
    def usable_devices(self) -> tuple[Device, ...]:
        """The GPUs that can compute."""
        return tuple(device for device in self.devices if not device.fault)

    def to_json(self) -> str:
        """Return the properties as JSON, to be stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PythonInfo | None:
        """Return the properties that `to_json` encoded as *text*, or None for other texts."""
        try:
            values = json.loads(text)
            devices = tuple(Device(**device) for device in values.pop("devices"))
            return cls(**values, devices=devices)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def python_in(path: Path) -> Path:
    """Return the Python in an environment's folder; return other paths unchanged."""
    if not path.is_dir():
        return path
    for name in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        if (path / name).is_file():
            return path / name
    return path


def probe(python: Path, progress: Progress | None = None, *, timeout_s: float = TIMEOUT_S) -> PythonInfo:
    """Check the Python at *python*.

    Args:
        python: the executable.
        progress: called regularly; returns False to cancel.
        timeout_s: time limit, seconds; the first import of PyTorch takes a while.

    Raises:
        ProbeError: the file does not exist, is not a Python, is too old, does not answer, or lacks NumPy or PyTorch.
        TaskCancelled: *progress* returned False.
    """
    info, fault = _parse(_ask(python, progress, timeout_s), python)
    if tuple(int(part) for part in info.version.split(".")[:2]) < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise ProbeError(f"expected Python {wanted} or newer, {python} is {info.version}; choose a newer one")
    for package, title, version in (("numpy", "NumPy", info.numpy), ("torch", "PyTorch", info.torch)):
        if not version:
            raise ProbeError(
                f"{python} (Python {info.version}) cannot import {title} ({fault}); install it there with "
                f"'{python} -m pip install {package}', or choose another Python"
            )
    if fault:
        raise ProbeError(f"PyTorch {info.torch} in {python} does not work: {fault}; install it there again")
    return info


def _ask(python: Path, progress: Progress | None, timeout_s: float) -> str:
    """Run the script in *python* and return its answer."""
    if not python.is_file():
        what = "a folder without one" if python.is_dir() else "no file"
        raise ProbeError(f"expected a Python executable, found {what} at {python}; choose python or python.exe itself")
    try:
        process = start_python(python, SCRIPT, receive=read_lines)
    except OSError as error:
        raise ProbeError(
            f"{python} cannot be started: {error.strerror or error}; choose an executable of Python"
        ) from error
    until = time.monotonic() + timeout_s
    answer = ""
    try:
        process.end_input()
        for line in process.items(_POLL_S):
            if progress is not None and not progress(0.0, "Checking that Python"):
                raise TaskCancelled
            if time.monotonic() > until:
                raise ProbeError(f"{python} did not answer within {timeout_s:g} s; try again, or choose another Python")
            if line is not None and line.startswith(_MARK):
                answer = line[len(_MARK) :]
        code, last_lines = process.exit_code(), process.last_lines()
    finally:
        process.end()
        process.close()
    if not answer:
        raise _no_answer(python, f"exit code {code}" + (f": {last_lines}" if last_lines else ""))
    return answer


def _parse(answer: str, python: Path) -> tuple[PythonInfo, str]:
    """Return what the script found out, and what is wrong with PyTorch there."""
    try:
        found = json.loads(answer)
        devices = tuple(Device(*map(str, device)) for device in found["devices"])
        version, numpy, torch, fault = (str(found[name]) for name in ("version", "numpy", "torch", "fault"))
        tuple(int(part) for part in version.split(".")[:2])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_answer(python, f"it said {answer[:80]!r}") from None
    return PythonInfo(str(python), version, numpy, torch, devices), fault


def _no_answer(python: Path, how: str) -> ProbeError:
    return ProbeError(
        f"expected a Python at {python}, it did not answer as one ({how}); choose python or python.exe itself"
    )


def same_file(one: str, other: str) -> bool:
    """Return whether two paths are equal by this system's rules."""
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))
