"""How far pip is, from what it prints."""

from __future__ import annotations

import pytest

from blender_addon.torch_backend.pip_output import PipProgress

OUTPUT = """\
Collecting torch==2.13.0
  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (29 kB)
Collecting filelock (from torch==2.13.0)
Processing /some/place/typing_extensions-4.16.0-py3-none-any.whl (from torch==2.13.0)
Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (600.0 MB)
Progress 0 of 600
Progress 300 of 600
Progress 600 of 600
Downloading nvidia_cublas-13.1.1.3-py3-none-manylinux_2_27_x86_64.whl (400.0 MB)
Progress 200 of 400
Progress 400 of 400
Installing collected packages: mpmath, torch, sympy
"""


def test_the_share_follows_what_is_downloaded_then_what_is_unpacked(tmp_path):
    progress = PipProgress(1000, tmp_path)
    (tmp_path / "pip-25.3.dist-info").mkdir()
    shares, texts = [], []
    for line in OUTPUT.splitlines(keepends=True):
        progress.read_line(line)
        progress.count_unpacked()
        shares.append(progress.share)
        texts.append(progress.what)
    assert shares[:6] == [0.0] * 6
    assert shares[6:11] == pytest.approx([0.24, 0.48, 0.48, 0.64, 0.8])
    assert texts[0] == "Looking for torch"
    assert texts[3] == "Looking for typing_extensions"
    assert texts[4] == "Downloading torch-2.13.0"
    assert texts[8] == "Downloading nvidia_cublas-13.1.1.3"
    assert texts[-1] == "Unpacking"
    assert shares[-1] == pytest.approx(0.85)
    for name in ("mpmath", "torch", "sympy"):
        (tmp_path / f"{name}-1.dist-info").mkdir()
    progress.count_unpacked()
    assert progress.share == 1.0


def test_more_than_was_expected_never_goes_back_nor_over_the_end(tmp_path):
    progress = PipProgress(100, tmp_path)
    shares = []
    for line in OUTPUT.splitlines():
        progress.read_line(line)
        shares.append(progress.share)
    assert shares == sorted(shares)
    assert max(shares) <= 0.8
