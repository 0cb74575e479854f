"""What reports tell of earlier runs: whether an input is done, and which files are a batch's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import core.batch.reports
from core.batch.reports import (
    REPORT_SUFFIX,
    entries_before,
    file_entry,
    fingerprint,
    is_as_written,
    is_done,
    written_before,
)
from core.cleanup import CleanupOptions
from core.convert_options import ConvertOptions
from core.fit import FitOptions
from core.reading import ReadOptions

from .test_jobs import touch


def test_fingerprint_depends_on_input_options_and_the_files_they_name(tmp_path):
    names = ("a.trc", "body.npz", "betas.npy", "regressor.npy", "network.npz")
    touch(*(tmp_path / name for name in names))
    source = tmp_path / "a.trc"
    body, betas, regressor, network = (str(tmp_path / name) for name in names[1:])
    options = ConvertOptions(body=body, betas=betas, regressor=regressor, fit=FitOptions(network=network))
    marks = [fingerprint(source, options)]
    assert fingerprint(source, options) == marks[0]
    others = [
        {"formats": ("fbx",)}, {"reading": ReadOptions(units="mm")}, {"cleanup": CleanupOptions(smoothing=0.5)},
        {"up_axis": "Y"}, {"torch_python": "python"},
        *({"fit": replace(options.fit, **more)} for more in (
            {"mode": "frames"}, {"quality": "best"}, {"smoothing": 0.5}, {"fps": 24.0}, {"device": "cpu"},
            {"network_joints": "all"}, {"network_passes": 2},
        )),
    ]  # fmt: skip
    marks += [fingerprint(source, replace(options, **other)) for other in others]
    for name in names:
        (tmp_path / name).write_text("changed")
        marks.append(fingerprint(source, options))
    assert len(set(marks)) == len(marks)


def test_outputs_of_earlier_versions_still_count_as_done(tmp_path, monkeypatch):
    """The fingerprint of what Blender's batch wrote before it shared its options with the core."""
    monkeypatch.setattr(core.batch.reports, "__version__", "0.1.0")
    touch(tmp_path / "a.trc")
    cleanup = CleanupOptions(foot_lock=1.0, ground="contacts")
    options = ConvertOptions(formats=("blend",), fit=FitOptions(quality="best"), cleanup=cleanup, up_axis="")
    expected = "29b43b9c5bdcf2cd7bcfed4f2fcc0aa6a03c34a58d6de552a76792cf43cfd1f2"
    assert fingerprint(tmp_path / "a.trc", options) == expected


def test_done_means_same_fingerprint_and_whole_files(tmp_path):
    touch(tmp_path / "a.fbx")
    report_path = tmp_path / f"a{REPORT_SUFFIX}"
    assert not is_done(report_path, "mark")
    report = {"fingerprint": "mark", "status": "converted", "outputs": [{"file": "a.fbx", "bytes": 1}]}
    report_path.write_text(json.dumps(report))
    assert is_done(report_path, "mark")
    assert not is_done(report_path, "other")
    (tmp_path / "a.fbx").write_text("cut off or grown")
    assert not is_done(report_path, "mark")
    (tmp_path / "a.fbx").unlink()
    assert not is_done(report_path, "mark")
    report_path.write_text("{ damaged")
    assert not is_done(report_path, "mark")


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
    touch(tmp_path / "a.fbx")
    report_path = tmp_path / f"a{REPORT_SUFFIX}"
    report = {"fingerprint": "mark", "status": "converted", "outputs": [{"file": "a.fbx", "bytes": 1}]}
    report_path.write_text(json.dumps(report))
    assert is_done(report_path, "mark") and written_before(report_path) == {"a.fbx"}
    report_path.write_text(json.dumps({**report, **change}))
    assert not is_done(report_path, "mark") and written_before(report_path) == set()


def test_a_file_is_known_by_name_size_and_hash(tmp_path):
    report_path = tmp_path / f"a{REPORT_SUFFIX}"
    touch(tmp_path / "a.fbx", tmp_path / "a.bvh", tmp_path / "a.glb", tmp_path / "other.fbx")
    entries = [file_entry(tmp_path / "a.fbx"), {"file": "a.bvh", "bytes": 1}]  # one of a report without hashes
    report = {"fingerprint": "", "outputs": entries, "kept": ["a.glb", "gone.usd"]}  # names alone, in a report before
    report_path.write_text(json.dumps(report))
    before = entries_before(report_path)
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
