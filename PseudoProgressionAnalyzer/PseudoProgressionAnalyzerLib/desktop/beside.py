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
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

import qt

from .long_work import out_of_the_way

SLICE = 0.03  # s for the worker
BETWEEN = 10  # ms for the event loop


class Beside:
    """One piece of work at a time. ``errors()`` shows those of the work."""

    def __init__(self, errors: Callable[[], contextlib.AbstractContextManager]):
        self.errors = errors
        self.worker = ThreadPoolExecutor(max_workers=1)
        self.future: Future | None = None
        self.lock = threading.Lock()
        self.ended = self.under_way = threading.Event()  # set where the newest work, and that of the worker, must end
        self.thread: int | None = None  # that is at work and may be ended wherever it is
        self.done: Callable[[Any], None] = lambda result: None
        self.timer = qt.QTimer()
        self.timer.setInterval(BETWEEN)
        self.timer.connect("timeout()", self._slice)

    def start(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Calls ``done`` with the result of ``work``, which must not touch the scene. Work that is under way ends."""
        self.forget()
        self.ended = threading.Event()
        self.future, self.done = self.worker.submit(self._politely, work, self.ended), done
        self.timer.start()

    def forget(self) -> None:
        """What is under way is not wanted any more: CancelledError is raised in it, wherever it is; what waits for the
        worker never begins."""
        self.timer.stop()
        if self.future is not None:
            self.future.cancel()
        self.future = None
        with self.lock:
            self.ended.set()
            thread, self.thread = self.thread, None  # once is enough
            if thread is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(CancelledError))

    @contextlib.contextmanager
    def sheltered(self) -> Iterator[None]:
        """For work that waits for threads of its own, whose locks would be left as they are: it is not ended inside,
        but at the end of it."""
        with self.lock:
            self.thread = None
        time.sleep(0)  # what was to end it before is raised after this call at the latest
        yield
        self._may_end(self.under_way)

    def _may_end(self, ended: threading.Event) -> None:
        """From here on the worker may be ended wherever it is."""
        with self.lock:
            if ended.is_set():
                raise CancelledError
            self.under_way, self.thread = ended, threading.get_ident()

    def _slice(self) -> None:
        if qt.QApplication.mouseButtons():  # a stroke, perhaps
            return
        if self.future is not None and wait([self.future], timeout=SLICE).done:
            future = self.future
            self.forget()
            with self.errors():
                self.done(future.result())

    def _politely(self, work: Callable[[], Any], ended: threading.Event) -> Any:
        with out_of_the_way():  # else a stroke that is measured meanwhile takes three times as long
            try:
                self._may_end(ended)
                return work()
            finally:
                with self.lock:
                    self.thread = None  # from here on nobody ends it
                time.sleep(0)  # what was to end it is raised after this call at the latest
