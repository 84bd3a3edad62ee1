"""Batched non-negative least squares against scipy's."""

import numpy as np
from scipy.optimize import nnls

from PseudoProgressionAnalyzerLib.spectroscopy.nonnegative import solve


def test_equal_to_the_plain_solver():
    random = np.random.default_rng(0)
    columns = random.normal(size=(20, 60, 12)) + 2 * random.normal(size=(20, 60, 1))  # strongly alike
    data = random.normal(size=(20, 60)) + columns[:, :, 0]
    gram = columns.transpose(0, 2, 1) @ columns
    right = np.einsum("vnk,vn->vk", columns, data)
    found, free = solve(gram, right)
    for one, values, amplitude in zip(columns, data, found, strict=True):
        assert np.allclose(amplitude, nnls(one, values)[0], atol=1e-6)
    assert (found >= 0).all() and (found[~free] == 0).all() and not free.all()
    again, _ = solve(gram, right, free)
    assert np.allclose(again, found)
