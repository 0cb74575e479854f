"""What stands in for PyTorch, NumPy and the Python that makes environments where only the way is tested."""

from __future__ import annotations

import zipfile
from pathlib import Path

from blender_addon.torch_backend.builds import TORCH_VERSION
from blender_addon.torch_backend.environment import base_python

TORCH = f"""
__version__ = "{TORCH_VERSION}"


class Number:
    def __add__(self, other):
        return self

    def cpu(self):
        return self


def ones(size, device):
    if device == "cuda:1":
        raise RuntimeError("no kernel image is available for execution on the device\\nmore")
    return Number()


class cuda:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    get_device_name = staticmethod(lambda index: "Test GPU " + str(index))


class backends:
    pass
"""


def write_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """Write a pure-Python wheel of one module into *folder* and return its path."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path


def write_stand_ins(folder: Path, *, torch: str = TORCH) -> None:
    """Write what `installation.Installation` asks pip for into *folder*."""
    write_wheel(folder, "torch", TORCH_VERSION, torch)
    for version in ("1.26.4", "2.5.5"):
        write_wheel(folder, "numpy", version, f'__version__ = "{version}"\n')


def write_quick_python(folder: Path, environment: Path) -> Path:
    """Write a program that makes environments by copying *environment*, and is a Python otherwise; return its path."""
    folder.mkdir(parents=True)
    copy = folder / "copy.py"
    copy.write_text(
        f"import shutil, sys\nshutil.copytree({str(environment)!r}, sys.argv[1], symlinks=True, dirs_exist_ok=True)\n",
        encoding="utf-8",
    )
    python, program = base_python(), folder / "python"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exec "{python}" "$@"\nexec "{python}" "{copy}" "$3"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program
