"""The commands with a user's names for points: info writes them, info, fit, convert and a batch read by them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.cli.main import main
from core.layouts import BODY25

from .commands import SCENE, files, fit, read, save

NAMES = tuple(f"Punkt {chr(65 + index)}" for index in range(25))


@pytest.fixture
def strange(tmp_path):
    """The recording with names that no layout has."""
    return save(tmp_path / "in" / "strange.npz", layout=BODY25, names=NAMES)


@pytest.fixture
def unnamed(recording):
    """The recording as an array of too many points without names, the first and last ten of no use."""
    track = SCENE.track(BODY25, noise_m=0.002)
    points = np.ones((len(track.positions), 45, 3))
    points[:, 10:35] = np.nan_to_num(track.positions)
    path = recording.with_name("points.npy")
    np.save(path, points)
    return path


def template(path, output, *options) -> int:
    return main(["info", str(path), "--names-template", str(output), *options])


def edited(path, names: dict[int, str]) -> None:
    """Set body points in a map, by index, as a user would."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for index, name in names.items():
        assert content["points"][index]["index"] == index
        content["points"][index]["body_point"] = name
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.slow
def test_a_template_is_written_edited_and_fits_like_the_known_layout(recording, betas, unnamed, out, tmp_path, capsys):
    names = tmp_path / "names.json"
    assert main(["info", str(unnamed)]) == 1
    assert "--names FILE.json" in capsys.readouterr().err
    assert template(unnamed, names) == 0
    said = capsys.readouterr()
    assert f"{names}: 0 of 45 points are recognised; a fit also needs left hip; right hip" in said.err
    content = json.loads(names.read_text(encoding="utf-8"))
    assert [point["index"] for point in content["points"]] == list(range(45))
    np.testing.assert_allclose(content["points"][12]["place"], np.load(unnamed)[0, 12], rtol=1e-3)
    assert {"left_hip", "mid_shoulder"} <= set(content["joints"]) and "left_asis" in content["markers"]
    edited(names, {10 + index: point.solver for index, point in enumerate(BODY25.points)})
    more = ["--betas", betas, "--fps", "30", "--names", names]
    assert fit(unnamed, "-o", out / "named.npz", *more) == 0
    assert fit(recording, "-o", out / "known.npz", "--betas", betas) == 0
    named, known = read(out / "named.npz"), read(out / "known.npz")
    np.testing.assert_allclose(named["trans"], known["trans"], atol=0.005)
    np.testing.assert_allclose(named["poses"][:, :66], known["poses"][:, :66], atol=0.15)
    assert np.median(np.abs(named["poses"][:, :66] - known["poses"][:, :66])) < 0.01


@pytest.mark.slow
def test_an_unedited_template_changes_nothing(recording, betas, out, tmp_path, capsys):
    names = tmp_path / "names.json"
    assert template(recording, names) == 0
    assert "25 of 25 points are recognised as body25" in capsys.readouterr().err
    for path, more in (("plain.npz", []), ("named.npz", ["--names", names])):
        assert fit(recording, "-o", out / path, "--betas", betas, *more) == 0
    plain, named = read(out / "plain.npz"), read(out / "named.npz")
    assert all(np.array_equal(plain[key], named[key]) for key in plain)


def test_without_a_file_the_template_is_printed(recording, capsys):
    assert main(["info", str(recording), "--names-template"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["layout"] == "body25"
    assert "recognised" in printed.err


def test_a_template_replaces_nothing_and_is_of_one_file(recording, tmp_path, capsys):
    assert template(recording, recording) == 1
    assert main(["info", str(recording), str(recording), "--names-template", str(tmp_path / "names.json")]) == 1
    assert template(tmp_path / "missing.trc", tmp_path / "names.json") == 1
    np.savez(tmp_path / "amass.npz", poses=np.zeros((3, 156)), trans=np.zeros((3, 3)), mocap_framerate=30.0)
    assert template(tmp_path / "amass.npz", tmp_path / "names.json") == 1
    said = capsys.readouterr().err
    for text in ("expected the name of a new file", "expected one file", "found nothing at", "solved in"):
        assert text in said
    assert files(tmp_path) == {"in", "in/walk.npz", "amass.npz"}


def test_info_and_convert_read_by_names_and_the_array_can_be_read_again(unnamed, tmp_path, out, capsys):
    names = tmp_path / "names.json"
    names.write_text(json.dumps({str(10 + index): point.solver for index, point in enumerate(BODY25.points)}))
    options = ["--fps", "30", "--names", str(names)]
    assert main(["info", str(unnamed), *options]) == 0
    assert "Points named by hand, named (25 of 25 points): given by --names" in capsys.readouterr().out
    out.mkdir()
    assert main(["convert", str(unnamed), "-o", str(out / "points.npz"), *options]) == 0
    assert main(["convert", str(out / "points.npz"), "-o", str(out / "again.npz")]) == 0
    first, again = read(out / "points.npz"), read(out / "again.npz")
    assert all(np.array_equal(first[key], again[key], equal_nan=key == "positions") for key in first)
    assert main(["convert", str(unnamed), "-o", str(names), *options, "--overwrite"]) == 1


@pytest.mark.slow
def test_a_batch_reads_all_files_by_the_names_and_their_change_counts(unnamed, betas, out, capsys):
    folder = unnamed.parent
    (folder / "walk.npz").unlink()
    names = folder / "names.json"
    body = {str(10 + index): point.solver for index, point in enumerate(BODY25.points)}
    names.write_text(json.dumps(body))
    more = ["--betas", betas, "--fps", "30", "--names", names]
    betas.rename(folder.parent / "betas.npy")
    more[1] = folder.parent / "betas.npy"
    assert fit(folder, "-o", out, *more) == 0
    assert "1 converted, 0 unchanged, 0 failed" in capsys.readouterr().err
    assert fit(folder, "-o", out, *more) == 0
    assert "0 converted, 1 unchanged" in capsys.readouterr().err
    names.write_text(json.dumps({**body, "0": None}))
    assert fit(folder, "-o", out, *more) == 0
    assert "1 converted, 0 unchanged" in capsys.readouterr().err
    names.write_text(json.dumps({**body, "99": "nose"}))
    assert fit(folder, "-o", out, *more) == 1
    names.write_text("{")
    assert fit(folder, "-o", out, *more) == 1
    assert "expected JSON" in capsys.readouterr().err
