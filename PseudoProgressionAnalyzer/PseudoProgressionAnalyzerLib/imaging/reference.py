"""Reference tissue: normal-appearing white matter of the side opposite to the lesion."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..measures import Image, InputError, Message
from . import distances, resampling
from .midline import Plane

# All own choices: a reference is a proposal that the user sees and edits.
_VOLUME = 3.0  # mL aimed at: many voxels of a perfusion map, yet one place in the white matter
_SMALL, _SMALLEST = 1.0, 0.2  # mL: below the first it is flagged, below the second there is none
_DEPTH = 10.0  # mm under the brain's surface: past the cortex
_FROM_PLANE = 8.0  # mm from the mid-sagittal plane: past falx and medial cortex
_FROM_LESION = 10.0  # mm from the lesion
_FROM_FLUID = 3.0  # mm from ventricles and from what is bright on FLAIR
_EROSION = 2.0  # mm off the border of what looks like white matter
_FLUID = 0.6  # of the typical value deep in the brain: below it is fluid on T1
_BRIGHT = 3.0  # robust standard deviations above the typical FLAIR value: oedema, gliosis
_SPECK = 0.05  # mL: smaller bright spots are noise; by volume, because oedema may fill a single thick slice
_SMOOTHING = 1.5  # mm, Gaussian before values are judged: noise
_UNEVEN = 0.15  # coefficient of variation from which the region may hold more than white matter
_BILATERAL = 0.1  # of the lesion on its smaller side
_MAD = 1.4826  # median absolute deviation to standard deviation of a normal distribution


def contralateral_white_matter(
    t1ce: Image, brain: np.ndarray, lesion: np.ndarray, plane: Plane, *, flair: Image | None = None
) -> tuple[Image, tuple[Message, ...]]:
    """A region of white matter opposite to the lesion, near the lesion's mirror image, on the grid of ``t1ce``.

    brain, lesion: bool ``(k, j, i)`` of t1ce; plane: the mid-sagittal plane in RAS mm of t1ce; flair: 3D, in the same
    RAS space on any grid. White matter is the brighter class (Otsu) of the tissue more than 10 mm deep on the other
    side, not darker than its median by more than the median deviation and without the brightest fiftieth (vessels),
    more than 10 mm from the lesion and 3 mm from fluid and FLAIR brightness, eroded by 2 mm. Of it the 3 mL are taken
    that lie together around a deep place near the lesion's mirror
    image. Returns a bool Image (empty when nothing is suitable) and flags: ``reference_not_found``,
    ``reference_too_small``, ``reference_bilateral``, ``reference_uneven``, ``reference_without_flair``,
    ``reference_no_lesion``. Raises InputError ``brain_not_found`` when the brain's mask is empty.
    """
    if not brain.any():
        raise InputError("brain_not_found")
    spacing = t1ce.spacing[::-1]
    brain, lesion = brain.astype(bool), lesion.astype(bool)
    side = _signed_distance(t1ce, plane)
    flags = []
    deep = distances.deep(brain, _DEPTH, spacing)
    values = ndimage.gaussian_filter(np.nan_to_num(t1ce.array.astype(float)), _SMOOTHING / spacing)
    if not deep.any():
        return Image(np.zeros(brain.shape, dtype=bool), t1ce.affine), (Message("reference_not_found"),)
    fluid = brain & (values < _FLUID * np.median(values[deep]))
    suitable = deep & _away(fluid, spacing, _FROM_FLUID) & _away(lesion, spacing, _FROM_LESION)
    if flair is None:
        flags.append(Message("reference_without_flair"))
    else:
        water = ndimage.gaussian_filter(resampling.resample(flair, t1ce, np.eye(4)).array, _SMOOTHING / spacing)
        typical = np.median(water[deep])
        spread = _MAD * np.median(np.abs(water[deep] - typical))
        bright = _at_least(brain & (water > typical + _BRIGHT * spread), _SPECK / t1ce.voxel_volume)
        suitable &= _away(bright, spacing, _FROM_FLUID)

    if lesion.any():
        right = np.mean(side[lesion] > 0)
        if min(right, 1 - right) > _BILATERAL:
            flags.append(Message("reference_bilateral", {"percent": 100 * float(min(right, 1 - right))}))
        other = side < -_FROM_PLANE if right > 0.5 else side > _FROM_PLANE
        target = plane.reflect(resampling.voxel_centres(lesion, t1ce.affine).mean(axis=0, keepdims=True))[0]
    else:
        flags.append(Message("reference_no_lesion"))
        sides = (side > _FROM_PLANE, side < -_FROM_PLANE)
        other = max(sides, key=lambda half: int((suitable & half).sum()))
        half = resampling.voxel_centres(brain & other, t1ce.affine)
        target = half.mean(axis=0) if len(half) else np.zeros(3)

    white = _white_matter(values, suitable & other, spacing)
    region = _compact_part(white, target, t1ce)
    volume = region.sum() * t1ce.voxel_volume
    if volume < _SMALLEST:
        region[:] = False
        flags.append(Message("reference_not_found"))
    else:
        if volume < _SMALL:
            flags.append(Message("reference_too_small", {"volume": float(volume)}))
        chosen = t1ce.array[region].astype(float)
        variation = chosen.std() / abs(chosen.mean())
        if variation > _UNEVEN:
            flags.append(Message("reference_uneven", {"percent": 100 * float(variation)}))
    return Image(region, t1ce.affine.copy()), tuple(flags)


def _white_matter(values: np.ndarray, candidates: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The brighter class of the candidates without the brightest, eroded."""
    if candidates.sum() < 100:
        return np.zeros(values.shape, dtype=bool)
    known = values[candidates]
    low, high = np.percentile(known, [1, 98])
    finder = sitk.OtsuThresholdImageFilter()
    finder.Execute(sitk.GetImageFromArray(np.clip(known, low, high)[np.newaxis].astype(np.float32)))
    white = candidates & (values > finder.GetThreshold()) & (values <= high)
    # deep grey matter is nearly as bright: what lies below the class's typical value by more than its spread goes too
    typical = np.median(values[white])
    white &= values > typical - np.median(np.abs(values[white] - typical))
    return distances.deep(white, _EROSION, spacing)


