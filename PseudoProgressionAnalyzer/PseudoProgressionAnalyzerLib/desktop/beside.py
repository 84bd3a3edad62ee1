"""Work beside the interface that nobody waits for.

A plain background thread starves under Slicer's event loop, whose main thread holds the interpreter. Here a timer gives
the worker a slice of time whenever the event loop is free and no mouse button is down, and the result comes back by a
call in the main thread. What is not wanted any more is ended where it stands: while a worker goes on, the main thread
waits for the interpreter again and again.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

import qt

from .long_work import soon_handed_over

SLICE = 0.03  # s for the worker
BETWEEN = 10  # ms for the event loop


class Beside:
    """One piece of work at a time. ``errors()`` shows those of the work."""

    def __init__(self, errors: Callable[[], contextlib.AbstractContextManager]):
        self.errors = errors
        self.worker = ThreadPoolExecutor(max_workers=1)
        self.future: Future | None = None
        self.thread: int | None = None  # that is at work
        self.done: Callable[[Any], None] = lambda result: None
        self.timer = qt.QTimer()
        self.timer.setInterval(BETWEEN)
        self.timer.connect("timeout()", self._slice)

    def start(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Calls ``done`` with the result of ``work``, which must not touch the scene. Work that is under way ends."""
        self.forget()
        self.future, self.done = self.worker.submit(self._politely, work), done
        self.timer.start()

    def forget(self) -> None:
        """What is under way is not wanted any more: CancelledError is raised in it, wherever it is."""
        self.timer.stop()
        self.future = None
        if self.thread is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(CancelledError))

    def _slice(self) -> None:
        if qt.QApplication.mouseButtons():  # a stroke, perhaps
            return
        if self.future is not None and wait([self.future], timeout=SLICE).done:
            future = self.future
            self.forget()
            with self.errors():
                self.done(future.result())

    def _politely(self, work: Callable[[], Any]) -> Any:
        with soon_handed_over():  # else a stroke that is measured meanwhile takes three times as long
            self.thread = threading.get_ident()
            try:
                return work()
            finally:
                self.thread = None  # from here on nobody ends it
                time.sleep(0)  # what was to end it is raised after this call at the latest
