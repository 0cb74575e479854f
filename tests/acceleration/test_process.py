"""Child processes: a folder of their own, and what they say, item by item."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from blender_addon.background.process import Process, read_lines
from blender_addon.background.python import start_python


@pytest.fixture
def start():
    """A function that runs code in this Python, in a process that is ended after the test."""
    processes = []

    def run(code: str) -> Process[str]:
        processes.append(start_python(sys.executable, "-c", code, receive=read_lines))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.close()


def test_a_process_has_an_empty_working_folder_that_is_removed_with_it(start):
    process = start("import os; print(os.getcwd()); print(os.listdir())")
    folder, content = (item.strip() for item in process.items())
    assert content == "[]" and Path(folder).is_dir() and not os.path.samefile(folder, os.getcwd())
    assert process.exit_code() == 0
    process.close()
    assert not Path(folder).exists()


def test_nothing_of_this_python_redirects_the_imports_of_another(start, monkeypatch, tmp_path):
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "PIP_TARGET"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("PYTHONNOUSERSITE", "PIP_NO_INDEX"):
        monkeypatch.setenv(name, "1")
    code = "import os, sys; print([name for name in os.environ if name[:3] in ('PYT', 'PIP', 'VIR')]); print(sys.path)"
    names, path = start(code).items()
    assert {"PYTHONNOUSERSITE", "PYTHONSAFEPATH", "PIP_NO_INDEX"} <= set(eval(names))
    assert not {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "PIP_TARGET"} & set(eval(names))
    assert "" not in eval(path) and str(tmp_path) not in path


def test_a_line_without_an_end_comes_in_parts(start):
    parts = list(start("print('x' * 200_000)").items())
    assert max(map(len, parts)) == 1 << 16 and "".join(parts) == "x" * 200_000 + "\n"


def test_nobody_waits_for_items_of_a_process_that_was_closed(start):
    process = start("import time; print('begun', flush=True); time.sleep(600)")
    assert next(process.items()) == "begun\n"
    waiting = threading.Thread(target=lambda: list(process.items()), daemon=True)
    waiting.start()
    process.kill()
    process.close()
    process.close()
    waiting.join(60.0)
    assert not waiting.is_alive() and list(process.items()) == []
