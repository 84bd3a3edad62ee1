"""Work beside the interface that nobody waits for.

A plain background thread starves under Slicer's event loop, whose main thread holds the interpreter. Here a timer gives
the worker a slice of time whenever the event loop is free and no mouse button is down, and the result comes back by a
call in the main thread. What is not wanted any more is ended where it stands: while a worker goes on, the main thread
waits for the interpreter again and again.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

import qt

SLICE = 0.03  # s for the worker
BETWEEN = 10  # ms for the event loop
SWITCH = 0.0001
"""s after which the worker hands over the interpreter that the main thread waits for: at Python's own 5 ms, a stroke
that is measured meanwhile took three times as long."""


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
        before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        self.thread = threading.get_ident()
        try:
            return work()
        finally:
            self.thread = None  # from here on nobody ends it
            sys.setswitchinterval(before)  # what was to end it is raised after this call at the latest
