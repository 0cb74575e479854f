"""What a command replaces: its own output, anything else only with --overwrite; and what it says where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import main
from tests.conftest import REPOSITORY

from .commands import files, fit, read, save, two_people

pytestmark = pytest.mark.slow

QUICK = ("--mode", "frames", "--quality", "fast")


def test_a_command_that_is_repeated_replaces_its_own_files(recording, betas, out):
    arguments = (recording, "--betas", betas, *QUICK, "-o", out / "a.npz", "--report", out / "a.json")
    for axis in ("Y", "Z"):
        assert fit(*arguments, "--out-up", axis) == 0
        assert str(read(out / "a.npz")["up_axis"]) == axis
        assert main(["convert", str(recording), "-o", str(out / "points.npz")]) == 0
    assert files(out) == {"a.npz", "a.json", "points.npz"}


@pytest.mark.parametrize("name", ["a.npz", "a.json"])
def test_a_fit_replaces_a_changed_file_only_with_overwrite(recording, betas, out, monkeypatch, capsys, name):
    arguments = (recording, "--betas", betas, *QUICK, "-o", out / "a.npz", "--report", out / "a.json")
    assert fit(*arguments) == 0
    if name == "a.npz":
        np.savez(out / name, **read(out / name))
    else:
        (out / name).write_text(json.dumps(json.loads((out / name).read_text())).replace('"notes"', '"my_notes"'))
    changed = (out / name).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("core.pipeline.fit_track", lambda *_: pytest.fail("the fit was started"))
        assert fit(*arguments) == 1
    assert f"expected no file at {out / name} but one as this program wrote it" in capsys.readouterr().err
    assert (out / name).read_bytes() == changed
    assert fit(*arguments, "--overwrite") == 0
    assert (out / name).read_bytes() != changed and fit(*arguments) == 0


def test_convert_replaces_another_file_only_with_overwrite(recording, out, capsys):
    out.mkdir()
    arguments = ["convert", str(recording), "-o", str(save(out / "points.npz"))]
    before = (out / "points.npz").read_bytes()
    assert main(arguments) == 1
    assert "give --overwrite to replace it" in capsys.readouterr().err
    assert (out / "points.npz").read_bytes() == before
    assert main([*arguments, "--overwrite"]) == 0 == main(arguments)
    assert (out / "points.npz").read_bytes() != before


def test_a_file_of_one_person_is_found_before_any_is_written(tmp_path, out, betas, capsys):
    people = two_people(tmp_path / "people")
    out.mkdir()
    for name in ("duo_7.npz", "duo.npz"):  # the second is not written to
        (out / name).write_text("somebody's work")
    assert fit(people, "--fps", 30, "--layout", "body25", "--betas", betas, "-o", out / "duo.npz") == 1
    assert "duo_7.npz" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(
        ("duo_7.npz", "duo.npz"), "somebody's work"
    )


def test_batches_accept_the_earlier_option_name_but_hide_it(recording, betas, out, capsys):
    out.mkdir()
    (out / "walk.npz").write_text("somebody's work")
    arguments = (recording, "--betas", betas, *QUICK, "-o", out)
    assert fit(*arguments) == 1
    assert fit(*arguments, "--force") == 0
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    printed = capsys.readouterr().out
    assert "--overwrite" in printed and "--force" not in printed


@pytest.mark.skipif(os.name == "nt", reason="limits the size of files as Unix does")
@pytest.mark.parametrize("arguments", [("convert", "-o", "out/a.npz"), ("fit", "--quiet", *QUICK, "-o", "out/a.npz")])
def test_a_full_disk_is_reported_in_one_line_with_the_path(recording, betas, tmp_path, arguments):
    import resource

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.npz").touch()
    command = [sys.executable, "-m", "core", arguments[0], recording, *arguments[1:-1], tmp_path / arguments[-1]]
    ended = subprocess.run(
        [*map(str, command), *(("--betas", str(betas)) if arguments[0] == "fit" else ())],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )  # fmt: skip
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.startswith(f"python -m core: expected to write {tmp_path / 'out' / 'a.npz'}, but this failed: ")
    assert files(tmp_path / "out") == {"a.npz"} and (tmp_path / "out" / "a.npz").stat().st_size == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc cannot be written to, even by root")
@pytest.mark.parametrize("command", ["fit", "convert"])
def test_a_read_only_folder_is_reported_in_one_line_with_the_path(recording, betas, command, capsys):
    path = Path("/proc/a.npz")
    more = ("--quiet", "--betas", str(betas), *QUICK) if command == "fit" else ()
    assert main([command, str(recording), "-o", str(path), *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"python -m core: expected to write {path}, but this failed: ")
