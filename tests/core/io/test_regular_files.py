"""What is no file is never opened as one, and the message says what it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.batch.jobs import plan_jobs
from core.body.betas_file import read_betas
from core.body.smpl_file import read_body, read_regressor
from core.errors import CoreError, InputMissingError
from core.formats import find_tracks, read_recordings
from core.io.npz import read_npy, read_npz
from core.io.pickle.load import load_pickle

READERS: dict[str, Callable[[Path], object]] = {
    "body": read_body,
    "betas": read_betas,
    "network or prior": lambda path: read_npz(path, ["a"], error=CoreError),
    "array": lambda path: read_npy(path, error=CoreError),
    "pickle": load_pickle,
    "regressor": lambda path: read_regressor(path, 10),
    "keypoints": read_recordings,
    "folder of keypoints": find_tracks,
    "batch input": lambda path: plan_jobs([path], path.parent / "out"),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_or_a_device_is_named_as_such(tmp_path, reader):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputMissingError, match=f"found a pipe or a device at {path}"):
            READERS[reader](path)
    with pytest.raises(InputMissingError, match="found nothing at"):
        READERS[reader](tmp_path / "nowhere")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_batch_names_all_inputs_that_are_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    inputs = [tmp_path / "a", tmp_path / "pipe", tmp_path / "b"]
    expected = f"found nothing at {inputs[0]}, {inputs[2]} and a pipe or a device at {inputs[1]}"
    with pytest.raises(InputMissingError, match=expected):
        plan_jobs(inputs, tmp_path / "out")
