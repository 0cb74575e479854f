"""The commands ``live`` and ``send``: one plays a file to the other, which writes what it fits."""

from __future__ import annotations

import socket
import tempfile
import threading

import numpy as np

from core.cli.main import main
from tests.ports import free_port
from tests.waiting import poll

from .commands import read, two_people


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_file_is_played_and_written(recording, tmp_path, capsys):
    port, output, codes = free_port(), tmp_path / "live.npz", []
    address = f"ws://127.0.0.1:{port}"
    command = ["live", "--listen", address, "--frames", "12", "--quiet", "-o", str(output)]
    session = threading.Thread(target=lambda: codes.append(main(command)))
    session.start()
    poll(lambda: listens(port), 30.0, "the session to listen")
    assert main(["send", str(recording), "--to", address, "--loop"]) == 1, "ends when the session does"
    session.join()
    printed = capsys.readouterr()
    assert codes == [0] and "ended the connection" in printed.err
    assert f"listening on {address}" in printed.out and " 0 refused" in printed.out
    written = read(output)
    assert len(written["poses"]) >= 12 and float(written["mocap_framerate"]) == 30.0
    assert np.abs(written["poses"][:, 3:66]).max() > 0.3 and str(written["up_axis"]) == "Z"


def test_a_recording_whose_folder_is_gone_at_the_end_is_written_elsewhere(recording, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    port, folder, codes = free_port(), tmp_path / "disk", []
    folder.mkdir()
    address = f"ws://127.0.0.1:{port}"
    command = ["live", "--listen", address, "--frames", "6", "--quiet", "-o", str(folder / "live.npz")]
    session = threading.Thread(target=lambda: codes.append(main(command)))
    session.start()
    poll(lambda: listens(port), 30.0, "the session to listen")
    folder.rmdir()
    folder.write_text("a file in its place")
    main(["send", str(recording), "--to", address, "--loop"])
    session.join()
    (spare,) = tmp_path.glob("smplify-live-*/live.npz")
    assert codes == [1] and f"The recording is in {spare} instead" in capsys.readouterr().err
    assert len(read(spare)["poses"]) >= 6


def test_what_cannot_be_done_is_said_before_listening(recording, tmp_path, capsys):
    (tmp_path / "mine.npz").write_text("mine")
    for arguments, words in (
        (["live", "-o", str(tmp_path / "mine.npz")], "expected no file at"),
        (["live", "-o", str(tmp_path / "out.trc")], "ends in .npz"),
        (["live", "--listen", "9760"], "expected an address"),
        (["live", "--vmc", "39539"], "expected an address"),
        (["live", "--out-fps", "0"], "expected a frame rate of 1 to 10000 fps, got 0"),
        (["live", "--out-fps", "1e-9"], "expected a frame rate of 1 to 10000 fps, got 1e-09"),
        (["send", str(two_people(tmp_path / "two")), "--fps", "30"], "expected one person to send, found 2"),
        (["send", str(recording), "--speed", "0"], "expected a speed above 0"),
        (["send", str(recording), "--speed", "1e-300"], "expected a speed above 0"),
    ):
        assert main(arguments) == 1
        assert words in capsys.readouterr().err
