"""The Live box, clicked on while another program sends points."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.ports import free_port
from tests.window.harness.installation import MODULE, run_script

LIVE = "windows.addon('live.session').LIVE"
FPS = 20.0
TORSO_BONE = "spine3"


class Sender:
    """Sends the points of the sample walk, frame after frame, until it is paused."""

    def __init__(self, track: Path, port: int) -> None:
        with np.load(track) as archive:
            self._layout, self._positions = str(archive["layout"]), archive["positions"][::3]
        self._port = port
        self._sends, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Send, or go on to."""
        self._sends.set()

    def pause(self) -> None:
        """Send no more for now."""
        self._sends.clear()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._sends.set()
        self._thread.join()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            frame = 0
            while self._sends.wait() and not self._ended.wait(1.0 / FPS):
                points = self._positions[frame % len(self._positions)].round(4).tolist()
                message = {"layout": self._layout, "fps": FPS, "time": frame / FPS, "points": points}
                connection.sendto(json.dumps(message).encode(), ("127.0.0.1", self._port))
                frame += 1


@pytest.fixture
def sender(blender, user) -> Iterator[Sender]:
    port = free_port()  # other Blenders may listen on the usual one
    blender.run(f"bpy.context.scene.smplify_live.port = {port}")
    running = Sender(Path(user["HOME"]) / "walk.npz", port)
    yield running
    running.close()
    blender.run(f"{LIVE}.stop()")


def bone_matrix(blender) -> np.ndarray:
    return np.array(blender.evaluate(f"[list(row) for row in bpy.context.object.pose.bones['{TORSO_BONE}'].matrix]"))


def test_a_figure_follows_what_is_sent_and_a_recording_becomes_keys(blender, sender, pictures) -> None:
    blender.sidebar.click("7. Live")
    blender.sidebar.click("Listen")
    blender.sidebar.find("Waiting for points")
    blender.picture().save(pictures / "live-waiting.png")
    at_rest, shown = bone_matrix(blender), blender.viewport.picture()

    sender.go_on()
    blender.wait_until(f"{LIVE}.status.num_fitted > 10")
    sender.pause()
    blender.sidebar.find("The sender has stopped; it may go on")
    blender.picture().save(pictures / "live-stopped.png")
    assert abs(bone_matrix(blender) - at_rest).max() > 0.05
    assert (np.asarray(shown) != np.asarray(blender.viewport.picture())).any()

    blender.sidebar.click("Record")
    sender.go_on()
    blender.wait_until(f"({LIVE}.num_recorded or 0) >= 40")
    sender.pause()
    blender.sidebar.click("Stop")
    blender.wait_until(f"not {LIVE}.is_running")
    blender.sidebar.find("Listen")

    first, last = blender.evaluate("list(bpy.context.object.animation_data.action.frame_range)")
    assert last - first > 10.0
    blender.run(f"bpy.context.scene.frame_set({(first + last) / 2:.0f})")
    blender.picture().save(pictures / "live-recorded.png")


def recordings(user: dict[str, str]) -> list[Path]:
    """Return the recordings that were saved since they could not become keys."""
    return sorted(Path(user["BLENDER_USER_RESOURCES"]).rglob("recordings/live *.npz"))


def test_a_recording_is_saved_when_another_file_is_opened(blender, sender, user, pictures) -> None:
    blender.sidebar.click("7. Live")
    blender.sidebar.click("Listen")
    sender.go_on()
    blender.wait_until(f"{LIVE}.status.num_fitted > 4")
    sender.pause()
    blender.sidebar.click("Record")
    sender.go_on()
    blender.wait_until(f"({LIVE}.num_recorded or 0) >= 10")
    before = len(recordings(user))
    blender.new_scene()
    assert not blender.evaluate(f"{LIVE}.is_running")
    path = recordings(user)[-1]
    assert len(recordings(user)) == before + 1 and blender.evaluate(f"{str(path)!r} in {LIVE}.saved")
    blender.picture().save(pictures / "live-saved-report.png")
    blender.open_tab()
    blender.sidebar.click("7. Live")
    blender.picture().save(pictures / "live-saved.png")
    with np.load(path) as motion:
        assert len(motion["poses"]) >= 10


def test_listen_can_be_undone_while_points_come_and_the_figure_be_had_again(blender, sender, pictures) -> None:
    blender.sidebar.click("7. Live")
    blender.sidebar.click("Listen")
    sender.go_on()
    blender.wait_until(f"{LIVE}.status.num_fitted > 4")
    blender.viewport.hover()
    blender.press("ctrl+z")
    blender.wait_until(f"not {LIVE}.is_running")
    assert blender.evaluate("'Live' not in bpy.data.objects")
    sender.pause()
    blender.press("Escape")  # closes the error's popup, which would take the next key
    blender.sidebar.find("listening has ended")
    blender.picture().save(pictures / "live-undone.png")

    blender.viewport.hover()
    blender.press("ctrl+shift+z")
    blender.wait_until("'Live' in bpy.data.objects")
    blender.sidebar.click("Listen")
    sender.go_on()
    blender.wait_until(f"{LIVE}.status.num_fitted > 4")
    sender.pause()
    assert blender.evaluate("[item.name for item in bpy.data.objects if item.type == 'ARMATURE']") == ["Live"]


QUITS_WHILE_IT_RECORDS = f"""
import importlib, json, socket, time
import bpy, numpy
live = importlib.import_module("{MODULE}.live.session").LIVE
with numpy.load(TRACK) as archive:
    layout, positions = str(archive["layout"]), archive["positions"]
bpy.context.scene.smplify_live.port = PORT
bpy.ops.smplify.start_live()
bpy.ops.smplify.record_live()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
    for frame in range(12):
        message = {{"layout": layout, "fps": 20.0, "time": frame / 20.0, "points": positions[3 * frame].tolist()}}
        before, deadline = live.num_recorded, time.monotonic() + 60.0
        connection.sendto(json.dumps(message).encode(), ("127.0.0.1", PORT))
        while live.num_recorded == before and time.monotonic() < deadline:
            time.sleep(0.01)
"""


def test_a_recording_is_saved_when_blender_quits(program, user) -> None:
    before = len(recordings(user))
    track = str(Path(user["HOME"]) / "walk.npz")
    script = QUITS_WHILE_IT_RECORDS.replace("TRACK", repr(track)).replace("PORT", str(free_port()))
    said = run_script(program, script, user)
    path = recordings(user)[-1]
    assert len(recordings(user)) == before + 1 and f"The recording was saved as {path}" in said
    with np.load(path) as motion:
        assert len(motion["poses"]) == 12
