"""Datasets: finding, reading, trimming, caching and splitting motions."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

torch = pytest.importorskip("torch")

from core.amass import write_motion  # noqa: E402
from core.body.free_body import load_free_body  # noqa: E402
from core.errors import InputMissingError, MotionError, UnsafePickleError  # noqa: E402
from core.motion import Motion  # noqa: E402
from training.config import DATASETS, DataConfig  # noqa: E402
from training.data.pairs import PairDataset, TrainSampler, hashed_uniform, held_out_targets  # noqa: E402
from training.data.prepared import load_motions  # noqa: E402
from training.data.readers import read_source  # noqa: E402
from training.data.sources import find_sources  # noqa: E402
from training.data.splits import split_clips  # noqa: E402
from training.run.distributed import Processes  # noqa: E402

BODY = load_free_body()


def rest_pelvis(betas: np.ndarray) -> np.ndarray:
    return BODY.joint_regressor[0] @ (BODY.v_template + BODY.shapedirs @ betas)


@pytest.mark.parametrize("dataset", DATASETS)
def test_missing_data_says_how_to_get_it(dataset: str, tmp_path: Path) -> None:
    config = DataConfig(dataset=dataset, folder=str(tmp_path / "none"))
    with pytest.raises(InputMissingError, match="no such folder; .*(download|put motions).*data.folder"):
        find_sources(config)
    with pytest.raises(InputMissingError, match="no such file in it"):
        find_sources(replace(config, folder=str(tmp_path)))


def test_clips_are_trimmed_and_resampled_to_30_fps_by_time(walk: Motion, tmp_path: Path) -> None:
    """At 50 fps, taking every n-th frame cannot give 30 fps."""
    clip = replace(walk, fps=50.0)
    write_motion(tmp_path / "Set_07_01_poses.npz", clip, up_axis="Y")
    motions = load_motions(DataConfig(dataset="folder", folder=str(tmp_path)), BODY)
    first, last = int(0.1 * clip.num_frames), clip.num_frames - int(0.1 * clip.num_frames)
    seconds = np.arange(first, last) / 50.0
    times = seconds[0] + np.arange(len(motions.poses)) / 30.0
    assert times[-1] - 1e-9 <= seconds[-1] < times[-1] + 1.0 / 30.0
    times = np.minimum(times, seconds[-1])
    for joint in (0, 4, 17):
        columns = slice(3 * joint, 3 * joint + 3)
        expected = Slerp(seconds, Rotation.from_rotvec(clip.poses[first:last, columns]))(times)
        off = (expected.inv() * Rotation.from_rotvec(motions.poses[:, columns])).magnitude()
        assert off.max() < 1e-5
    np.testing.assert_allclose(motions.trans[:, 1], np.interp(times, seconds, clip.trans[first:last, 1]), atol=1e-6)


def test_arrays_are_mapped_prepared_once_and_again_when_a_file_changes(motion_folder: Path, tmp_path: Path) -> None:
    config = DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path))
    motions = load_motions(config, BODY)
    assert isinstance(motions.poses, np.memmap) and motions.poses.dtype == np.float32
    assert not motions.poses.flags.writeable
    folders = sorted(tmp_path.iterdir())
    stamp = (folders[0] / "poses.npy").stat().st_mtime_ns
    load_motions(config, BODY, write=False)
    assert sorted(tmp_path.iterdir()) == folders and (folders[0] / "poses.npy").stat().st_mtime_ns == stamp
    with pytest.raises(MotionError, match="the node's first process"):
        load_motions(replace(config, fps=25.0), BODY, write=False)
    load_motions(replace(config, fps=25.0), BODY)
    assert len(list(tmp_path.iterdir())) == 2


def test_damaged_file_is_left_out_and_reported(
    motion_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Bad_01_01_poses.npz").write_bytes(b"PK nothing")
    config = DataConfig(dataset="folder", folder=str(tmp_path))
    with pytest.raises(MotionError, match="none usable in 1 files"):
        load_motions(config, BODY)
    good = motion_folder / "Walk_01_01_poses.npz"
    (tmp_path / good.name).write_bytes(good.read_bytes())
    assert load_motions(config, BODY).names == ("Walk_01_01_poses",)
    assert "Bad_01_01" in caplog.text
    assert not list((tmp_path / ".prepared").glob(".preparing-*"))


def test_amass_is_z_up_and_its_folders_give_collection_and_subject(walk: Motion, tmp_path: Path) -> None:
    folder = tmp_path / "HumanEva" / "S1"
    write_motion(folder / "Walk_poses.npz", walk, up_axis="Z", rest_pelvis=rest_pelvis(walk.betas))
    with np.load(folder / "Walk_poses.npz") as ours:
        published = {key: ours[key] for key in ("poses", "trans", "betas", "gender", "mocap_framerate")}
    np.savez(folder / "Walk_poses.npz", **published)
    np.savez(folder / "shape.npz", betas=np.zeros(10))
    sources = find_sources(DataConfig(folder=str(tmp_path)))
    assert [(one.name, one.subject, one.part) for one in sources] == [("HumanEva/S1/Walk_poses", "HumanEva/S1", "val")]
    motion = read_source(sources[0], "amass", "", rest_pelvis)[0]
    np.testing.assert_allclose(motion.trans, walk.trans, atol=1e-9)
    np.testing.assert_allclose(motion.rotations()[:, 0], walk.rotations()[:, 0], atol=1e-6)
    assert motion.body == "smplh"


def test_betas_of_another_body_are_resampled(motion_folder: Path, walk: Motion, tmp_path: Path) -> None:
    config = DataConfig(dataset="folder", folder=str(tmp_path))
    own = np.linspace(-1.0, 1.0, 10)
    write_motion(tmp_path / "A_1_own_poses.npz", replace(walk, betas=own), up_axis="Y")
    write_motion(tmp_path / "A_2_smpl_poses.npz", replace(walk, betas=own, body="smpl"), up_axis="Y")
    automatic, kept = load_motions(config, BODY).betas, load_motions(replace(config, betas="file"), BODY).betas
    np.testing.assert_allclose(automatic[0], own, atol=1e-6)
    assert np.abs(automatic[1] - own).max() > 0.1
    np.testing.assert_allclose(kept[1], own, atol=1e-6)
    np.testing.assert_array_equal(automatic, load_motions(config, BODY).betas)


def test_3dpw_pickles_are_read_as_data(walk: Motion, tmp_path: Path) -> None:
    folder = tmp_path / "sequenceFiles" / "validation"
    folder.mkdir(parents=True)
    people = {
        "poses": [walk.poses[:50], walk.poses[50:110]],
        "trans": [walk.trans[:50], walk.trans[50:110]],
        "betas": [np.full(10, 0.5), np.zeros(10)],
        "genders": ["m", "f"],
        "sequence": "downtown",
    }
    (folder / "downtown_00.pkl").write_bytes(pickle.dumps(people, protocol=2))
    config = DataConfig(dataset="3dpw", folder=str(tmp_path), trim=0.0, betas="file")
    motions = load_motions(config, BODY)
    assert motions.names == ("val/downtown_00", "val/downtown_00.1") and motions.lengths.tolist() == [50, 60]
    assert motions.parts == ("val", "val")
    np.testing.assert_allclose(motions.trans[50:], walk.trans[50:110], atol=1e-6)
    np.testing.assert_allclose(motions.betas[0], 0.5)

    class Hostile:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    (folder / "downtown_01.pkl").write_bytes(pickle.dumps({"poses": Hostile()}))
    with pytest.raises(UnsafePickleError):
        read_source(find_sources(config)[1], "3dpw", "", rest_pelvis)
    assert not (tmp_path / "ran").exists()


def test_rich_frames_become_gap_free_ranges(walk: Motion, tmp_path: Path) -> None:
    for frame in (3, 4, 5, 9, 10):
        place = tmp_path / "train_body" / "Pavallion_000_yoga" / f"{frame:05d}"
        place.mkdir(parents=True)
        held = {
            "global_orient": walk.poses[frame : frame + 1, :3],
            "body_pose": walk.poses[frame : frame + 1, 3:66],
            "transl": walk.trans[frame : frame + 1],
            "betas": np.full((1, 10), 0.1 * frame),
        }
        (place / "001.pkl").write_bytes(pickle.dumps(held))
    sources = find_sources(DataConfig(dataset="rich", folder=str(tmp_path)))
    motions = read_source(sources[0], "rich", "", rest_pelvis)
    assert [motion.num_frames for motion in motions] == [3, 2]
    np.testing.assert_allclose(motions[1].poses[:, :66], walk.poses[9:11, :66])
    np.testing.assert_allclose(motions[0].betas, 0.4)
    assert (sources[0].part, sources[0].subject, motions[0].body) == ("train", "rich/001", "smplx")


def test_splits_are_seeded_disjoint_and_follow_the_settings(motion_folder: Path, tmp_path: Path) -> None:
    config = DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path), train_share=0.5)
    motions = load_motions(config, BODY)
    for mode in ("files", "subjects"):
        split = split_clips(motions, replace(config, split=mode))
        again = split_clips(motions, replace(config, split=mode))
        assert sorted([*split.train, *split.test]) == [0, 1, 2, 3] and len(split.train) == 2
        assert split.train.tolist() == again.train.tolist()
    drawn = {tuple(split_clips(motions, replace(config, split_seed=seed)).train) for seed in range(10)}
    assert len(drawn) > 1
    chosen = split_clips(motions, replace(config, split="subjects", test_subjects=("02", "Walk/03")))
    assert [motions.subjects[clip] for clip in chosen.test] == ["Walk/02", "Walk/03"]
    with pytest.raises(MotionError, match="found none called 77"):
        split_clips(motions, replace(config, split="subjects", test_subjects=("77",)))
    with pytest.raises(MotionError, match="gives 4 and 0"):
        split_clips(motions, replace(config, split="official"))
    all_tested = replace(config, train_share=0.0)
    assert split_clips(motions, all_tested, trains=False).test.tolist() == [0, 1, 2, 3]
    with pytest.raises(MotionError, match="clips to train on and clips to test on.*gives 0 and 4"):
        split_clips(motions, all_tested)


def test_test_targets_have_enough_frames_on_both_sides(motion_folder: Path, tmp_path: Path) -> None:
    config = DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path))
    motions = load_motions(config, BODY)
    targets = held_out_targets(motions, [1, 3], largest_stride=9, every=1)
    for clip in (1, 3):
        span = motions.frames(clip)
        own = targets[(targets >= span.start) & (targets < span.stop)]
        assert own[0] - 9 - 1 == span.start and own[-1] + 1 == span.stop - 1
    assert len(held_out_targets(motions, [1, 3], largest_stride=9, every=100)) == 1
    batch = PairDataset(motions)[(targets[:2], targets[:2] + 1)]
    np.testing.assert_array_equal(batch.target_poses[0], motions.poses[targets[0] + 1])
    np.testing.assert_array_equal(batch.betas[0], motions.betas[1])


def test_frames_per_subject_are_limited_in_an_epoch(motion_folder: Path, tmp_path: Path) -> None:
    config = DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path))
    motions = load_motions(config, BODY)
    motions = replace(motions, subjects=("one", "one", "one", "other"))
    most = int(motions.lengths[3])

    def drawn(epoch: int, frames_per_subject: int) -> np.ndarray:
        sampler = TrainSampler(
            motions,
            range(4),
            strides=(1,),
            swap=0.0,
            batch_size=1,
            seed=0,
            processes=Processes(0, 1, torch.device("cpu")),
            frames_per_subject=frames_per_subject,
        )
        sampler.set_epoch(epoch)
        pairs = list(sampler)
        assert len(pairs) == sampler.num_batches
        return np.sort(np.concatenate([start for start, _ in pairs]))

    assert len(drawn(0, 0)) == motions.lengths.sum() - 4
    others = drawn(0, most) >= motions.frames(3).start
    assert others.sum() == most - 1 and (~others).sum() == most
    assert len(np.unique(drawn(0, most))) == 2 * most - 1
    assert not np.array_equal(drawn(0, most), drawn(1, most)), "the same frames are dropped each epoch"


def test_every_tenth_frame_is_the_same_in_each_epoch(motion_folder: Path, tmp_path: Path) -> None:
    """As in the published code."""
    motions = load_motions(DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path)), BODY)
    sampler = TrainSampler(
        motions,
        range(2),
        strides=(1, 3),
        swap=0.0,
        batch_size=1,
        seed=0,
        processes=Processes(0, 1, torch.device("cpu")),
        every=10,
    )
    length = int(motions.lengths[0]) - 1
    frames = [*range(length), *range(length + 1, length + int(motions.lengths[1]))]
    for epoch in range(2):
        sampler.set_epoch(epoch)
        assert sorted(int(start[0]) for start, _ in sampler) == frames[::10]


def test_hashed_numbers_are_uniform_and_independent() -> None:
    frames = np.arange(20_000)
    first, second = (hashed_uniform(42, 0, frames, stream) for stream in (0, 1))
    counts = np.histogram(first, bins=10, range=(0.0, 1.0))[0]
    assert np.abs(counts - 2000).max() < 200
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03
    assert not np.array_equal(first, hashed_uniform(42, 1, frames, 0))


def test_unwritable_folder_is_reported(motion_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    config = DataConfig(dataset="folder", folder=str(motion_folder), cache=str(tmp_path / "file"))
    with pytest.raises(MotionError, match="--set data.cache=FOLDER"):
        load_motions(config, BODY)
