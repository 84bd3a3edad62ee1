"""Grids, coil sensitivity and noise of the simulated scanner."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import grids, scans
from PseudoProgressionAnalyzerLib.measures import Image


def test_noise_is_rician():
    rng = np.random.default_rng(4)
    air = scans.with_noise(np.zeros((40, 50, 50), np.float32), 20.0, rng)
    assert air.dtype == np.int16
    assert air.mean() == pytest.approx(20 * np.sqrt(np.pi / 2), rel=0.01)  # Rayleigh's mean
    bright = scans.with_noise(np.full((40, 50, 50), 800, np.float32), 20.0, rng)
    assert bright.std() == pytest.approx(20, rel=0.02)
    assert bright.mean() == pytest.approx(800 + 20**2 / (2 * 800), abs=0.3)


def test_grid_is_centred_on_the_posed_head_and_stored_as_scanners_do():
    pose = grids.pose_matrix((0.0, 0.0, 0.0), (8.0, -5.0, 3.0))
    scan = scans.Prescription((21, 31, 41), (2.0, 3.0, 4.0), (1.0, 2.0, 3.0))
    affine = scan.affine(pose)
    assert np.allclose(affine @ [20, 15, 10, 1], [9, -3, 6, 1])
    assert np.allclose(affine[:3, :3], np.diag([-2.0, -3.0, 4.0]))  # to the left, to the back, to the top


def test_acquired_keeps_the_side():
    share = np.zeros((40, 40, 40), np.float32)
    affine = np.eye(4)
    affine[:3, 3] = -19.5
    share[25:30, 20:25, 30:35] = 1.0  # right
    scan = scans.Prescription((40, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    pose = np.eye(4)
    image = scans.acquired(Image(share, affine), pose, scan, 1000.0, 5.0, np.random.default_rng(1))
    where = np.argwhere(image.array > 500).mean(axis=0)[::-1]
    assert np.allclose((image.affine @ [*where, 1])[:3], (12.5, 2.5, 7.5), atol=0.6)


def test_sensitivity_is_smooth_and_near_one():
    found = scans.sensitivity((20, 60, 50), np.random.default_rng(9))
    assert 0.6 < found.min() < 0.97 and 1.03 < found.max() < 1.5
    assert np.abs(np.diff(found, axis=1)).max() < 0.02
