"""BLAS in one thread while the fit's own threads work."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.spectroscopy import blas


def counts():
    return [count() for count, _ in blas._libraries()]


@pytest.fixture
def several():
    """More threads than one, whatever the machine."""
    before = counts()
    if not before:
        pytest.skip("numpy and scipy bring no OpenBLAS here")
    for _, change in blas._libraries():
        change(2)
    yield counts()
    for (_, change), threads in zip(blas._libraries(), before, strict=True):
        change(threads)


def test_one_thread_within_and_as_before_afterwards(several):
    with blas.one_thread():
        assert set(counts()) == {1}
    assert counts() == several
    with pytest.raises(ValueError, match="stopped"), blas.one_thread():
        raise ValueError("stopped")
    assert counts() == several


def test_blocks_that_overlap(several):
    """As of two fits in two threads, of which the one that began first ends first."""
    first, second = blas.one_thread(), blas.one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(counts()) == {1}
    second.__exit__(None, None, None)
    assert counts() == several


def test_it_is_the_library_that_numpy_works_with(several):
    """numpy tells by itself how many threads its BLAS has, where it can be asked."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with blas.one_thread():
        np.ones((4, 4)) @ np.ones((4, 4))
        told = [one for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"]
        assert {one["num_threads"] for one in told} == {1}


def test_without_such_a_library_nothing_happens(monkeypatch):
    monkeypatch.setattr(blas, "_libraries", lambda: ())
    with blas.one_thread():
        pass
