"""The brain in an image of the head, without trained weights.

Good enough to centre and restrict a registration, to compare contours, to find the midline and to look for white
matter in; it is not a measurement of brain volume. Parts of the orbits, sinuses or neck muscles may remain.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..measures import Image, InputError
from . import distances, resampling
from .midline import find_midline

# All numbers below are own choices, tuned by eye on T1 images after contrast with thick slices and held against
# the known brains of simulated heads and of skull-stripped cases in the tests.
_SPACING = 2.0  # mm: half of the thinnest structure looked at, the skull
_OVER_AIR = 0.5  # of Otsu's threshold, which may fall between dark tissue and bright CSF: above the noise of air
_TISSUE = (0.6, 1.5)  # of the typical brain value: above CSF and bone, below fat and enhancing dura
_BRIDGE = 4.0  # mm: vessels, nerves and meninges that join brain and scalp are thinner than twice this
_SULCUS = 6.0  # mm: sulci and ventricles narrower than twice this are closed
_LIMB = 12.0  # mm: what is thinner than twice this and sticks out (orbit, neck muscle) is cut off
_STRIPPED = 0.85  # of what is in the image: the share from which the skull must have been removed already
_CLEARED = 0.1  # share of voxels that are exactly zero from which the brain is what is not zero
_SMALLEST = 200.0  # mL: an adult brain has about 1200 mL, a slab of it may be imaged
# of what one side lacks, held against the drawn lesions of three real pairs
_DENT = 12.0  # mm: cavities open to the scalp that are narrower than twice this lie in the head
_THIN = 3.0  # mm: the sides of a brain differ by pieces thinner than twice this
_NEARER = 4.0  # mm by which a piece may lie nearer to the head's surface than its mirror image
_LARGEST = 25.0  # mL: larger pieces are face or neck that one side had kept
_JOINED = 0.35  # of a piece's surface that must lie on the mask


def brain_mask(image: Image, known: np.ndarray | None = None) -> np.ndarray:
    """Bool ``(k, j, i)`` of the image: the brain with its ventricles and sulci.

    image: 3D T1, T1 after contrast, or the mean of a DSC baseline; with skull or skull-stripped. The typical brain
    value is the median deep in the head. Tissue near that value is separated from the scalp by erosion, grown back,
    closed, and rid of what sticks out. An image of which nearly everything remains had no skull: then everything in it
    is brain. known: bool ``(k, j, i)``, what is known to lie in the brain, such as a drawn lesion: enhancement at the
    surface has the values of dura and scalp, so it is put in, with what lies between it and the rest. Raises InputError
    ``image_is_blank``, ``brain_not_found``.
    """
    block = resampling.isotropic(resampling.cropped(image, resampling.observed_block(image)), _SPACING)
    array = block.array
    bright = array > _OVER_AIR * _otsu(array)
    head = _largest(ndimage.binary_fill_holes(ndimage.binary_opening(bright, iterations=2)), bright)
    depth = _depth(head)
    typical = np.median(array[bright & (depth > depth.max() / 2)])
    tissue = head & (array > _TISSUE[0] * typical) & (array < _TISSUE[1] * typical)
    core = _largest(_deep(tissue, _BRIDGE), depth**2)
    hull = _close(_grow(core, _BRIDGE + _SPACING / 2) & tissue, _SULCUS)
    trunk = _largest(_deep(hull, _LIMB), depth**2)
    brain = _grow(trunk, _LIMB + _SPACING / 2) & hull
    if brain.sum() > _STRIPPED * head.sum():
        if np.mean(image.array == 0) > _CLEARED:
            whole = ndimage.binary_fill_holes(np.nan_to_num(image.array) != 0)
            return whole if known is None else whole | known
        brain = head
    if brain.sum() * _SPACING**3 / 1000 < _SMALLEST:
        raise InputError("brain_not_found")
    if known is not None and known.any():
        there = resampling.resample(Image(known, image.affine), block, np.eye(4), interpolation="nearest").array
        brain = _close(brain | there, _SULCUS)
    # linear interpolation of the mask's edge, cut in the middle, follows the surface better than nearest voxels
    mask = resampling.resample(Image(brain.astype(np.float32), block.affine), image, np.eye(4)).array > 0.5
    return mask if known is None else mask | known


def complete_by_symmetry(image: Image, brain: np.ndarray) -> np.ndarray:
    """A brain's mask, bool ``(k, j, i)``, with what its other side has and it lacks; nothing is taken away.

    Where nobody has drawn the lesion yet, ``brain_mask`` leaves out enhancement at the surface, which has the values of
    dura and scalp, and a cavity below a craniotomy. The mask is reflected about the mid-sagittal plane; pieces of the
    reflection that are thick, of the size of a lesion, as deep in the head as where they come from, and broadly joined
    to the mask are added. With an uncertain plane, or nothing around the brain (skull-stripped), it stays as it is.
    """
    block = resampling.isotropic(resampling.cropped(image, resampling.observed_block(image)), _SPACING)
    mask = resampling.resample(Image(brain, image.affine), block, np.eye(4), interpolation="nearest").array
    bright = block.array > _OVER_AIR * _otsu(block.array)
    try:
        head = _largest(ndimage.binary_fill_holes(ndimage.binary_opening(bright, iterations=2)), bright) | mask
        plane = find_midline(image, brain)
    except InputError:
        return brain
    if plane.flags or mask.sum() > _STRIPPED * head.sum():
        return brain
    depth = _depth(_close(head, _DENT))
    values = Image(np.stack([mask, depth]).astype(np.float32), block.affine)
    other, its_depth = resampling.resample(values, block, plane.mirror).array
    lacking = (other > 0.5) & ~mask & (depth > 0) & (depth > its_depth - _NEARER)
    labels, _ = ndimage.label(_grow(_deep(lacking, _THIN), _THIN + _SPACING / 2) & lacking)
    added = np.zeros_like(mask)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        place = tuple(slice(max(axis.start - 1, 0), axis.stop + 1) for axis in place)
        piece = labels[place] == number
        surface = ndimage.binary_dilation(piece) & ~piece
        if piece.sum() * _SPACING**3 / 1000 <= _LARGEST and mask[place][surface].mean() >= _JOINED:
            added[place] |= piece
    if not added.any():
        return brain
    whole = Image(_close(mask | added, _SULCUS).astype(np.float32), block.affine)
    return brain | (resampling.resample(whole, image, np.eye(4)).array > 0.5)


def _otsu(array: np.ndarray) -> float:
    """Otsu's threshold below the brightest hundredth (fat, vessels)."""
    finder = sitk.OtsuThresholdImageFilter()
    finder.Execute(sitk.GetImageFromArray(np.minimum(array, np.percentile(array, 99))))
    return finder.GetThreshold()


def _depth(mask: np.ndarray) -> np.ndarray:
    """Distance in mm of each True voxel to the nearest False one; the image's border does not count as an edge."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"), sampling=_SPACING)[1:-1, 1:-1, 1:-1]


def _grow(mask: np.ndarray, distance: float) -> np.ndarray:
    return distances.near(mask, distance, np.full(3, _SPACING))


def _deep(mask: np.ndarray, distance: float) -> np.ndarray:
    return distances.deep(mask, distance, np.full(3, _SPACING))


def _close(mask: np.ndarray, distance: float) -> np.ndarray:
    return ndimage.binary_fill_holes(mask | _deep(_grow(mask, distance), distance))


def _largest(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The connected component of the largest summed weight. Raises InputError ``brain_not_found``."""
    labels, number = ndimage.label(mask)
    if number == 0:
        raise InputError("brain_not_found")
    return labels == 1 + np.argmax(ndimage.sum_labels(weight, labels, np.arange(1, number + 1)))
