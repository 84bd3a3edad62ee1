"""Work over the voxels of a time series in blocks that stay in cache, on all cores, with cancel and progress.

A series is walked as ``(time, voxel)``. Matrix products are cut into pieces below the size at which OpenBLAS starts
threads of its own (rows * frames * columns <= 262144), so that the threads of this file never compete with BLAS's.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait

import numpy as np

BLOCK = 8192  # voxels: 100 frames of float32 take 3 MB, in cache; smaller blocks make threads wait for the interpreter
BLAS_SINGLE_THREAD = 262144  # multiply-adds up to which OpenBLAS's level-3 routines stay on the calling thread
POLL = 0.04  # seconds between two looks at cancel and progress
MOST_THREADS = 8


def as_frames(signal: np.ndarray) -> np.ndarray:
    """The series ``(time, ...)`` as ``(time, voxel)``: a view wherever the memory allows it."""
    return signal.reshape(signal.shape[0], -1)


def log_signal(block: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Natural logarithm of the signal ``(time, n)`` as float32 in out; signals <= 0 become -inf or NaN."""
    np.copyto(out, block, casting="unsafe")
    return np.log(out, out=out)


def project(rows: np.ndarray, block: np.ndarray) -> np.ndarray:
    """``rows @ block`` of float32 arrays ``(r, time)`` and ``(time, n)``: ``(r, n)``."""
    frames, voxels = block.shape
    width = _power_of_two(BLAS_SINGLE_THREAD // (len(rows) * frames))
    whole = voxels - voxels % width
    result = np.empty((len(rows), voxels), np.float32)
    if whole:
        pieces = block[:, :whole].reshape(frames, -1, width).transpose(1, 0, 2)
        np.matmul(rows, pieces, out=result[:, :whole].reshape(len(rows), -1, width).transpose(1, 0, 2))
    if whole < voxels:
        result[:, whole:] = rows @ block[:, whole:]
    return result


def padded(rows: np.ndarray) -> np.ndarray:
    """Rows ``(r, time)`` as float32 with zeros up to a multiple of four rows: three cost BLAS twice as much as four."""
    return np.concatenate([rows, np.zeros((-len(rows) % 4, rows.shape[1]))]).astype(np.float32)


def blocks(voxels: int, size: int = BLOCK) -> list[slice]:
    """All voxels cut into blocks."""
    return [slice(start, min(start + size, voxels)) for start in range(0, voxels, size)]


def weighted_sums(block: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over voxels, ``block @ weights.T`` of ``(time, n)`` and ``(w, n)``, w >= 2, in float64: ``(time, w)``."""
    frames, voxels = block.shape
    width = _power_of_two(BLAS_SINGLE_THREAD // (weights.shape[0] * frames))
    whole = voxels - voxels % width
    total = (block[:, whole:] @ weights[:, whole:].T).astype(np.float64)
    if whole:
        pieces = block[:, :whole].reshape(frames, -1, width).transpose(1, 0, 2)
        turned = weights[:, :whole].reshape(weights.shape[0], -1, width).transpose(1, 2, 0)
        total += np.matmul(pieces, turned).sum(axis=0, dtype=np.float64)
    return total


def for_blocks(
    work: Callable[..., None],
    mask: np.ndarray,
    frames: int,
    *,
    scratches: int = 1,
    size: int = BLOCK,
    most: int | None = None,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Calls ``work(voxels, *scratch)`` for every block of ``size`` voxels that holds one of the mask.

    mask: bool ``(voxel,)``; scratch: float32 arrays ``(frames, n)`` of the working thread, contents undefined; most: of
    the blocks, spread over the mask. progress and cancelled are called from the calling thread only, every 40 ms;
    progress gets 0 to 1. Raises concurrent.futures.CancelledError when cancelled() is true; no block runs on after it.
    """
    slices = [voxels for voxels in blocks(mask.size, size) if mask[voxels].any()]
    slices = slices[:: max(1, -(-len(slices) // most)) if most else 1]
    counter = itertools.count()
    done = itertools.count(1)
    state = {"done": 0, "stop": False}

    def worker() -> None:
        scratch = np.empty((scratches, frames * size), np.float32)
        with np.errstate(all="ignore"):  # logarithms of signals <= 0 are found and masked afterwards
            while not state["stop"] and (index := next(counter)) < len(slices):
                voxels = slices[index]
                width = voxels.stop - voxels.start
                work(voxels, *scratch[:, : frames * width].reshape(scratches, frames, width))
                state["done"] = next(done)

    count = min(threads or min(os.cpu_count() or 1, MOST_THREADS), max(len(slices), 1))
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(worker) for _ in range(count)]
        try:
            pending = set(futures)
            while pending:
                pending = wait(pending, timeout=POLL).not_done
                if cancelled is not None and cancelled():
                    raise CancelledError
                if progress is not None:
                    progress(min(state["done"] / max(len(slices), 1), 1.0))
        finally:
            state["stop"] = True
    for future in futures:
        future.result()


def _power_of_two(size: int) -> int:
    """The largest power of two that is not larger than size, at least 16."""
    return 1 << max(size, 16).bit_length() - 1
