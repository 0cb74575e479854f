"""Long work done a part at a time, between other work: a coroutine for functions that report their progress."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
Told = Callable[[float], None]


class _Left(BaseException):
    """Nobody waits for the work any more."""


class _Turns(Generic[Result]):
    """What the two threads share; only one of them runs at any time."""

    def __init__(self, work: Callable[[Told], Result]) -> None:
        self.work = work
        self.mine, self.theirs = threading.Semaphore(0), threading.Semaphore(0)
        self.left = self.ended = False
        self.result: Result | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        self.mine.acquire()
        try:
            if not self.left:
                self.result = self.work(self.pause)
        except _Left:
            pass
        except Exception as error:  # raised again where the work is waited for
            self.error = error
        finally:
            self.ended = True
            self.theirs.release()

    def pause(self, part: float) -> None:
        self.theirs.release()
        self.mine.acquire()
        if self.left:
            raise _Left

    def leave(self) -> None:
        self.left = True
        self.mine.release()


class InTurns(Generic[Result]):
    """Work that goes on only while its owner waits for it, from one report of progress to the next.

    It has a thread of its own, for its stack alone: the two never run at once, so what is found does not depend on the
    machine, and the owner waits for no more than one part. Work that its owner drops ends at its next report.
    """

    def __init__(self, work: Callable[[Told], Result]) -> None:
        """Prepare *work*, which is called with what to report its progress to, and must not hold on to the owner."""
        self._turns = _Turns(work)
        threading.Thread(target=self._turns.run, daemon=True).start()
        weakref.finalize(self, self._turns.leave)

    @property
    def done(self) -> bool:
        """Whether the work has ended, or failed."""
        return self._turns.ended

    def go_on(self) -> Result | None:
        """Do the next part; return the result when that was the last, else None.

        Raises:
            Exception: what the work raised.
        """
        assert not self.done
        self._turns.mine.release()
        self._turns.theirs.acquire()
        if self._turns.error is not None:
            raise self._turns.error
        return self._turns.result
