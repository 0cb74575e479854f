"""Test that no command overwrites a file that it reads."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from core.cli.main import _INPUTS, _parser, main
from tests.disguises import DISGUISES, disguise

OUTPUTS = {"fit": ("output", "report"), "convert": ("output",), "info": (), "live": ("output",), "send": ()}
"""The arguments of each command that name output files."""


def arguments_of(command: str) -> set[str]:
    """Return the names of the arguments of *command* that name files."""
    (subparsers,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert set(subparsers.choices) == set(OUTPUTS), "a new command: list its outputs above"
    actions = subparsers.choices[command]._actions
    return {action.dest for action in actions if action.type is Path or action.metavar in ("FILE", "OUT")}


@pytest.mark.parametrize("command", OUTPUTS)
def test_every_file_argument_is_protected_or_checked(command):
    assert arguments_of(command) - set(OUTPUTS[command]) <= {*_INPUTS, "inputs"}
    assert set(OUTPUTS[command]) <= arguments_of(command)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DISGUISES)
@pytest.mark.parametrize(("command", "output"), [(name, output) for name in OUTPUTS for output in OUTPUTS[name]])
def test_an_input_is_never_replaced_by_any_path_to_it(tmp_path, monkeypatch, capsys, command, output, kind):
    monkeypatch.chdir(tmp_path)
    reads = {name: tmp_path / f"{name}.npz" for name in _INPUTS if name in arguments_of(command)}
    for name, path in reads.items():
        path.write_text(name)
    given = [
        argument for name in reads for argument in ((reads[name],) if name == "input" else (f"--{name}", reads[name]))
    ]
    for name, path in reads.items():
        target = disguise(path, kind)
        if output == "output":
            written = ["-o", target]
        else:
            written = ["-o", tmp_path / "new.npz", f"--{output}", target]
        assert main([command, *map(str, given), *map(str, written)]) == 1
        assert f"the {output} to be another file than the {name}, got {target}" in capsys.readouterr().err
        assert path.read_text() == target.read_text() == name
    assert not (tmp_path / "new.npz").exists()


@pytest.mark.parametrize(("output", "more"), [("-o", []), ("--report", ["-o", "new.npz"])])
def test_a_file_in_an_input_folder_is_not_replaced(tmp_path, capsys, output, more):
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "0001.npz").write_text("a frame")
    assert main(["fit", str(clip), *more, output, str(clip / "0001.npz")]) == 1
    assert "to be another file than a file of the input" in capsys.readouterr().err
    assert (clip / "0001.npz").read_text() == "a frame"
