"""Where a spectrum comes from, as affines in RAS mm."""

from __future__ import annotations

import numpy as np

from .images import ras_from_lps

UNLOCALISED = 10_000.0
"""Voxel edge in mm of an axis that was not localised (NIfTI-MRS: 10 m)."""


def nowhere() -> np.ndarray:
    """The 4x4 affine of a spectrum whose place is not known: one voxel of 10 m, as in NIfTI-MRS."""
    affine = np.eye(4) * UNLOCALISED
    affine[3, 3] = 1
    return affine


def from_vectors(
    first_centre: np.ndarray, row: np.ndarray, column: np.ndarray, spacing: tuple[float, float, float]
) -> np.ndarray:
    """Index-to-RAS affine (4x4) of a grid stated in LPS as DICOM does.

    first_centre: centre of the first voxel, mm; row: direction in which the column number grows, column: in which the
    row number grows (unit vectors); spacing: mm along row, along column, between slices.
    """
    row, column = np.asarray(row, float), np.asarray(column, float)
    affine = np.eye(4)
    affine[:3, 0] = row * spacing[0]
    affine[:3, 1] = column * spacing[1]
    affine[:3, 2] = np.cross(row, column) * spacing[2]
    affine[:3, 3] = first_centre
    return ras_from_lps(affine)


def from_slabs(centre: np.ndarray, normals: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """Affine (4x4, RAS) of the box where three slabs cross. centre: LPS mm ``(3,)``; normals ``(3, 3)`` by row."""
    affine = np.eye(4)
    affine[:3, :3] = (np.asarray(normals, float) * np.asarray(thickness, float)[:, None]).T
    affine[:3, 3] = centre
    return ras_from_lps(affine)


def from_angles(offset: np.ndarray, size: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Affine (4x4, RAS) of a Philips box: offset and size in mm, angulation in degrees, each (left, posterior, head).

    The box is turned about the head axis, then the posterior, then the left axis (as Philips states its volumes).
    """
    turns = []
    for axis, angle in enumerate(np.radians(np.asarray(degrees, float))):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        turns.append(turn)
    affine = np.eye(4)
    affine[:3, :3] = turns[0] @ turns[1] @ turns[2] * np.asarray(size, float)
    affine[:3, 3] = offset
    return ras_from_lps(affine)
