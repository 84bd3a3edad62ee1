"""What the scanner makes of a state: grids, coil sensitivity, noise, whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import Image
from . import grids


@dataclass(frozen=True)
class Prescription:
    """A scan's grid. shape: (k, j, i); spacing: mm along (i, j, k); tilt: degrees about right, anterior, superior axis;
    centre: of the grid in head space (mm), before the pose; parts: points averaged per voxel along (i, j, k)."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    centre: tuple[float, float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    parts: tuple[int, int, int] = (1, 1, 1)

    def affine(self, pose: np.ndarray) -> np.ndarray:
        """The grid's affine in scanner space: the operator centres it on the head, to a millimetre."""
        centre = np.rint((pose @ np.array([*self.centre, 1.0]))[:3])
        return grids.grid_affine(self.shape, self.spacing, LPS @ grids.rotation_matrix(*self.tilt), centre)


LPS = np.diag([-1.0, -1.0, 1.0])
"""Scans are stored as scanners store them: columns to the left, rows to the back, slices to the top."""


def sensitivity(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Smooth factor around 1 (float32, broadcasts to (k, j, i)): brighter towards the coil, and to one side."""
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32) for size in shape), indexing="ij", sparse=True)
    slopes = rng.uniform(-0.08, 0.08, 3)
    return 1 + slopes[0] * i + slopes[1] * j + slopes[2] * k + rng.uniform(0.05, 0.12) * (i**2 + j**2 - 0.4)


def with_noise(signal: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Magnitude of a signal with complex Gaussian noise (Rician), as int16. sigma: in the signal's units."""
    real, imaginary = (rng.standard_normal(signal.shape, dtype=np.float32) for _ in range(2))
    real *= np.float32(sigma)
    imaginary *= np.float32(sigma)
    real += signal
    np.hypot(real, imaginary, out=real)
    return np.rint(real, out=real).clip(0, 32767).astype(np.int16)


def acquired(
    contrast: Image, pose: np.ndarray, prescription: Prescription, scale: float, sigma: float, rng: np.random.Generator
) -> Image:
    """An image of a contrast in head space, int16: sampled in its pose, weighted by the coil, noisy.

    scale: units of the image per unit of contrast. sigma: noise in units of the image.
    """
    affine = prescription.affine(pose)
    signal = grids.scanned(contrast, pose, prescription.shape, affine, prescription.parts) * np.float32(scale)
    return Image(with_noise(signal * sensitivity(prescription.shape, rng), sigma, rng), affine)
