"""Long work that leaves the interface alive.

A plain background thread starves under Slicer's event loop, whose main thread holds the interpreter. Here the main
thread waits for the worker in short slices and processes events between them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import slicer

SLICE = 0.03  # s


def run_in_background(
    work: Callable[[Callable[..., None], Callable[[], bool]], Any],
    show: Callable[..., None],
    cancel: threading.Event,
) -> Any:
    """The result of ``work(report, cancelled)``, which must not touch the scene, from a worker thread.

    What work reports is shown by ``show`` in the main thread. An error of work is raised here.
    """
    reports: queue.SimpleQueue = queue.SimpleQueue()
    with ThreadPoolExecutor(max_workers=1) as worker:
        future = worker.submit(work, lambda *report: reports.put(report), cancel.is_set)
        while not future.done():
            wait([future], timeout=SLICE)
            while not reports.empty():
                show(*reports.get())
            slicer.app.processEvents()
        while not reports.empty():
            show(*reports.get())
        return future.result()
