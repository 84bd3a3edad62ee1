"""The shape of a lesion, by the definitions of pyradiomics, beside that of a perfect sphere on the same voxels.

Source of every definition: pyradiomics, documents "Shape Features (3D)" and radiomics/shape.py (van Griethuysen 2017,
Cancer Res 77:e104). The surface is a triangle mesh half way between voxels inside and outside (marching cubes at 0.5,
Lorensen 1987); volume and area are those of the mesh, the axes come from the voxel centres. Coarse voxels alone make a
perfect sphere look less round: compare a lesion with ``sphere_shape``, never with 1.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from .estimate import checked_mask, cropped
from .volume import volume


@dataclass(frozen=True)
class Shape:
    """Shape features; lengths mm, surface_area mm2, mesh_volume mL, surface_to_volume 1/mm, the rest without unit.

    sphericity: (36 pi V^2)^(1/3) / A; solidity: V / volume of the convex hull; the axis lengths are 4 sqrt(eigenvalue)
    of the covariance of the voxel centres; elongation: middle over largest axis, flatness: smallest over largest (both
    1 for a sphere), None for a region without extent in that direction.
    """

    mesh_volume: float
    surface_area: float
    surface_to_volume: float
    sphericity: float
    solidity: float
    elongation: float | None
    flatness: float | None
    major_axis_length: float
    minor_axis_length: float
    least_axis_length: float
    maximum_3d_diameter: float


def shape(mask: np.ndarray, affine: np.ndarray) -> Shape:
    """The shape of a region. mask: bool ``(k, j, i)``; affine: 4x4 to RAS mm, oblique or mirrored is fine.

    Raises InputError: ``lesion_empty``, ``lesion_mask_type``, ``lesion_mask_dimension``, ``lesion_affine``.
    """
    box, _ = cropped(checked_mask(mask, affine))
    points, area, cubic_millimetres = _mesh(box, affine)
    hull = ConvexHull(points)
    centres = np.argwhere(box)[:, ::-1] @ affine[:3, :3].T
    variances = np.linalg.eigvalsh(np.cov(centres, rowvar=False, bias=True)) if len(centres) > 1 else np.zeros(3)
    least, minor, major = 4 * np.sqrt(np.clip(variances, 0, None))
    return Shape(
        mesh_volume=cubic_millimetres / 1000,
        surface_area=area,
        surface_to_volume=area / cubic_millimetres,
        sphericity=_sphericity(area, cubic_millimetres),
        solidity=cubic_millimetres / float(hull.volume),
        elongation=float(minor / major) if major > 0 else None,
        flatness=float(least / major) if major > 0 else None,
        major_axis_length=float(major),
        minor_axis_length=float(minor),
        least_axis_length=float(least),
        maximum_3d_diameter=float(pdist(points[hull.vertices]).max()),
    )


def sphericity(mask: np.ndarray, affine: np.ndarray) -> float:
    """``shape(mask, affine).sphericity`` alone, in a fraction of the time: it needs neither hull nor axes, and no mesh.

    What lies of the mesh between eight neighbouring voxel centres depends on these voxels alone. So the 256 patterns of
    eight voxels are counted, and each gives its area and its part of the volume.
    """
    box, _ = cropped(checked_mask(mask, affine))
    held = box.view(np.uint8)
    patterns = np.zeros(np.subtract(box.shape, 1), np.uint8)
    for number, (k, j, i) in enumerate(_CORNERS):
        corner = held[k : k + patterns.shape[0], j : j + patterns.shape[1], i : i + patterns.shape[2]]
        patterns |= corner << number
    surface = np.flatnonzero((patterns > 0) & (patterns < 255))
    there = patterns.ravel()[surface]
    areas, normals, moments = _patterns(affine[:3, :3].astype(float).tobytes())
    # The volume is a third of the sum of (place . normal) over all triangles: place of the pattern + place within it.
    places = np.stack(np.unravel_index(surface, patterns.shape)[::-1]) @ (normals @ affine[:3, :3])[there]
    return _sphericity(float(areas[there].sum()), abs(float(np.trace(places) + moments[there].sum())) / 3)


_CORNERS = tuple(itertools.product((0, 1), repeat=3))
"""``(k, j, i)`` of eight neighbouring voxels; one of them in the mask has the bit of its number in a pattern."""


@functools.lru_cache(maxsize=8)
def _patterns(axes: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the mesh of each pattern ``(256,)``: area in mm2, area vector ``(256, 3)`` in mm2, and sum of (place . area
    vector) of its triangles in mm3. axes: the 3x3 part of the affine."""
    areas, normals, moments = np.zeros(256), np.zeros((256, 3)), np.zeros(256)
    to_mm = np.frombuffer(axes).reshape(3, 3)
    for pattern in range(1, 255):
        box = np.zeros((2, 2, 2), bool)
        for number, corner in enumerate(_CORNERS):
            box[corner] = pattern >> number & 1
        points, triangles = _surface(box)
        first, second, third = (points @ to_mm.T)[triangles].transpose(1, 0, 2)
        across = np.cross(second - first, third - first) / 2
        areas[pattern] = np.linalg.norm(across, axis=1).sum()
        normals[pattern] = across.sum(axis=0)
        moments[pattern] = np.sum((first + second + third) / 3 * across)
    return areas, normals, moments


