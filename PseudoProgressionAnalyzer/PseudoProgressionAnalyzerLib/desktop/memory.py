"""Memory of a closed patient, given back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Gives back what was freed. glibc keeps most of it for the process: after ten patients it held 460 MB that nothing
    used. Does nothing where the C library is another one."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
