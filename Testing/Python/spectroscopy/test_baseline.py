"""The splines of the baseline: turned as an independent solver turns them, and orthonormal."""

import numpy as np
import pytest
import scipy.linalg

from PseudoProgressionAnalyzerLib.spectroscopy.baseline import FLEXIBILITIES, _together, splines


def test_both_matrices_become_diagonal_as_by_lapacks_own_driver():
    random = np.random.default_rng(5)
    gram = random.normal(size=(60, 60))
    gram = gram @ gram.T + 10 * np.eye(60)
    difference = np.diff(np.eye(60), 2, axis=0)
    penalty = difference.T @ difference
    values, vectors = _together(penalty, gram)
    expected, _ = scipy.linalg.eigh(penalty, gram)
    np.testing.assert_allclose(values, expected, atol=1e-12 * expected.max())
    np.testing.assert_allclose(vectors.T @ gram @ vectors, np.eye(60), atol=1e-10)
    np.testing.assert_allclose(vectors.T @ penalty @ vectors, np.diag(values), atol=1e-10)


def test_curves_are_orthonormal_and_a_line_is_never_penalised():
    low, high, points = 1.8, 4.0, 300
    baseline = splines(low, high, points)
    np.testing.assert_allclose(baseline.curves.T @ baseline.curves, np.eye(baseline.curves.shape[1]), atol=1e-9)
    line = np.linspace(2.0, -1.0, points)
    for kept in baseline.kept:
        np.testing.assert_allclose(baseline.curves @ (kept * (baseline.curves.T @ line)), line, atol=1e-6)
    assert baseline.dimensions == pytest.approx([flexibility * (high - low) for flexibility in FLEXIBILITIES], rel=1e-6)
