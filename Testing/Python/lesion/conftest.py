"""Ellipsoids on any grid, with their analytic diameters, as a fixture for this folder."""

from types import SimpleNamespace

import numpy as np
import pytest


def rotation(rng: np.random.Generator) -> np.ndarray:
    """A random rotation matrix."""
    turn, triangle = np.linalg.qr(rng.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(triangle))
    return turn * np.linalg.det(turn)


def grid(spacing, turn: np.ndarray, shape, mirrored: bool = False) -> np.ndarray:
    """Affine of a grid of ``shape`` (k, j, i) turned about its centre, which lies near the origin."""
    affine = np.eye(4)
    affine[:3, :3] = turn * np.asarray(spacing, float)
    if mirrored:
        affine[:3, 0] *= -1
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2) + (0.21, -0.13, 0.17)
    return affine


def ellipsoid(semi_axes, turn: np.ndarray, affine: np.ndarray, shape) -> np.ndarray:
    """Mask ``(k, j, i)`` of an ellipsoid about the origin: voxel centres inside."""
    k, j, i = np.indices(shape)
    points = np.stack([i, j, k], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    return (((points @ turn) / np.asarray(semi_axes)) ** 2).sum(axis=-1) <= 1


def section(semi_axes, turn: np.ndarray, normal: np.ndarray) -> tuple[float, float]:
    """Both axes (mm, whole lengths) of the ellipse in which a plane through the centre cuts the ellipsoid.

    Of all parallel sections it is the largest; its axes are its longest diameter and the longest perpendicular to it.
    """
    form = turn @ np.diag(1 / np.asarray(semi_axes, float) ** 2) @ turn.T
    plane = np.linalg.svd(normal[None])[2][1:]
    short, long = 2 / np.sqrt(np.linalg.eigvalsh(plane @ form @ plane.T)[::-1])
    return long, short


@pytest.fixture(scope="session")
def phantoms() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(rotation=rotation, grid=grid, ellipsoid=ellipsoid, section=section)
