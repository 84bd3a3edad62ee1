"""Memory: of a closed patient, given back to the system; and Python's garbage, not collected where it is in the way.

glibc keeps what is freed for later. What it takes for an image it gives back by itself only below a size that grows,
unless told otherwise, with each image that is freed, up to 32 MB: from then on images lie between other things in the
heaps of all threads, and ten patients left holes of 100 MB and more.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator

LARGE = 4 << 20  # bytes, own choice: voxels of a visit take more, what a stroke measures takes less
KEPT = 2 << 20  # bytes that stay at the end of a heap, so that small work needs no new memory each time
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt (malloc.h)


def keep_images_apart() -> None:
    """From now on each block of ``LARGE`` and more lies on its own, and goes back to the system when it is freed. Does
    nothing where the C library is another one."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, KEPT)


@contextlib.contextmanager
def garbage_later() -> Iterator[None]:
    """No garbage is collected inside: a full collection in Slicer, with its 250 000 objects, takes 70 ms. One that is
    due comes right after."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def give_back() -> None:
    """Gives back what was freed. glibc keeps most of it for the process: after ten patients it held 460 MB that nothing
    used. Does nothing where the C library is another one."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
