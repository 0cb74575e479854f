"""What every command says about inputs that are not there."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ablate", ["--config", "{gone}"]),
        ("benchmark_network", ["--weights", "{gone}"]),
        ("benchmark_stream", ["{gone}"]),
        ("convert_checkpoint", ["{gone}", "-o", "{out}"]),
        ("evaluate_cleanup", ["{gone}"]),
        ("evaluate_fit", ["{gone}"]),
        ("evaluate_real", ["{gone}"]),
        ("inference", ["{gone}"]),
        ("look_at_fit", ["{gone}", "-o", "{out}"]),
        ("main", ["--config", "{gone}"]),
        ("pose_prior", ["{gone}", "--output", "{out}"]),
        ("prepare_cmu", ["{gone}", "--output", "{out}"]),
    ],
)
def test_missing_input_is_told_in_a_line(name, arguments, tmp_path, capsys):
    main = import_module(f"training.{name}").main
    places = {"gone": str(tmp_path / "gone"), "out": str(tmp_path / "out")}
    assert main([argument.format(**places) for argument in arguments]) == 1
    told = capsys.readouterr().err
    assert told.startswith((f"python -m training.{name}: ", f"training/{name}.py: "))
    assert places["gone"] in told and "Traceback" not in told
    assert not list(tmp_path.iterdir())
