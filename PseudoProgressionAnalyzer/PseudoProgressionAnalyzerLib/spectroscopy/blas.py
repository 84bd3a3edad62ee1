"""Linear algebra without threads of its own, while threads of ours do the work.

Workers of a fit call BLAS on small matrices. A BLAS that starts threads for each call has these wait for one another
and for a core: on two busy cores a grid took 19 s of processor time instead of 12, with the same numbers to the last
bit.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import scipy

_lock = threading.Lock()
_blocks = 0
_before: list[tuple[Callable[[int], None], int]] = []


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """As long as any such block lasts, in whatever thread, numpy's and scipy's OpenBLAS use one thread; another BLAS is
    left as it is."""
    global _blocks, _before
    with _lock:
        _blocks += 1
        if _blocks == 1:
            _before = [(change, count()) for count, change in _libraries()]
            for change, _ in _before:
                change(1)
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                for change, threads in _before:
                    change(threads)


@functools.cache
def _libraries() -> tuple[tuple[Callable[[], int], Callable[[int], None]], ...]:
    """What tells and what sets the number of threads, of each OpenBLAS that lies in the wheels of numpy and scipy."""
    found = []
    for package in (numpy, scipy):
        home = Path(package.__file__).parent
        for path in (*home.with_name(f"{home.name}.libs").glob("*openblas*"), *home.glob(".dylibs/*openblas*")):
            try:
                library = ctypes.CDLL(str(path))  # loaded already: the same one again
            except OSError:
                continue
            for ending in ("64_", ""):  # numpy's has 64-bit integers, scipy's has not
                with contextlib.suppress(AttributeError):
                    names = (f"scipy_openblas_{verb}_num_threads{ending}" for verb in ("get", "set"))
                    found.append(tuple(getattr(library, name) for name in names))
    return tuple(found)
