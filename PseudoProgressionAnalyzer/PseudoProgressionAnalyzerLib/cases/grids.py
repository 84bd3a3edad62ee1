"""Grids, rigid poses, smooth random fields and resampling of the simulator.

Everything fine lives on one grid of 1 mm in head space (RAS mm, axis-aligned). A scan has a grid of its own in scanner
space; a head's pose maps points of head space to scanner space.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..formats.images import to_sitk
from ..measures import Image

NODE_SPACING = 4.0
"""Spacing of smooth fields in mm: they are stored coarsely and interpolated."""


def grid_affine(shape: tuple[int, int, int], spacing: np.ndarray, rotation: np.ndarray, centre: np.ndarray):
    """The affine (4x4) of a grid of shape (k, j, i) with this spacing (i, j, k) in mm around a centre in RAS mm."""
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.asarray(spacing, dtype=float)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2.0)
    return affine


def axes(shape: tuple[int, int, int], affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates x, y, z in mm of an axis-aligned grid, float32, shaped to broadcast to (k, j, i)."""
    steps = np.diag(affine)[:3]
    x, y, z = (affine[axis, 3] + steps[axis] * np.arange(shape[2 - axis], dtype=np.float32) for axis in range(3))
    return x[None, None, :], y[None, :, None], z[:, None, None]


def rotation_matrix(pitch: float, roll: float, yaw: float) -> np.ndarray:
    """3x3 rotation from degrees about the right (pitch), anterior (roll) and superior (yaw) axis, in that order."""
    matrix = np.eye(3)
    for axis, degrees in enumerate((pitch, roll, yaw)):
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[first, first] = turn[second, second] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = turn @ matrix
    return matrix


def pose_matrix(rotation: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """4x4 from head space to scanner space: rotation (pitch, roll, yaw) in degrees, then shift (R, A, S) in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(*rotation)
    matrix[:3, 3] = shift
    return matrix


def node_grid(like: Image) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape (k, j, i) and affine of nodes every 4 mm that cover the box of an axis-aligned image."""
    extent = np.diag(like.affine)[:3] * np.array(like.shape[::-1])
    affine = np.diag([NODE_SPACING] * 3 + [1.0])
    affine[:3, 3] = like.affine[:3, 3] - NODE_SPACING / 2
    return tuple(int(np.ceil(size / NODE_SPACING)) + 2 for size in extent[::-1]), affine


def smooth_field(rng: np.random.Generator, like: Image, length: float) -> Image:
    """Smooth Gaussian random values (mean 0, SD 1) on nodes that cover the box of an axis-aligned image.

    length: standard deviation in mm of the Gaussian that white noise is smoothed with.
    """
    shape, affine = node_grid(like)
    noise = sitk.GetImageFromArray(rng.standard_normal(shape))
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, length / NODE_SPACING))
    return Image((smooth - smooth.mean()) / smooth.std(), affine)


def displacement(components: list[Image]) -> sitk.DisplacementFieldTransform:
    """A transform that adds RAS components (mm, three images on one grid of nodes) to every point."""
    x, y, z = (image.array.astype(np.float64) for image in components)
    field = sitk.GetImageFromArray(np.stack([-x, -y, z], axis=-1), isVector=True)  # LPS
    field.CopyInformation(to_sitk(components[0]))
    return sitk.DisplacementFieldTransform(field)


def resampled(
    source: Image, shape: tuple[int, int, int], affine: np.ndarray, transform=None, outside: float = 0.0
) -> np.ndarray:
    """Values (k, j, i), float32, of source on another grid, linearly interpolated; outside it the value ``outside``.

    transform: from points of the target to points of the source (LPS, as SimpleITK has it), by default none.
    """
    reference = to_sitk(Image(np.empty((1, 1, 1), np.uint8), affine))
    values = sitk.Resample(
        to_sitk(source), shape[::-1], transform or sitk.Transform(), sitk.sitkLinear, reference.GetOrigin(),
        reference.GetSpacing(), reference.GetDirection(), outside, sitk.sitkFloat32,
    )  # fmt: skip
    return sitk.GetArrayFromImage(values)


def scanned(
    source: Image, pose: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray, parts: tuple
) -> np.ndarray:
    """What a scan's voxels see of a map in head space: the mean over each voxel, float32 (k, j, i).

    pose: 4x4 from head to scanner space; affine: the scan's grid in scanner space; parts: points per voxel along
    (i, j, k) over which it is averaged.
    """
    parts = np.array(parts)
    fine = affine.copy()
    fine[:3, :3] = affine[:3, :3] / parts
    fine[:3, 3] = affine[:3, 3] - affine[:3, :3] @ ((parts - 1) / (2.0 * parts))
    fine_shape = tuple(int(size) for size in np.array(shape) * parts[::-1])
    values = resampled(Image(source.array, pose @ source.affine), fine_shape, fine)
    k, j, i = shape
    return values.reshape(k, parts[2], j, parts[1], i, parts[0]).mean(axis=(1, 3, 5))


def box_of(shape: tuple[int, int, int], affine: np.ndarray, low, high) -> tuple[slice, slice, slice]:
    """Slices (k, j, i) of an axis-aligned grid of 1 mm between two corners in mm, cut at the grid's edge."""
    first = np.floor(low - affine[:3, 3]).astype(int)[::-1]
    last = np.ceil(high - affine[:3, 3]).astype(int)[::-1] + 1
    return tuple(slice(max(int(f), 0), min(int(e), n)) for f, e, n in zip(first, last, shape, strict=True))


def box_affine(affine: np.ndarray, box: tuple[slice, slice, slice]) -> np.ndarray:
    """The affine of a part of an axis-aligned grid of 1 mm."""
    moved = affine.copy()
    moved[:3, 3] += [part.start for part in box[::-1]]
    return moved


def soft_step(depth: np.ndarray) -> np.ndarray:
    """0 to 1 over one millimetre around depth 0 (mm): the share of a fine voxel that lies inside."""
    return np.clip(depth + 0.5, 0.0, 1.0)


def signed_distance(inside: np.ndarray, spacing: float) -> np.ndarray:
    """Distance in mm to the surface of a mask (k, j, i) on an isotropic grid: negative inside, float32.

    Maurer's map is exact outside of a mask only, and counts to the centres of its outermost voxels, which lie 0.3
    voxels deep on the average over a ball's directions: so inside and outside are each measured from the other.
    """
    distances = []
    for part in (inside, ~inside):
        mask = sitk.GetImageFromArray(part.astype(np.uint8))
        mask.SetSpacing([spacing] * 3)
        distance = sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True)
        distances.append(sitk.GetArrayFromImage(distance) - np.float32(0.3 * spacing))
    return np.where(inside, -distances[1], distances[0])
