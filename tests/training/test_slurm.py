"""The Slurm script, run with stand-ins for Slurm's commands: what it starts, resumes and queues again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "training" / "slurm" / "train.sbatch"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def submitted(folder: Path, *arguments: str, status: int = 0, **environment: str) -> tuple[int, str]:
    """Run the script in *folder*; return its exit code and what it asked Slurm for."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    for name, text in {
        "srun": f'echo "srun $*"; exit {status}',
        "scontrol": 'if [[ $1 == show ]]; then printf "n7\\nn8\\n"; else echo "scontrol $*"; fi',
    }.items():
        (commands / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (commands / name).chmod(0o755)
    slurm = {"SLURM_JOB_ID": "12345", "SLURM_JOB_NODELIST": "n[7-8]", "SLURM_NNODES": "2", "SLURM_GPUS_ON_NODE": "4"}
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", str(SCRIPT), *arguments], cwd=folder, env={"PATH": path, **slurm, **environment},
        stdout=subprocess.PIPE, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_first_start_begins_on_every_node_and_gpu(tmp_path: Path) -> None:
    code, asked = submitted(tmp_path, "--config", "net.yaml", SLURM_TMPDIR="/local/job")
    assert code == 0 and "--nnodes 2 --nproc-per-node 4" in asked
    assert "--rdzv-endpoint n7:22345 training/main.py --config net.yaml --set data.cache=/local/job/prepared" in asked
    assert "--checkpoint" not in asked


def test_run_with_a_last_checkpoint_goes_on_and_is_queued_again_when_its_time_is_up(tmp_path: Path) -> None:
    last = tmp_path / "runs" / "learnable_smplify_net_a" / "checkpoints" / "last.pth.tar"
    last.parent.mkdir(parents=True)
    last.touch()
    arguments = ("--log_dir=runs", "--extra_tag", "a")
    soon, later = (str(int(time.time()) + seconds) for seconds in (60, 9999))
    code, asked = submitted(tmp_path, *arguments, status=1, SLURM_JOB_END_TIME=soon)
    assert code == 1 and f"--checkpoint {last.relative_to(tmp_path)}" in asked
    assert "scontrol requeue 12345" in asked
    for environment in ({"SLURM_JOB_END_TIME": later}, {}):
        assert "requeue" not in submitted(tmp_path, *arguments, status=1, **environment)[1]
    assert "requeue" not in submitted(tmp_path, *arguments, SLURM_JOB_END_TIME=soon)[1]
