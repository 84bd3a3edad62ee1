"""Images and regions brought from one grid to another, once.

``resample`` moves values for display and comparison; ``overlap`` moves a region without resampling it: each voxel of
the other grid learns which fraction of it the region covers.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..formats import images
from ..measures import Image, InputError

_INTERPOLATORS = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor, "cubic": sitk.sitkBSpline}

_SAMPLES_PER_EDGE = (4, 12)
"""Fewest and most samples along an edge of a grid voxel; between them two for each mask voxel along that edge. Own
choice: the error that ``overlap`` states was measured with it."""

_SAMPLES_AT_ONCE = 200_000  # of all voxels together: more would not fit the processor's memory nearby

_BITS = 18
"""Places of samples are whole numbers of 2^-18 voxels: a sample lies in the same voxel of the mask whatever part of the
mask is looked at."""

_NOTHING = 1e-9  # of a voxel: less is rounding


def sitk_transform(moving_to_fixed: np.ndarray) -> sitk.AffineTransform:
    """The transform that SimpleITK resamples and registers with: LPS points of the fixed to those of the moving."""
    matrix = images.point_transform_ras_from_lps(np.linalg.inv(moving_to_fixed))
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


def transform_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points ``(n, 3)`` through a 4x4 matrix."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def voxel_centres(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """RAS mm ``(n, 3)`` of the centres of a mask's ``(k, j, i)`` True voxels."""
    return transform_points(affine, np.argwhere(mask)[:, ::-1].astype(float))


def planes_of_centres(mask: np.ndarray, affine: np.ndarray) -> Iterator[np.ndarray]:
    """As ``voxel_centres``, plane by plane: of millions of voxels at once, memory takes longer than the arithmetic."""
    for k, plane in enumerate(mask):
        index = np.argwhere(plane)[:, ::-1].astype(float)
        if len(index):
            yield index @ affine[:3, :2].T + (k * affine[:3, 2] + affine[:3, 3])


def observed_block(image: Image) -> tuple[slice, slice, slice]:
    """The part of a 3D image without its padding: the border planes in which every value is the same.

    Raises InputError ``image_is_blank`` when nothing is left.
    """
    array = np.where(np.isfinite(image.array), image.array, 0)
    block = []
    for axis in range(3):
        planes = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
        varies = np.flatnonzero(planes.max(axis=1) > planes.min(axis=1))
        if len(varies) == 0:
            raise InputError("image_is_blank")
        block.append(slice(int(varies[0]), int(varies[-1]) + 1))
    return tuple(block)


def cropped(image: Image, block: tuple[slice, slice, slice]) -> Image:
    """A part of a 3D image where it is in space; values that are not finite become 0."""
    affine = image.affine.copy()
    affine[:3, 3] = transform_points(affine, np.array([[part.start for part in block[::-1]]], dtype=float))[0]
    array = image.array[block]
    return Image(array if array.dtype == bool else np.where(np.isfinite(array), array, 0), affine)


def resample(
    image: Image, like: Image, moving_to_fixed: np.ndarray, *, interpolation: str = "linear", outside: float = 0.0
) -> Image:
    """The image ``(k, j, i)`` or ``(time, k, j, i)`` on the grid of ``like``.

    moving_to_fixed: 4x4, RAS mm of the image to RAS mm of ``like``. interpolation: ``linear``, ``nearest`` (labels) or
    ``cubic`` (third-order B-spline). Voxels that the image does not cover hold ``outside``. Masks come back as bool
    with ``nearest``; other values as float32 unless ``nearest`` keeps their type.
    """
    is_mask = image.array.dtype == bool
    transform, target = sitk_transform(moving_to_fixed), _empty_like(like)

    def one(array: np.ndarray) -> np.ndarray:
        if interpolation != "nearest":
            array = array.astype(np.float32)
        source = images.to_sitk(Image(array, image.affine))
        moved = sitk.Resample(source, target, transform, _INTERPOLATORS[interpolation], float(outside))
        moved = sitk.GetArrayFromImage(moved)
        return moved.astype(bool) if is_mask and interpolation == "nearest" else moved

    frames = image.array if image.array.ndim == 4 else image.array[np.newaxis]
    moved = np.stack([one(frame) for frame in frames])
    return Image(moved if image.array.ndim == 4 else moved[0], like.affine.copy())