def _compact_part(white: np.ndarray, target: np.ndarray, grid: Image) -> np.ndarray:
    """Of the True voxels those that fill the wanted volume around a deep place near the target (RAS mm)."""
    region = np.zeros(white.shape, dtype=bool)
    if not white.any():
        return region
    wanted = max(round(_VOLUME / grid.voxel_volume), 1)
    index = np.argwhere(white)
    points = resampling.voxel_centres(white, grid.affine)
    radius = (3 * _VOLUME * 1000 / (4 * np.pi)) ** (1 / 3)  # mm of a ball of the wanted volume
    # the share of a ball around each place that is white matter, less what it costs to be far from the target
    sigma = radius / 2 / grid.spacing[::-1]
    fullness = ndimage.gaussian_filter(white.astype(float), sigma)[white]
    far = np.linalg.norm(points - target, axis=1)
    centre = points[np.argmax(fullness - far / (10 * radius))]
    nearest = np.argsort(np.linalg.norm(points - centre, axis=1), kind="stable")[:wanted]
    near = nearest[np.linalg.norm(points[nearest] - centre, axis=1) <= 2 * radius]
    region[tuple(index[near].T)] = True
    return region


def _at_least(mask: np.ndarray, voxels: float) -> np.ndarray:
    """The mask's connected components of at least this many voxels."""
    labels, _ = ndimage.label(mask)
    large = np.bincount(labels.ravel()) >= voxels
    large[0] = False
    return large[labels]


def _away(mask: np.ndarray, spacing: np.ndarray, distance: float) -> np.ndarray:
    """Where the mask is further away than the distance in mm."""
    return ~distances.near(mask, distance, spacing)


def _signed_distance(grid: Image, plane: Plane) -> np.ndarray:
    """Distance in mm of each voxel ``(k, j, i)`` to the plane, positive on the patient's right."""
    steps = plane.normal @ grid.affine[:3, :3]
    k, j, i = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    return i * steps[0] + j * steps[1] + k * steps[2] + (plane.normal @ grid.affine[:3, 3] - plane.offset)