def _sphericity(area: float, cubic_millimetres: float) -> float:
    return (36 * math.pi * cubic_millimetres**2) ** (1 / 3) / area


def _mesh(box: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Points ``(n, 3)`` in mm, area in mm2 and volume in mm3 of the surface of a padded mask."""
    points, triangles = _surface(box)
    points = points @ affine[:3, :3].T
    # The mean of the corners as origin keeps the tetrahedra small: far from it the sum would cancel.
    first, second, third = (points - points.mean(axis=0)).T[:, triangles.T].transpose(1, 0, 2)
    one, other = second - first, third - first
    normals = [one[a] * other[b] - one[b] * other[a] for a, b in ((1, 2), (2, 0), (0, 1))]
    area = float(np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2).sum()) / 2
    volume = abs(float(sum(corner @ normal for corner, normal in zip(first, normals, strict=True)))) / 6
    return points, area, volume


def sphere_shape(mask: np.ndarray, affine: np.ndarray) -> Shape:
    """The shape that a perfect sphere with the volume of the region has on its voxels (errors as ``shape``).

    Each value is the mean over positions of the sphere between the voxels, as nobody chooses where voxels fall.
    """
    spacing = tuple(np.linalg.norm(affine[:3, :3], axis=0).round(6).tolist())
    cropped(checked_mask(mask, affine))
    return _sphere(round(volume(mask, affine), 6), spacing)


@functools.lru_cache(maxsize=64)
def _sphere(millilitres: float, spacing: tuple[float, float, float]) -> Shape:
    radius = (3000 * millilitres / (4 * math.pi)) ** (1 / 3)
    affine = np.diag([*spacing, 1.0])
    shapes = []
    for offset in (0.125, 0.375):  # the middles of both halves of what mirroring leaves of all positions
        i, j, k = (step * (np.arange(-math.ceil(radius / step), math.ceil(radius / step)) + offset) for step in spacing)
        inside = k[:, None, None] ** 2 + j[:, None] ** 2 + i**2 <= radius**2
        if inside.any():
            shapes.append(shape(inside, affine))
    return Shape(*(_mean([getattr(one, name) for one in shapes]) for name in Shape.__dataclass_fields__))


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else float(np.mean(values))


def _surface(box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points ``(n, 3)`` as voxel indices ``(i, j, k)`` and triangles ``(m, 3)`` of the surface of a padded mask."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import VTK_UNSIGNED_CHAR
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image = vtkImageData()
    image.SetDimensions(*box.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(box.ravel().astype(np.uint8), deep=True, array_type=VTK_UNSIGNED_CHAR))
    cubes = vtkFlyingEdges3D()
    cubes.SetInputData(image)
    cubes.SetValue(0, 0.5)
    cubes.ComputeNormalsOff()
    cubes.ComputeScalarsOff()
    cubes.Update()
    mesh = cubes.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
    return points, vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