def isotropic(image: Image, spacing: float, *, interpolation: str = "linear") -> Image:
    """The 3D image on cubic voxels of ``spacing`` mm along its own axes, covering the same block of space.

    Axes that are finer than the new spacing are smoothed first (linear only) so that nothing aliases; axes that are
    coarser, such as thick slices, are not. The Gaussian brings a box of the old width to the variance of a box of the
    new width: sigma^2 = (new^2 - old^2) / 12, the variance of a uniform distribution being width^2 / 12.
    """
    old = image.spacing
    size = np.maximum(np.ceil(np.array(image.shape)[::-1] * old / spacing - 1e-6), 1).astype(int)
    directions = image.affine[:3, :3] / old
    first_corner = transform_points(image.affine, np.full((1, 3), -0.5))[0]
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = first_corner + directions @ np.full(3, spacing / 2)
    array = image.array
    if interpolation == "linear":
        sigma = np.sqrt(np.maximum(spacing**2 - old**2, 0) / 12) / old
        array = ndimage.gaussian_filter(array.astype(np.float32), sigma[::-1], mode="nearest")
    grid = Image(np.zeros(tuple(size[::-1]), dtype=np.uint8), affine)
    return resample(Image(array, image.affine), grid, np.eye(4), interpolation=interpolation)


