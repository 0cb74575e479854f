"""Runs inside the Blender under test: answers the test's questions on Blender's main thread.

Started by ``blender --python serve.py -- SOCKET_PATH``. A question is one line of JSON, ``{"code": ..., "mode": ...}``
with "eval" or "exec" for the mode; the answer is one line, ``{"value": ...}`` or ``{"error": traceback}``. What is
asked runs in a timer of Blender's, so it sees Blender between two events, as an add-on's own timer does.
"""

from __future__ import annotations

import json
import queue
import socket
import sys
import threading
import traceback
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).resolve().parent))
import characters  # noqa: E402
import data_hash  # noqa: E402
import step_times  # noqa: E402
import text_pictures  # noqa: E402
import windows  # noqa: E402

INTERVAL_S = 0.02
THREAD_NAME = "window-test-server"

_names = {"bpy": bpy, "windows": windows, "text_pictures": text_pictures, "data_hash": data_hash,
          "step_times": step_times, "characters": characters}  # fmt: skip
_questions: queue.Queue[tuple[dict[str, str], queue.Queue[str]]] = queue.Queue()


def _answer(question: dict[str, str]) -> str:
    try:
        if question["mode"] == "eval":
            return json.dumps({"value": eval(question["code"], _names)})
        exec(question["code"], _names)
        return json.dumps({"value": None})
    except Exception:
        return json.dumps({"error": traceback.format_exc()})


def _pump() -> float:
    """Answer what was asked since the last time; called by Blender on its main thread."""
    while True:
        try:
            question, answers = _questions.get_nowait()
        except queue.Empty:
            return INTERVAL_S
        answers.put(_answer(question))


def _serve(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            answers: queue.Queue[str] = queue.Queue()
            _questions.put((json.loads(line), answers))
            stream.write(answers.get() + "\n")
            stream.flush()


def main() -> None:
    """Listen at the socket that the command line names."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.view.filebrowser_display_type = "SCREEN"  # no second window, which would need a window manager
    preferences.view.smooth_view = 0
    preferences.system.viewport_aa = "OFF"  # else a still viewport is drawn eight times over, by the processor
    preferences.use_preferences_save = False
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[sys.argv.index("--") + 1])
    listener.listen(1)
    threading.Thread(target=_serve, args=(listener,), name=THREAD_NAME, daemon=True).start()
    bpy.app.timers.register(_pump, first_interval=INTERVAL_S, persistent=True)


main()
