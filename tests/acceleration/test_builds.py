"""Which build of PyTorch a computer gets."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from blender_addon.torch_backend import builds
from blender_addon.torch_backend.builds import (
    APPLE,
    CPU_LINUX,
    CPU_WINDOWS,
    CUDA_LINUX,
    CUDA_WINDOWS,
    NoBuildError,
    choose_build,
    has_nvidia_driver,
    shown_size,
)
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("system", "machine", "nvidia", "mac_version", "build"),
    [
        ("Linux", "x86_64", True, 0, CUDA_LINUX),
        ("Linux", "aarch64", True, 0, CUDA_LINUX),
        ("Linux", "x86_64", False, 0, CPU_LINUX),
        ("Windows", "AMD64", True, 0, CUDA_WINDOWS),
        ("Windows", "AMD64", False, 0, CPU_WINDOWS),
        ("Darwin", "arm64", False, 14, APPLE),
        ("Darwin", "arm64", False, 26, APPLE),
    ],
)
def test_a_computer_gets_its_build(system, machine, nvidia, mac_version, build):
    assert choose_build(system, machine, nvidia=nvidia, mac_version=mac_version) is build


@pytest.mark.parametrize(
    ("system", "machine", "mac_version"),
    [("Darwin", "x86_64", 14), ("Darwin", "arm64", 13), ("Windows", "ARM64", 0), ("FreeBSD", "amd64", 0)],
)
def test_a_platform_without_a_build_gets_instructions(system, machine, mac_version):
    with pytest.raises(NoBuildError, match=f"this computer is {system}.*Fit with NumPy"):
        choose_build(system, machine, nvidia=False, mac_version=mac_version)


def test_the_versions_are_those_of_the_repository():
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {re.sub(r"[\s'\"]", "", line.partition("#")[0]) for line in lines}
    for pin in (*builds.PINS, f"torch=={builds.TORCH_VERSION}"):
        assert re.sub(r"[\s'\"]", "", pin) in pinned, pin


@pytest.mark.skipif(os.name == "nt", reason="needs shell scripts")
@pytest.mark.parametrize(
    ("text", "found"),
    [("echo 'GPU 0: NVIDIA RTX'", True), ("echo 'No devices found'", False), ("echo GPU; exit 9", False)],
)
def test_a_gpu_is_there_when_its_driver_lists_it(tmp_path: Path, monkeypatch, text, found):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert has_nvidia_driver() is found


@pytest.mark.skipif(os.name == "nt", reason="needs shell scripts")
@pytest.mark.parametrize("path", [".", ""])
def test_a_program_in_the_working_directory_is_not_run(tmp_path: Path, monkeypatch, path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\ntouch was_run\necho 'GPU 0: NVIDIA RTX'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
    has_nvidia_driver()
    assert not (tmp_path / "was_run").exists()


def test_sizes_are_for_people():
    assert [shown_size(size) for size in (140, 999, 1000, 2800)] == ["140 MB", "999 MB", "1.0 GB", "2.8 GB"]
