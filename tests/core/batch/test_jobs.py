"""Which inputs a batch finds, and where their outputs go."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.batch.jobs import BatchError, Job, check_name, plan_jobs
from core.cleanup import CleanupOptions
from core.convert_options import ConvertOptions, plain_options
from core.errors import InputMissingError
from core.fit import FitOptions
from core.formats import TRACK_SUFFIXES
from core.reading import ReadOptions


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def targets(jobs, out):
    return {job.source.name: job.target.relative_to(out.resolve()).as_posix() for job in jobs}


def test_folder_tree_is_kept(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    touch(source / "a.trc", source / "day" / "b.c3d", source / "day" / "run" / "c.csv", source / "notes.txt")
    assert targets(plan_jobs([source], out), out) == {"a.trc": "a", "b.c3d": "day/b", "c.csv": "day/run/c"}


def test_several_folders_keep_their_names(tmp_path):
    touch(tmp_path / "one" / "a.trc", tmp_path / "two" / "b.trc", tmp_path / "c.trc")
    jobs = plan_jobs([tmp_path / "one", tmp_path / "two", tmp_path / "c.trc"], tmp_path / "out")
    assert targets(jobs, tmp_path / "out") == {"a.trc": "one/a", "b.trc": "two/b", "c.trc": "c"}


def test_inputs_of_one_name_never_write_the_same_files(tmp_path):
    touch(tmp_path / "x" / "walk.trc", tmp_path / "x" / "walk.c3d", tmp_path / "y" / "walk.trc")
    jobs = plan_jobs([tmp_path / "x" / "walk.trc", tmp_path / "x" / "walk.c3d", tmp_path / "y" / "walk.trc"], tmp_path)
    assert sorted(job.target.name for job in jobs) == ["walk_c3d", "walk_trc", "walk_trc_2"]


def test_a_link_back_to_a_folder_above_is_not_followed(tmp_path):
    touch(tmp_path / "in" / "a.trc", tmp_path / "in" / "day" / "b.trc", tmp_path / "elsewhere" / "c.trc")
    try:
        (tmp_path / "in" / "day" / "back").symlink_to(tmp_path / "in", target_is_directory=True)
        (tmp_path / "in" / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    out = tmp_path / "out"
    assert targets(plan_jobs([tmp_path / "in"], out), out) == {"a.trc": "a", "b.trc": "day/b", "c.trc": "more/c"}


def test_outputs_of_an_earlier_run_are_no_inputs(tmp_path):
    touch(
        tmp_path / "a.trc", tmp_path / "out" / "a.npz", tmp_path / "out" / "summary.json", tmp_path / "a.smplify.json"
    )
    assert [job.source.name for job in plan_jobs([tmp_path], tmp_path / "out")] == ["a.trc"]


def test_outputs_in_another_folder_are_no_inputs_either(tmp_path):
    touch(
        *(tmp_path / "first" / name for name in ("a.npz", "mine.npz", "summary.json", "b.smplify.json")),
        tmp_path / "a.trc",
    )
    report = {"fingerprint": "mark", "status": "converted", "outputs": [{"file": "a.npz", "bytes": 1}]}
    (tmp_path / "first" / "a.smplify.json").write_text(json.dumps(report))
    assert [job.source.name for job in plan_jobs([tmp_path], tmp_path / "second")] == ["a.trc", "mine.npz"]


def test_what_is_missing_or_empty_is_an_error(tmp_path):
    with pytest.raises(InputMissingError, match=r"gone\.trc.*lost"):
        plan_jobs([tmp_path / "gone.trc", tmp_path / "lost"], tmp_path / "out")
    with pytest.raises(BatchError, match="found none"):
        plan_jobs([tmp_path], tmp_path / "out")
    touch(tmp_path / "b" / "hero.glb")
    with pytest.raises(BatchError, match=r"\(GLB\).*found only hero\.glb.* name it instead"):
        plan_jobs([tmp_path / "b"], tmp_path / "out", suffixes=[".glb"], others=[tmp_path / "b" / "hero.glb"])
    touch(tmp_path / "a.trc")
    with pytest.raises(BatchError, match="other than the input folder"):
        plan_jobs([tmp_path], tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are other ones there")
def test_a_folder_that_cannot_be_read_is_an_input_so_that_the_others_go_on():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        touch(folder / "a.trc", folder / "closed" / "b.trc")
        folder.chmod(0o755)
        (folder / "closed").chmod(0)
        try:
            with without_privileges():
                jobs = plan_jobs([folder], folder / "out")
                with pytest.raises(PermissionError):
                    plan_jobs([folder / "closed"], folder / "out")
        finally:
            (folder / "closed").chmod(0o700)
        assert [job.source for job in jobs] == [folder / "a.trc", folder / "closed"]


@contextmanager
def without_privileges():
    """Let the process be one that permissions hold for, if it is the administrator's."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_name_that_is_no_text_is_refused(tmp_path):
    job = Job(tmp_path / os.fsdecode(b"walk\xff.trc"), tmp_path / "out")
    with pytest.raises(BatchError, match="expected a name in UTF-8"):
        check_name(job)
    check_name(Job(tmp_path / "größe 歩.trc", tmp_path / "out"))


def test_options_survive_json():
    options = ConvertOptions(
        formats=("fbx", "glb"),
        reading=ReadOptions(units="mm", up="-Y", fps=59.94),
        regressor="regressor.npy",
        fit=FitOptions(mode="frames", quality="fast", fps=24.0, network="network.npz"),
        cleanup=CleanupOptions(foot_lock=0.5, ground="keep", root="in_place"),
        up_axis="Y",
        first_frame=0,
    )
    stored = json.loads(json.dumps(options.as_dict()))
    again = ConvertOptions.from_dict(stored)
    assert again.as_dict() == options.as_dict() == stored | {"formats": ["fbx", "glb"]}
    assert (again.reading, again.cleanup, again.formats) == (options.reading, options.cleanup, options.formats)
    assert again.first_frame == 0
    assert plain_options(again.fit) == plain_options(options.fit)


def test_paths_are_absolute_for_another_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ConvertOptions(body="body.pkl", betas="betas.npy", fit=FitOptions(network="network.npz")).resolved()
    assert options.files() == {
        "the body": str(tmp_path / "body.pkl"),
        "the betas": str(tmp_path / "betas.npy"),
        "the network": str(tmp_path / "network.npz"),
    }
    assert ConvertOptions(body="free").resolved().as_dict() == ConvertOptions().as_dict()


def test_a_folder_has_inputs_of_the_given_suffixes_and_no_file_that_is_read_for_another_purpose(tmp_path):
    for name in ("a.trc", "b.vrm", "c.FBX", "hero.fbx", "betas.npy"):
        (tmp_path / name).write_text("x")
    others = [tmp_path / "hero.fbx", tmp_path / "betas.npy"]
    jobs = plan_jobs([tmp_path], tmp_path / "out", suffixes=(*TRACK_SUFFIXES, ".vrm", ".fbx"), others=others)
    assert [job.source.name for job in jobs] == ["a.trc", "b.vrm", "c.FBX"]
    assert [job.source.name for job in plan_jobs([tmp_path], tmp_path / "out", others=others)] == ["a.trc"]
    assert [job.source.name for job in plan_jobs([tmp_path / "hero.fbx"], tmp_path / "out", others=others)]
