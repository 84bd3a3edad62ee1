"""Long work that leaves the interface alive.

A plain background thread starves under Slicer's event loop, whose main thread holds the interpreter. Here the main
thread waits for the worker in short slices and processes events between them.
"""

from __future__ import annotations

import contextlib
import gc
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

import slicer

from ..measures import Message

Show = Callable[[Message, float], None]
"""Shows what is being done and how much of it is finished (0 to 1)."""
SLICE = 0.03  # s
SHOWN = 0.2
"""s between two reports that are shown at least: each draws Slicer's whole window anew, which takes 35 ms and more
without a graphics card, and twice that while the work has the cores."""
HAND_OVER = 0.0001
"""s after which a worker hands over the interpreter that the main thread waits for. One turn of the event loop asks for
it ten times and more: at Python's own 5 ms, that alone took 50 to 100 ms of each turn."""
_lock = threading.Lock()
_workers = 0
_interval = 0.005  # s, Python's own


def silent(message: Message, share: float) -> None:
    """No progress display."""


@contextlib.contextmanager
def out_of_the_way() -> Iterator[None]:
    """Work inside keeps the interpreter from the main thread as little as can be; all as before once nobody is inside
    any more. Threads hand it over after ``HAND_OVER``, and collections of garbage look only at objects that were made
    since: full ones, most of them for what was there before, took 70 to 160 ms.
    """
    global _workers, _interval
    with _lock:
        _workers += 1
        if _workers == 1:
            if sys.getswitchinterval() > 1.5 * HAND_OVER:  # else a worker of this module before it was read again
                _interval = sys.getswitchinterval()
            sys.setswitchinterval(HAND_OVER)
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _workers -= 1
            if _workers == 0:
                sys.setswitchinterval(_interval)
                gc.unfreeze()


class Calls:
    """Functions that work in a worker thread calls and the main thread runs, because they touch the scene."""

    def __init__(self):
        self._asked: queue.SimpleQueue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of the function, or its error, from the main thread; for the worker. Raises CancelledError where
        the main thread does not wait any more."""
        future: Future = Future()
        with self._lock:
            if self._closed:
                raise CancelledError
            self._asked.put((future, function, arguments))
        return future.result()

    def answer(self, timeout: float) -> None:
        """Runs the next function, for which it waits no longer than timeout in s; for the main thread."""
        try:
            future, function, arguments = self._asked.get(timeout=timeout)
        except queue.Empty:
            return
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)

    def close(self) -> None:
        """Nothing is answered any more."""
        with self._lock:
            self._closed = True
        while not self._asked.empty():
            self._asked.get()[0].set_exception(CancelledError())


def run_in_background(
    work: Callable[[Callable[..., None], Callable[[], bool]], Any],
    show: Callable[..., None],
    cancel: threading.Event,
    calls: Calls | None = None,
) -> Any:
    """The result of ``work(report, cancelled)``, which must not touch the scene, from a worker thread.

    What work reports is shown by ``show`` in the main thread, the newest every ``SHOWN`` seconds and the last; what it
    calls by ``calls`` is run there. An error of work is raised here.
    """
    reports, shown = queue.SimpleQueue(), -SHOWN
    with out_of_the_way(), ThreadPoolExecutor(max_workers=1) as worker:
        future = worker.submit(work, lambda *report: reports.put(report), cancel.is_set)
        try:
            while not future.done():
                if calls is None:
                    wait([future], timeout=SLICE)
                else:
                    calls.answer(timeout=SLICE)
                slicer.app.processEvents()
                if time.monotonic() - shown >= SHOWN and _show_last(reports, show):
                    shown = time.monotonic()
                    slicer.app.processEvents()  # what came while it was drawn
        finally:
            if calls is not None:
                calls.close()
        _show_last(reports, show)
        return future.result()


def _show_last(reports: queue.SimpleQueue, show: Callable[..., None]) -> bool:
    """Shows the newest report, where there is one, and says so."""
    last = None
    while not reports.empty():
        last = reports.get()
    if last is not None:
        show(*last)
    return last is not None
