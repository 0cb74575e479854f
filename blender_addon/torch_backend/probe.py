"""Check a Python: its version, NumPy, PyTorch and GPUs. Needs neither Blender nor the core."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..background.process import Process, environment_for_another_python

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


def probe(python: Path, *, timeout_s: float = TIMEOUT_S, cancelled: threading.Event | None = None) -> PythonInfo:
    """Check the Python at *python*.

    Args:
        python: the executable.
        timeout_s: time limit, seconds; the first import of PyTorch takes a while.
        cancelled: set by another thread to cancel.

    Raises:
        ProbeError: the file does not exist, is not a Python, is too old, does not answer, or lacks NumPy or PyTorch.
    """
    found = _ask(python, timeout_s, cancelled)
    info = PythonInfo(
        path=str(python),
        version=str(found["version"]),
        numpy=str(found["numpy"]),
        torch=str(found["torch"]),
        devices=tuple(Device(*map(str, device)) for device in found["devices"]),
    )
    if tuple(int(part) for part in info.version.split(".")[:2]) < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise ProbeError(f"expected Python {wanted} or newer, {python} is {info.version}; choose a newer one")
    for package, title, version in (("numpy", "NumPy", info.numpy), ("torch", "PyTorch", info.torch)):
        if not version:
            raise ProbeError(
                f"{python} (Python {info.version}) cannot import {title} ({found['fault']}); install it there with "
                f"'{python} -m pip install {package}', or choose another Python"
            )
    if found["fault"]:
        raise ProbeError(f"PyTorch {info.torch} in {python} does not work: {found['fault']}; install it there again")
    return info


def _ask(python: Path, timeout_s: float, cancelled: threading.Event | None) -> dict[str, Any]:
    """Run the script in *python* and return its answer."""
    if not python.is_file():
        what = "a folder without one" if python.is_dir() else "no file"
        raise ProbeError(f"expected a Python executable, found {what} at {python}; choose python or python.exe itself")
    try:
        process = Process([str(python), str(SCRIPT)], environment=environment_for_another_python())
    except OSError as error:
        raise ProbeError(
            f"{python} cannot be started: {error.strerror or error}; choose an executable of Python"
        ) from error
    until = time.monotonic() + timeout_s
    try:
        while process.running:
            if cancelled is not None and cancelled.is_set():
                raise ProbeError(f"the check of {python} was cancelled")
            if time.monotonic() > until:
                raise ProbeError(f"{python} did not answer within {timeout_s:g} s; try again, or choose another Python")
            time.sleep(_POLL_S)
        output, code, last_lines = process.stdout.read(), process.exit_code(), process.last_lines()
    finally:
        process.end()
        process.close()
    return _answer(output, python, f"exit code {code}" + (f": {last_lines}" if last_lines else ""))


def _answer(said: str, python: Path, how: str) -> dict[str, Any]:
    marked = [line[len(_MARK) :] for line in said.splitlines() if line.startswith(_MARK)]
    try:
        found = json.loads(marked[-1])
    except (IndexError, ValueError):
        raise ProbeError(
            f"expected a Python at {python}, it did not answer as one ({how}); choose python or python.exe itself"
        ) from None
    return dict(found)


def same_file(one: str, other: str) -> bool:
    """Return whether two paths are equal by this system's rules."""
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))
