"""Choose the build of PyTorch for this computer. Needs neither Blender nor the core."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..background.process import NO_WINDOW

TORCH_VERSION = "2.13.0"
PINS = (
    "filelock==4.2.11",
    "fsspec==2026.9.0",
    "Jinja2==3.1.6",
    "MarkupSafe==3.0.4",
    "mpmath==1.3.0",
    "networkx==3.6.1",
    "numpy==1.26.4 ; python_version < '3.13'",
    "numpy==2.5.5 ; python_version >= '3.13'",
    "sympy==1.14.0",
    "typing_extensions==4.16.0",
)
"""NumPy and the dependencies of PyTorch, pinned as in constraints.txt. PyTorch pins its CUDA packages itself."""

PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
"""The Python versions supported by both this PyTorch and the core."""

CUDA_TAG = "cu130"
INDEX = "https://download.pytorch.org/whl/{tag}"
"""PyTorch's own index, for builds that the Python package index lacks."""

_MAC_OLDEST = 14
_SMI_TIMEOUT_S = 5.0


class NoBuildError(Exception):
    """There is no build of PyTorch for this computer; the message says what to do."""


@dataclass(frozen=True)
class Build:
    """A build of PyTorch.

    Attributes:
        title: display name of the device it computes on.
        requirement: the requirement for pip.
        extra_index: package index besides those that pip is configured for; empty for none.
        download_mb: approximate download size with dependencies, megabytes.
        disk_mb: approximate size on disk, megabytes.
        has_gpu: whether it computes on a GPU.
    """

    title: str
    requirement: str
    extra_index: str
    download_mb: int
    disk_mb: int
    has_gpu: bool = True


_TORCH = f"torch=={TORCH_VERSION}"
CUDA_LINUX = Build("NVIDIA GPU", _TORCH, "", 2800, 5600)
CUDA_WINDOWS = Build("NVIDIA GPU", f"{_TORCH}+{CUDA_TAG}", INDEX.format(tag=CUDA_TAG), 2000, 4600)
APPLE = Build("Apple GPU", _TORCH, "", 140, 750)
CPU_LINUX = Build("processor", f"{_TORCH}+cpu", INDEX.format(tag="cpu"), 230, 1000, has_gpu=False)
CPU_WINDOWS = Build("processor", _TORCH, "", 160, 750, has_gpu=False)


def choose_build(system: str, machine: str, *, nvidia: bool, mac_version: int = 0) -> Build:
    """Return the build for a computer.

    Args:
        system: "Linux", "Windows" or "Darwin", from `platform.system`.
        machine: the processor, from `platform.machine`.
        nvidia: whether an NVIDIA driver is installed and finds a GPU.
        mac_version: major version of macOS.

    Raises:
        NoBuildError: there is no build for the computer.
    """
    machine = machine.lower()
    intel, arm = machine in ("x86_64", "amd64"), machine in ("arm64", "aarch64")
    if system == "Darwin" and arm and mac_version >= _MAC_OLDEST:
        return APPLE
    if system == "Linux" and (intel or arm):
        return CUDA_LINUX if nvidia else CPU_LINUX
    if system == "Windows" and intel:
        return CUDA_WINDOWS if nvidia else CPU_WINDOWS
    raise NoBuildError(
        f"PyTorch {TORCH_VERSION} comes for 64-bit Linux, for Windows on Intel and AMD, and for Macs with Apple's "
        f"processors from macOS {_MAC_OLDEST}; this computer is {system} {mac_version or ''} on {machine}. Fit with "
        "NumPy, or choose a Python that has another PyTorch"
    )


@cache
def build_for_this_computer() -> Build:
    """Return the build for this computer; the first call takes a moment to look for a GPU.

    Raises:
        NoBuildError: there is no build for this computer.
    """
    mac_version = platform.mac_ver()[0].partition(".")[0]
    return choose_build(
        platform.system(), platform.machine(), nvidia=has_nvidia_driver(), mac_version=int(mac_version or 0)
    )


def has_nvidia_driver() -> bool:
    """Return whether an NVIDIA driver is installed and finds a GPU."""
    program = _nvidia_smi()
    if program is None:
        return Path("/proc/driver/nvidia/version").is_file()
    try:
        listed = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=False,
            creationflags=NO_WINDOW,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


def _nvidia_smi() -> Path | None:
    """Return the path of the driver's program; never one in the working directory, as `shutil.which` may on Windows."""
    name = "nvidia-smi.exe" if sys.platform == "win32" else "nvidia-smi"
    folders = (*os.get_exec_path(), "C:/Windows/System32")
    paths = (Path(folder, name) for folder in folders if os.path.isabs(folder))
    return next((path for path in paths if path.is_file() and os.access(path, os.X_OK)), None)


def shown_size(megabytes: int) -> str:
    """Format a size for the user."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