def held_block(mask: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest block of a mask ``(k, j, i)`` that holds all that is not zero; None when nothing is."""
    block: list[slice] = []
    for axis in range(3):
        rest = mask[tuple(block)]
        held = np.flatnonzero(rest.any(axis=tuple(other for other in range(3) if other != axis)))
        if held.size == 0:
            return None
        block.append(slice(int(held[0]), int(held[-1]) + 1))
    return tuple(block)


@dataclass(frozen=True)
class Overlap:
    """The voxels of a grid that a mask covers.

    index ``(n,)``: of each in the flattened grid, ascending; weights ``(n,)``: the fraction of it that is covered,
    above 0 and at most 1.
    """

    index: np.ndarray
    weights: np.ndarray

    def changed(self, added: Overlap, removed: Overlap) -> Overlap:
        """The overlap of the mask with voxels added that it did not hold, and others removed that it held: fractions of
        parts that share no voxel add up."""
        if added.index.size == 0 and removed.index.size == 0:
            return self
        index = np.concatenate([self.index, added.index, removed.index])
        order = np.argsort(index, kind="stable")  # finds the three parts sorted: much faster than np.unique
        index = index[order]
        first = np.flatnonzero(np.concatenate([[True], index[1:] != index[:-1]]))
        weights = np.add.reduceat(np.concatenate([self.weights, added.weights, -removed.weights])[order], first)
        held = weights > _NOTHING
        return Overlap(index[first[held]], np.minimum(weights[held], 1))


def overlap_weights(mask: Image, grid: Image, mask_to_grid: np.ndarray) -> np.ndarray:
    """``overlap`` as float ``(k, j, i)`` of the grid in [0, 1]."""
    weights = np.zeros(grid.shape)
    found = overlap(mask, grid, mask_to_grid)
    weights.ravel()[found.index] = found.weights
    return weights


def overlap(mask: Image, grid: Image, mask_to_grid: np.ndarray) -> Overlap:
    """The fraction of each grid voxel that the mask covers.

    mask: bool image, read as the union of its voxels' boxes; grid: its array's values are not read; mask_to_grid: 4x4,
    RAS mm of the mask to RAS mm of the grid. Only the grid voxels around the mask are touched.

    Where the axes of both are parallel the fractions are exact (products of one-dimensional overlaps). Otherwise the
    voxels that the mask's surface may cross are sampled at the midpoints of a regular lattice of 4 to 12 samples per
    edge: a single fraction is good to about 0.1, and the covered volume, in which these errors cancel, to 1 %. Either
    way the fractions of two masks without a common voxel add up to that of both together.
    """
    nothing = Overlap(np.zeros(0, dtype=np.int64), np.zeros(0))
    held = held_block(mask.array)
    if held is None:
        return nothing
    cut = np.ascontiguousarray(mask.array[held], dtype=bool)
    # grid voxel index (i, j, k) -> index within the cut of the mask
    grid_to_cut = np.linalg.inv(mask_to_grid @ mask.affine) @ grid.affine
    grid_to_cut[:3, 3] -= [part.start for part in held[::-1]]
    corners = np.array(list(itertools.product(*((-0.5, n - 0.5) for n in cut.shape[::-1]))))
    reached = transform_points(np.linalg.inv(grid_to_cut), corners)
    size = np.array(grid.shape)[::-1]
    first = np.clip(np.floor(reached.min(axis=0) + 0.5).astype(int), 0, size)
    last = np.clip(np.ceil(reached.max(axis=0) + 0.5).astype(int), 0, size)
    if np.any(last <= first):
        return nothing
    grid_to_cut[:3, 3] += grid_to_cut[:3, :3] @ first
    shape = tuple((last - first)[::-1])
    axes = np.argmax(np.abs(grid_to_cut[:3, :3]), axis=0)
    aligned = np.zeros((3, 3))
    aligned[axes, range(3)] = grid_to_cut[axes, range(3)]
    # parallel: over the whole grid no voxel centre strays by a thousandth of a mask voxel
    if len(set(axes)) == 3 and np.abs((grid_to_cut[:3, :3] - aligned) @ np.diag(size)).max() < 1e-3:
        weights = _parallel_overlap(cut, grid_to_cut, axes, shape)
    else:
        weights = _sampled_overlap(cut, grid_to_cut, shape)
    touched = np.nonzero(weights > _NOTHING)
    index = np.ravel_multi_index([along + start for along, start in zip(touched, first[::-1], strict=True)], grid.shape)
    return Overlap(index, weights[touched])


def _parallel_overlap(cut, grid_to_cut, axes, shape):
    """Overlap fractions ``(k, j, i)`` where each grid axis runs along one mask axis: exact."""
    covered = cut.astype(float).transpose([2 - axis for axis in axes[::-1]])  # mask axes in the grid's (k, j, i) order
    for grid_axis in range(3):
        step = grid_to_cut[axes[grid_axis], grid_axis]
        centres = grid_to_cut[axes[grid_axis], 3] + step * np.arange(shape[2 - grid_axis])
        number = covered.shape[2 - grid_axis]
        edges = np.arange(number) - 0.5
        lower = np.maximum(edges, (centres - abs(step) / 2)[:, np.newaxis])
        upper = np.minimum(edges + 1, (centres + abs(step) / 2)[:, np.newaxis])
        fraction = np.maximum(upper - lower, 0) / abs(step)
        covered = np.moveaxis(np.tensordot(fraction, covered, axes=(1, 2 - grid_axis)), 0, 2 - grid_axis)
    return np.clip(covered, 0, 1)


def _sampled_overlap(cut, grid_to_cut, shape):
    """Overlap fractions ``(k, j, i)`` for oblique grids, sampled where the surface may be."""
    padded = np.pad(cut, 1)
    last = np.array(padded.shape)[::-1] - 1
    steps = grid_to_cut[:3, :3]
    centres = transform_points(grid_to_cut, np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")[::-1], axis=-1))
    centres = centres.reshape(-1, 3) + 1.5  # the whole part of a point is then the index of its voxel in the padded cut
    # a voxel is decided where the box around it (and around rounding) holds mask voxels alone, or none
    reach = np.abs(steps).sum(axis=1) / 2 + 2.0**-_BITS
    first, end = (np.clip((centres + side).astype(int), 0, last) for side in (-reach, reach))
    held = _box_sums(padded, first, end + 1)
    covered = (held > 0).astype(float)
    undecided = np.flatnonzero((held > 0) & (held < np.prod(end + 1 - first, axis=1)))
    numbers = np.clip(np.ceil(2 * np.abs(steps).max(axis=0)), *_SAMPLES_PER_EDGE).astype(int)
    offsets = _lattice(*numbers.tolist()) @ steps.T
    places, offsets = (np.rint(2**_BITS * points).astype(np.int32) for points in (centres[undecided], offsets))
    strides = np.cumprod([1, *padded.shape[:0:-1]], dtype=np.int32)
    values = padded.ravel()
    for part in np.array_split(np.arange(len(undecided)), 1 + len(undecided) * len(offsets) // _SAMPLES_AT_ONCE):
        index = np.zeros((len(part), len(offsets)), np.int32)
        for axis in range(3):
            along = places[part, axis, np.newaxis] + offsets[:, axis]
            along >>= _BITS
            np.clip(along, 0, last[axis], out=along)
            along *= strides[axis]
            index += along
        covered[undecided[part]] = np.count_nonzero(values[index], axis=1) / len(offsets)
    return covered.reshape(shape)


@functools.lru_cache(maxsize=64)
def _lattice(*numbers: int) -> np.ndarray:
    """Midpoints ``(n, 3)`` of a regular lattice of these numbers of samples along the edges of a unit cube about 0."""
    return np.array(list(itertools.product(*((np.arange(n) + 0.5) / n - 0.5 for n in numbers))))


def _box_sums(array: np.ndarray, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Sums of an array ``(k, j, i)`` over boxes from index ``(n, 3)`` ``(i, j, k)`` first to before end, by its
    cumulated sums."""
    sums = np.zeros(np.add(array.shape, 1), dtype=np.int32)
    sums[1:, 1:, 1:] = array
    for axis in range(3):
        np.cumsum(sums, axis=axis, out=sums)
    total = 0
    for corner in itertools.product((0, 1), repeat=3):
        i, j, k = np.where(corner, end, first).T
        total = total + (-1) ** (3 - sum(corner)) * sums[k, j, i]
    return total


def _empty_like(like: Image) -> sitk.Image:
    """An image of the grid alone."""
    return images.to_sitk(Image(np.zeros(like.shape, dtype=np.uint8), like.affine))
