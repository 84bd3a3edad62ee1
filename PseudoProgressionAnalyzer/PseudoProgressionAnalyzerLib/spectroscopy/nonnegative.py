"""Non-negative least squares for many voxels at once."""

from __future__ import annotations

import numpy as np

ROUNDS = 30
FULL_STEPS = 6  # rounds in which all wrong ones change at once


def solve(gram: np.ndarray, right: np.ndarray, free: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes >= 0 that minimise a' gram a / 2 - right' a, and which of them are free (not held at zero).

    gram: ``(voxels, n, n)`` positive definite; right ``(voxels, n)``; free: a first guess, bool. Block principal
    pivoting (Portugal et al., Math Comput 1994;63:625; Kim and Park, SIAM J Sci Comput 2011;33:3261): all amplitudes on
    the wrong side change sides at once, later only the last of them, which cannot cycle.
    """
    voxels, count = right.shape
    free = np.ones((voxels, count), bool) if free is None else free.copy()
    amplitude = np.zeros((voxels, count))
    scale = np.maximum(np.abs(right).max(axis=1, keepdims=True), 1e-30)
    work = np.arange(voxels)
    for number in range(ROUNDS + count):
        inside = free[work]
        masked = np.where(inside[:, :, None] & inside[:, None, :], gram[work], 0)
        masked[:, np.arange(count), np.arange(count)] += ~inside
        found = np.linalg.solve(masked, np.where(inside, right[work], 0)[:, :, None])[:, :, 0]
        slope = (gram[work] @ found[:, :, None])[:, :, 0] - right[work]
        wrong = np.where(inside, found < 0, slope < -1e-7 * scale[work])
        amplitude[work] = np.where(inside, found, 0)
        left = wrong.any(axis=1)
        if not left.any():
            break
        if number >= FULL_STEPS:
            last = count - 1 - np.argmax(wrong[:, ::-1], axis=1)
            wrong = wrong & (np.arange(count) == last[:, None])
        free[work[left]] ^= wrong[left]
        work = work[left]
    return np.maximum(amplitude, 0), free
