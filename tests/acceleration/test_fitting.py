"""A fit in another process gives what it gives here; whatever happens to that process is an error message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blender_addon.background.messages import Message, message_parts
from blender_addon.torch_backend import fitting
from blender_addon.torch_backend.client import AccelerationError, FitServer, Patience, _core_error
from blender_addon.torch_backend.fitting import end_servers, run_fit
from core.errors import BodyError, FitCancelled, FitOptionError, TrackError
from core.fit import FitOptions, PointErrors, fit_track
from core.math.arrays import DeviceError
from core.network.graph import NetworkError
from core.track import KeypointTrack

BEGUN = "import sys, time; print('@smplify messages', flush=True); "
ON_TORCH = FitOptions(device="cpu")
needs_signals = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.fixture(scope="module", autouse=True)
def no_server_is_left():
    threads = threading.active_count()
    yield
    end_servers()
    assert threading.active_count() == threads


@pytest.fixture
def start():
    """A function that starts a server, which is ended after the test."""
    servers = []

    def start_one(python: Path, **keywords: object) -> FitServer:
        servers.append(FitServer(python, **keywords))
        return servers[-1]

    yield start_one
    for server in servers:
        server.end()


def assert_same(got: object, wanted: object) -> None:
    for field in fields(wanted):
        if field.name == "timings_s":
            continue
        ours, theirs = getattr(got, field.name), getattr(wanted, field.name)
        if isinstance(theirs, np.ndarray):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name)
        elif isinstance(theirs, PointErrors):
            assert_same(ours, theirs)
        else:
            assert ours == theirs, field.name


def alive(pid: int) -> bool:
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0


def test_another_process_gives_the_same_motion_and_report(walk, body, torch_python):
    reported, reported_here = [], []
    motion, report = run_fit(walk, body, ON_TORCH, lambda *news: reported.append(news), python=torch_python)
    here_motion, here_report = fit_track(walk, body, ON_TORCH, lambda *news: reported_here.append(news))
    assert_same(motion, here_motion)
    assert_same(report, here_report)
    assert set(report.timings_s) == set(here_report.timings_s)
    assert reported[0] == (0, 24, "Starting the fitting process") and reported[-1] == reported_here[-1]
    steps, steps_here = (list(dict.fromkeys(what for _, _, what in news)) for news in (reported, reported_here))
    assert steps[1:] == steps_here


def test_one_process_serves_fit_after_fit_with_given_betas(walk, body, torch_python):
    betas = np.linspace(-1.0, 1.0, 10)
    run_fit(walk, body, ON_TORCH, python=torch_python)
    first = fitting._keeper._server
    motion, _ = run_fit(walk, body, FitOptions(device="cpu", betas=betas), python=torch_python)
    assert fitting._keeper._server is first
    np.testing.assert_array_equal(motion.betas, betas)


def test_numpy_fits_in_this_process_even_if_a_python_is_given(walk, body):
    motion, _ = run_fit(walk, body, FitOptions(), python=Path("no") / "such" / "python")
    assert_same(motion, fit_track(walk, body)[0])


def test_bad_data_fails_there_as_it_does_here(walk, body, torch_python):
    unseen = KeypointTrack(np.full_like(walk.positions, np.nan), walk.confidence, walk.fps, walk.layout)
    with pytest.raises(TrackError) as here:
        fit_track(unseen, body, ON_TORCH)
    with pytest.raises(TrackError) as there:
        run_fit(unseen, body, ON_TORCH, python=torch_python)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("kind", [TrackError, BodyError, FitOptionError, DeviceError, NetworkError])
def test_an_error_of_the_other_process_is_of_its_kind_here(kind):
    assert type(_core_error(kind.__name__, "it is wrong")) is kind
    assert type(_core_error("ZeroDivisionError", "it is wrong")) is AccelerationError


def test_a_missing_device_is_reported(walk, body, torch_python):
    with pytest.raises(DeviceError, match="finds no Apple GPU|finds no CUDA GPU"):
        run_fit(walk, body, FitOptions(device="cuda" if sys.platform == "darwin" else "mps"), python=torch_python)


def test_cancelling_in_the_middle_leaves_the_process_ready(long_walk, body, torch_python, start, walk):
    server = start(torch_python, patience=Patience(cancel_s=60.0))
    with pytest.raises(FitCancelled):
        server.fit(long_walk, body, ON_TORCH, lambda done, total, what: what != "Smoothing the keypoints")
    assert server.usable
    assert_same(server.fit(walk, body, ON_TORCH, None)[0], fit_track(walk, body, ON_TORCH)[0])


def test_an_error_of_the_listener_cancels_and_comes_through(walk, body, torch_python, start):
    def broken(done: int, total: int, what: str) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(torch_python).fit(walk, body, ON_TORCH, broken)


@needs_signals
def test_a_killed_process_is_an_error_with_the_way_on(long_walk, body, torch_python, start):
    server = start(torch_python)

    def kill(done: int, total: int, what: str) -> None:
        if what == "Finding the body shape":
            os.kill(server.pid, signal.SIGKILL)

    with pytest.raises(AccelerationError, match=r"exit code -9.*device NumPy"):
        server.fit(long_walk, body, ON_TORCH, kill)
    assert not server.usable


@needs_signals
def test_after_a_crash_the_next_fit_has_a_new_process(walk, body, torch_python):
    run_fit(walk, body, ON_TORCH, python=torch_python)
    os.kill(fitting._keeper._server.pid, signal.SIGKILL)
    while fitting._keeper._server.usable:
        time.sleep(0.01)
    motion, _ = run_fit(walk, body, ON_TORCH, python=torch_python)
    assert_same(motion, fit_track(walk, body, ON_TORCH)[0])


@needs_signals
def test_a_process_that_hangs_is_ended(long_walk, body, torch_python, start):
    server = start(torch_python, patience=Patience(silent_s=2.0))

    def stop(done: int, total: int, what: str) -> None:
        if what == "Finding the body shape":
            os.kill(server.pid, signal.SIGSTOP)

    with pytest.raises(AccelerationError, match="its process sent nothing for 2 s"):
        server.fit(long_walk, body, ON_TORCH, stop)
    assert not alive(server.pid)


@needs_signals
def test_cancelling_does_not_wait_for_a_process_that_hangs(walk, body, torch_python, start):
    """It is given the time to answer a cancel, not the much longer one that a silent process has."""
    server = start(torch_python, patience=Patience(silent_s=1e9, cancel_s=0.5))
    server.fit(walk, body, ON_TORCH, None)
    os.kill(server.pid, signal.SIGSTOP)
    asked = []
    with pytest.raises(FitCancelled):
        server.fit(walk, body, ON_TORCH, lambda *_: asked.append(len(asked)) or len(asked) < 4)
    assert asked == [0, 1, 2, 3]
    assert not alive(server.pid)


@needs_signals
def test_the_process_ends_with_the_one_that_started_it(torch_python, tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from blender_addon.torch_backend.client import FitServer\n"
        f"server = FitServer(Path({str(torch_python)!r}))\n"
        "assert next(server._process.items()).kind == 'ready'\n"
        "print(server.pid, flush=True); import os; os._exit(1)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(run.stdout)
    until = time.monotonic() + 20.0
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (f"{BEGUN}print('Loading site customisations', flush=True); time.sleep(60)", "found b'Loading site cust"),
        ("import sys; sys.exit('no licence for this program')", r"(?s)exit code 1.*no licence for this program"),
        ("import os; os.close(1); os.close(0); raise SystemExit(3)", "exit code 3"),
    ],
)
def test_what_is_no_fitting_process_is_an_error(walk, body, start, tmp_path, code, fault):
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    with pytest.raises(AccelerationError, match=fault):
        start(Path(sys.executable), script=script).fit(walk, body, ON_TORCH, None)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (Message("progress", {"number": 1}), "expected done of type int"),
        (Message("progress", {"number": 1, "done": 1, "total": True, "what": "x"}), "expected total of type int"),
        (Message("progress", {"number": 1, "done": 9, "total": 3, "what": "x"}), "from 0 to 3 frames, found 9"),
        (Message("progress", {"number": 1, "done": 1, "total": 3, "what": None}), "expected what of type str"),
        (Message("failed", {"number": 1}), "expected error of type str"),
        (Message("failed", {"number": 1, "error": "TrackError", "text": {}}), "expected text of type str"),
        (Message("fitted", {"number": 1}), "expected a motion and a report, found NoneType"),
        (Message("fitted", {"number": 1, "found": {"tuple": [1, 2]}}), "expected a motion and a report, found tuple"),
        (Message("fitted", {"number": 1, "found": {"tuple": [{"array": 0}]}}), "found something else: list index"),
    ],
)
def test_an_answer_that_is_no_answer_is_an_error_of_ours(walk, body, start, tmp_path, message, fault):
    script = tmp_path / "script.py"
    parts = b"".join(message_parts(message))
    script.write_text(f"{BEGUN}sys.stdout.buffer.write({parts!r}); sys.stdout.flush(); time.sleep(60)")
    with pytest.raises(AccelerationError, match=f"sent an invalid answer: .*{fault}"):
        start(Path(sys.executable), script=script).fit(walk, body, ON_TORCH, None)


def test_a_request_that_is_no_request_ends_the_process(torch_python, start, walk, body):
    server = start(torch_python)
    server._process.send(Message("cancel"))
    with pytest.raises(AccelerationError, match=r"(?s)exit code 2.*expected number of type int"):
        server.fit(walk, body, ON_TORCH, None)


def test_what_cannot_be_sent_is_an_error_here(walk, body, start, tmp_path):
    """It once ended the thread that sends, so that the fit waited for an answer to nothing."""
    script = tmp_path / "script.py"
    script.write_text("import time; time.sleep(60)")
    with pytest.raises(TypeError, match="expected an array of numbers"):
        start(Path(sys.executable), script=script).fit(
            walk, body, FitOptions(device="cpu", network=np.array(["a"])), None
        )


def test_garbage_sent_to_the_process_ends_it(torch_python, start, walk, body):
    server = start(torch_python)
    server._process._outbox.put([b"no message at all, and longer than twenty letters"])
    with pytest.raises(AccelerationError, match=r"(?s)exit code 2.*received an invalid message"):
        server.fit(walk, body, ON_TORCH, None)


def test_a_python_that_does_not_exist_is_an_error(walk, body, tmp_path):
    with pytest.raises(AccelerationError, match="expected to start .*nowhere"):
        run_fit(walk, body, ON_TORCH, python=tmp_path / "nowhere")


def test_a_python_without_numpy_says_so(walk, body, bare_python):
    with pytest.raises(AccelerationError, match="No module named 'numpy'"):
        run_fit(walk, body, ON_TORCH, python=bare_python)


def test_a_python_without_torch_says_so(walk, body, numpy_python):
    with pytest.raises(DeviceError, match="needs PyTorch, which this Python does not have"):
        run_fit(walk, body, ON_TORCH, python=numpy_python)


def test_without_torch_the_error_says_how_to_get_it(walk, body, monkeypatch):
    monkeypatch.setattr(fitting.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match="GPU Acceleration.*--torch-python"):
        run_fit(walk, body, ON_TORCH)
