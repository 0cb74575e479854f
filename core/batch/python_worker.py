"""The worker of a batch without Blender: a Python process that writes AMASS files and OpenSim's."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..convert_options import ConvertOptions
from ..errors import CoreError
from ..person_labels import labelled
from ..pipeline import clean_person, fit_file, person_report, write_person
from .workers import OnProgress, WorkerDied, WorkerStartError, failure

_FIT_SHARE = 0.9


def convert_without_blender(request: Mapping[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """Convert one input to the formats of the options, one file each per person; a `core.batch.workers.Convert`."""
    folder, outputs, people = Path(request["folder"]), [], []
    try:
        options = ConvertOptions.from_dict(request["options"])
        fitted = fit_file(
            Path(request["source"]), options, lambda share, what: on_progress(_FIT_SHARE * share, what),
            workers=request.get("workers"),
        )  # fmt: skip
        for person in fitted:
            on_progress(_FIT_SHARE, "Cleaning up and writing")
            motion, notes = clean_person(person, options.cleanup)
            for suffix in options.formats:
                path = labelled(folder / f"{request['stem']}.{suffix}", person.label)
                write_person(path, person, motion, up_axis=options.up_axis, layout=options.npz_layout)
                outputs.append(path.name)
            people.append(person_report(person, motion, notes))
    except (CoreError, OSError) as error:
        return failure(error, folder)
    return {"outputs": outputs, "people": people}


class PythonWorker:
    """A process that runs `convert_without_blender`; a `core.batch.workers.Worker`."""

    def __init__(self) -> None:
        """Start the process; call `wait_until_ready` next."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    def wait_until_ready(self) -> None:
        """Wait until the process has loaded the library.

        Raises:
            WorkerStartError: it ended before.
        """
        try:
            self._receive()
        except WorkerDied as error:
            raise WorkerStartError(str(error)) from error

    def convert(self, request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
        """Send *request* and return the answer.

        Raises:
            WorkerDied: the process ended without an answer.
        """
        try:
            self._pipe.send(request)
        except OSError:
            pass  # it has ended, as the next line finds
        while "answer" not in (message := self._receive()):
            on_progress(message["share"], message["what"])
        answer: dict[str, Any] = message["answer"]
        return answer

    def _receive(self) -> dict[str, Any]:
        try:
            message: dict[str, Any] = self._pipe.recv()
            return message
        except (EOFError, OSError):
            self._process.join()
            raise WorkerDied(f"the converting process ended early (exit code {self._process.exitcode})") from None

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def close(self) -> None:
        """Release the process and its pipe."""
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection) -> None:
    """Answer requests until the batch ends; a batch that no longer listens leaves no unfinished folder behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch ends its workers
    folder = ""
    try:
        pipe.send({"ready": True})
        while True:
            request = pipe.recv()
            folder = request["folder"]
            answer = convert_without_blender(request, lambda share, what: pipe.send({"share": share, "what": what}))
            pipe.send({"answer": answer})
    except (EOFError, OSError):
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
