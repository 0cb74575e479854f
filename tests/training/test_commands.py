"""Every command reports missing inputs."""

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
        ("evaluate_retarget", ["{gone}", "{gone}"]),
        ("inference", ["{gone}"]),
        ("look_at_fit", ["{gone}", "-o", "{out}"]),
        ("main", ["--config", "{gone}"]),
        ("pose_prior", ["{gone}", "--output", "{out}"]),
        ("prepare_cmu", ["{gone}", "--output", "{out}"]),
    ],
)
def test_missing_input_is_reported_in_one_line(name, arguments, tmp_path, capsys):
    main = import_module(f"training.{name}").main
    places = {"gone": str(tmp_path / "gone"), "out": str(tmp_path / "out")}
    assert main([argument.format(**places) for argument in arguments]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith((f"python -m training.{name}: ", f"training/{name}.py: "))
    assert places["gone"] in errors and "Traceback" not in errors
    assert not list(tmp_path.iterdir())
