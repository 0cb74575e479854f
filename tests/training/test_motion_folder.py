"""Folders of motion clips: selection of files and the clips read from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.errors import CoreError, InputMissingError
from training.data.motion_folder import BETAS_STD, read_clips


def _write(
    path: Path, *, num_frames: int = 5, width: int = 156, fps: float = 30.0, seed: int = 0
) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    arrays = {
        "poses": generator.normal(0.0, 0.5, (num_frames, width)),
        "trans": generator.normal(size=(num_frames, 3)),
        "betas": np.zeros(16),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(fps),
    }
    np.savez(path, **arrays)
    return arrays


@pytest.fixture
def folder(tmp_path) -> Path:
    for number, name in enumerate(("CMU_05_02", "CMU_16_15", "CMU_16_a_b", "KIT_16_01", "CMU_01_01")):
        _write(tmp_path / f"{name}_poses.npz", seed=number)
    _write(tmp_path / "CMU_16_15_shape.npz")
    (tmp_path / "CMU_readme_poses.txt").write_text("not a clip")
    return tmp_path


def test_clips_of_the_collection_are_sorted_by_name(folder):
    clips = read_clips(folder)
    assert [clip.name for clip in clips] == [
        "CMU_01_01_poses", "CMU_05_02_poses", "CMU_16_15_poses", "CMU_16_a_b_poses",
    ]  # fmt: skip
    assert [clip.subject for clip in clips] == ["01", "05", "16", "16"]
    assert [clip.name for clip in read_clips(folder, collection="KIT")] == ["KIT_16_01_poses"]


def test_subjects_are_selected_by_exact_name(folder):
    assert [clip.subject for clip in read_clips(folder, ["16"])] == ["16", "16"]
    assert [clip.subject for clip in read_clips(folder, iter(["01", "05"]))] == ["01", "05"]
    with pytest.raises(InputMissingError):
        read_clips(folder, ["6"])


@pytest.mark.parametrize("width", [72, 156, 165])
def test_rotations_are_those_of_the_22_body_joints(tmp_path, width):
    arrays = _write(tmp_path / "CMU_01_01_poses.npz", width=width, fps=59.94)
    (clip,) = read_clips(tmp_path)
    turns = Rotation.from_rotvec(arrays["poses"][:, :66].reshape(-1, 3)).as_matrix().reshape(5, 22, 3, 3)
    np.testing.assert_allclose(clip.rotations[:, :22], turns, atol=1e-5)
    np.testing.assert_array_equal(clip.rotations[:, 22:], np.broadcast_to(np.eye(3), (5, 2, 3, 3)))
    np.testing.assert_allclose(clip.trans, arrays["trans"], atol=1e-6)
    assert clip.fps == 59.94
    assert clip.rotations.dtype == clip.trans.dtype == np.float32


def test_empty_folder_reports_the_expected_files(tmp_path):
    with pytest.raises(InputMissingError) as caught:
        read_clips(tmp_path, ["35", "16"])
    message = str(caught.value)
    for word in ("CMU_SUBJECT_CLIP_poses.npz", "['16', '35']", str(tmp_path), "AMASS"):
        assert word in message
    assert isinstance(caught.value, CoreError)


def test_betas_depend_on_the_clip_name(folder):
    clips = read_clips(folder)
    betas = np.stack([clip.drawn_betas() for clip in clips])
    np.testing.assert_array_equal(betas, np.stack([clip.drawn_betas() for clip in read_clips(folder)]))
    assert len(np.unique(betas[:, 0])) == len(clips)
    assert betas.shape == (4, 10) and betas.dtype == np.float32
    many = clips[0].drawn_betas(20_000)
    assert many.std() == pytest.approx(BETAS_STD, rel=0.03) and abs(many.mean()) < 0.03


def test_real_clips_are_read(cmu):
    clips = read_clips(cmu, ["35"])
    assert len(clips) >= 3 and {clip.subject for clip in clips} == {"35"}
    upright = np.concatenate([clip.rotations[:, 0, 1, 1] for clip in clips])
    assert np.median(upright) > 0.9, "the clips are Y up"
