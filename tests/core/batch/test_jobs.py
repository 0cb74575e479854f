"""Which inputs a batch finds, where their outputs go, and what counts as done."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import core.batch.jobs
from core.batch.jobs import (
    BatchError,
    Job,
    check_name,
    entries_before,
    file_entry,
    fingerprint,
    is_as_written,
    is_done,
    plan_jobs,
    written_before,
)
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


def test_fingerprint_depends_on_input_options_and_the_files_they_name(tmp_path):
    names = ("a.trc", "body.npz", "betas.npy", "regressor.npy", "network.npz")
    touch(*(tmp_path / name for name in names))
    job = Job(tmp_path / "a.trc", tmp_path / "out" / "a")
    body, betas, regressor, network = (str(tmp_path / name) for name in names[1:])
    options = ConvertOptions(body=body, betas=betas, regressor=regressor, fit=FitOptions(network=network))
    marks = [fingerprint(job, options)]
    assert fingerprint(job, options) == marks[0]
    others = [
        {"formats": ("fbx",)}, {"reading": ReadOptions(units="mm")}, {"cleanup": CleanupOptions(smoothing=0.5)},
        {"up_axis": "Y"}, {"torch_python": "python"},
        *({"fit": replace(options.fit, **more)} for more in (
            {"mode": "frames"}, {"quality": "best"}, {"smoothing": 0.5}, {"fps": 24.0}, {"device": "cpu"},
            {"network_joints": "all"}, {"network_passes": 2},
        )),
    ]  # fmt: skip
    marks += [fingerprint(job, replace(options, **other)) for other in others]
    for name in names:
        (tmp_path / name).write_text("changed")
        marks.append(fingerprint(job, options))
    assert len(set(marks)) == len(marks)


def test_outputs_of_earlier_versions_still_count_as_done(tmp_path, monkeypatch):
    """The fingerprint of what Blender's batch wrote before it shared its options with the core."""
    monkeypatch.setattr(core.batch.jobs, "__version__", "0.1.0")
    touch(tmp_path / "a.trc")
    cleanup = CleanupOptions(foot_lock=1.0, ground="contacts")
    options = ConvertOptions(formats=("blend",), fit=FitOptions(quality="best"), cleanup=cleanup, up_axis="")
    expected = "29b43b9c5bdcf2cd7bcfed4f2fcc0aa6a03c34a58d6de552a76792cf43cfd1f2"
    assert fingerprint(Job(tmp_path / "a.trc", tmp_path / "a"), options) == expected


def test_done_means_same_fingerprint_and_whole_files(tmp_path):
    touch(tmp_path / "a.trc", tmp_path / "a.fbx")
    job = Job(tmp_path / "a.trc", tmp_path / "a")
    assert not is_done(job, "mark")
    report = {"fingerprint": "mark", "status": "converted", "outputs": [{"file": "a.fbx", "bytes": 1}]}
    job.report.write_text(json.dumps(report))
    assert is_done(job, "mark")
    assert not is_done(job, "other")
    (tmp_path / "a.fbx").write_text("cut off or grown")
    assert not is_done(job, "mark")
    (tmp_path / "a.fbx").unlink()
    assert not is_done(job, "mark")
    job.report.write_text("{ damaged")
    assert not is_done(job, "mark")


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": None},
        {"outputs": ["a.fbx"]},
        {"outputs": [{"bytes": 1}]},
        {"outputs": [{"file": 7, "bytes": 1}]},
        {"kept": 3},
        {"kept": [["a.fbx"]]},
        {"fingerprint": None},
    ],
)
def test_a_report_of_another_form_counts_as_none(tmp_path, change):
    touch(tmp_path / "a.trc", tmp_path / "a.fbx")
    job = Job(tmp_path / "a.trc", tmp_path / "a")
    report = {"fingerprint": "mark", "status": "converted", "outputs": [{"file": "a.fbx", "bytes": 1}]}
    job.report.write_text(json.dumps(report))
    assert is_done(job, "mark") and written_before(job) == {"a.fbx"}
    job.report.write_text(json.dumps({**report, **change}))
    assert not is_done(job, "mark") and written_before(job) == set()


def test_a_file_is_known_by_name_size_and_hash(tmp_path):
    job = Job(tmp_path / "a.trc", tmp_path / "a")
    touch(tmp_path / "a.fbx", tmp_path / "a.bvh", tmp_path / "a.glb", tmp_path / "other.fbx")
    entries = [file_entry(tmp_path / "a.fbx"), {"file": "a.bvh", "bytes": 1}]  # one of a report without hashes
    report = {"fingerprint": "", "outputs": entries, "kept": ["a.glb", "gone.usd"]}  # names alone, in a report before
    job.report.write_text(json.dumps(report))
    before = entries_before(job)
    assert [entry["file"] for entry in before] == ["a.fbx", "a.bvh", "a.glb"]
    written = [name for name in ("a.fbx", "a.bvh", "a.glb", "other.fbx") if is_as_written(tmp_path / name, before)]
    assert written == ["a.fbx", "a.bvh", "a.glb"]
    (tmp_path / "a.fbx").write_text("y")
    (tmp_path / "a.bvh").write_text("yy")
    assert not is_as_written(tmp_path / "a.fbx", before) and not is_as_written(tmp_path / "a.bvh", before)
    (tmp_path / "a.fbx").write_text("")
    assert is_as_written(tmp_path / "a.fbx", before)
    (tmp_path / "a.bvh").unlink()
    (tmp_path / "a.bvh").mkdir()
    assert not is_as_written(tmp_path / "a.bvh", before)


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
