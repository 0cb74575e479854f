"""What the fuzzer found, and one input of every kind, is read or refused by an error of the library's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
CODE = """
import sys
from pathlib import Path
from tests.fuzz.targets import run, write_seeds
write_seeds(Path(sys.argv[1]))
files = [file for folder in sys.argv[1:] for file in sorted(Path(folder).iterdir())]
for file in files:
    try:
        run(file.read_bytes())
    except Exception as error:
        raise AssertionError(file) from error
print(len(files))
"""


def test_the_corpus_and_the_seeds_raise_only_core_errors(tmp_path):
    # In a process of its own: where Blender's module is not installed, the targets put another in its place.
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(tmp_path), str(CORPUS)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=CORPUS.parents[2])
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > len(list(CORPUS.iterdir())) > 0
