"""Freed memory given back to the system."""

import ctypes
import gc
import subprocess
import sys
from types import SimpleNamespace

import pytest

from PseudoProgressionAnalyzerLib.desktop import memory


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux")
def test_freed_memory_is_given_back(monkeypatch):
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=asked.append))
    memory.give_back()
    assert asked == [0]


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux")
def test_images_lie_apart_and_go_back_when_they_are_freed():
    """In a process of its own, for it cannot be undone: after larger blocks were freed, a block of an image still does
    not come from a heap, where it would stay."""
    code = """
import ctypes, sys
from PseudoProgressionAnalyzerLib.desktop import memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
if not hasattr(libc, "mallinfo2"):
    sys.exit()
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]
libc.mallinfo2.restype = Info
def apart(size):
    before = libc.mallinfo2().hblkhd
    block = libc.malloc(size)
    found = libc.mallinfo2().hblkhd - before
    libc.free(block)
    return found >= size
if sys.argv[1] == "kept":
    memory.keep_images_apart()
large = apart(30 << 20)  # from now on glibc would take the same from a heap
print(large, apart(2 * memory.LARGE), apart(memory.LARGE // 8))
"""
    found = {}
    for how in ("kept", "not"):
        done = subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True)
        found[how] = done.stdout.split()
    if found["kept"]:
        assert found["kept"] == ["True", "True", "False"]
        assert found["not"] == ["True", "False", "False"]


def test_no_garbage_is_collected_while_a_stroke_is_measured():
    class Knot:
        def __init__(self):
            self.itself = self

    collected = []

    def watch(phase, info):
        if phase == "start":
            collected.append(info["generation"])

    def work():
        return [Knot() for _ in range(10 * gc.get_threshold()[0])]

    gc.callbacks.append(watch)
    try:
        with pytest.raises(ValueError, match="in the stroke"), memory.garbage_later():
            work()
            assert collected == []
            raise ValueError("in the stroke")
        assert gc.isenabled()
        work()
        assert collected
    finally:
        gc.callbacks.remove(watch)


def test_who_collects_no_garbage_at_all_is_left_so():
    gc.disable()
    try:
        with memory.garbage_later():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_another_c_library_or_system_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    memory.give_back()
    memory.keep_images_apart()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", None)
    memory.give_back()
    memory.keep_images_apart()
