"""Intensities of anatomical images: one scale for a patient's T1CE over time, and the coil's shading taken out.

For the eye alone, as the picture of a difference. Nothing is measured on what comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..formats.images import to_sitk
from ..measures import Image, InputError
from . import distances

_DEEP = 6.0  # mm under the brain's surface: past the skull's shadow. Own choice
_LOW, _HIGH = 10.0, 90.0  # percentiles of normal-appearing tissue that are laid upon each other. Own choice
_SHRINK = 4  # for the bias field: as research practice has it (N4 with brain mask, shrink 4)
_FEWEST = 200  # voxels


@dataclass(frozen=True)
class Scale:
    """Where an image's normal-appearing tissue lies: its 10th and 90th percentile, in units of the image."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """The distance between the two."""
        return self.high - self.low

    def to(self, other: Scale) -> tuple[float, float]:
        """(factor, offset): ``factor * value + offset`` lays this scale upon the other."""
        factor = other.span / self.span
        return factor, other.low - factor * self.low


def tissue_scale(image: Image, brain: np.ndarray, leave_out: Sequence[np.ndarray] = ()) -> Scale:
    """The scale of the tissue deep in the brain, outside of what is left out (lesion, oedema, cavity).

    image: 3D; brain and each of leave_out: bool ``(k, j, i)`` of it. Percentiles do not feel what enhances or is
    missing in a few voxels. Where all tissue has one value: zero and that value. Raises InputError
    ``intensity_no_tissue`` (too little is left), ``image_is_blank``.
    """
    tissue = distances.deep(brain, _DEEP, image.spacing[::-1])
    for mask in leave_out:
        tissue &= ~mask
    values = image.array[tissue]
    values = values[np.isfinite(values)]
    if values.size < _FEWEST:
        raise InputError("intensity_no_tissue", voxels=int(values.size), needed=_FEWEST)
    low, high = np.percentile(values, [_LOW, _HIGH])
    if not high > 0:
        raise InputError("image_is_blank")
    return Scale(float(low) if high > low else 0.0, float(high))


def matched(image: Image, scale: Scale, wanted: Scale) -> Image:
    """The image in the units of another: a straight line through both percentiles, float32."""
    factor, offset = scale.to(wanted)
    return Image((image.array * np.float32(factor) + np.float32(offset)).astype(np.float32), image.affine)


def without_bias(image: Image, brain: np.ndarray) -> Image:
    """An anatomical image without the slow shading of its coil, float32, same mean in the brain.

    N4 (N. J. Tustison et al., IEEE Trans Med Imaging 29:1310, 2010) as SimpleITK has it, found in the brain on an image
    shrunk by 4, the field applied to every voxel. Never for perfusion series or maps: there the shading cancels in
    ratios of the same voxel, or is the measurement. Raises InputError ``brain_not_found``.
    """
    if not brain.any():
        raise InputError("brain_not_found")
    values = np.clip(np.nan_to_num(image.array.astype(np.float32)), 0, None)
    shrink = [max(min(_SHRINK, size // 8), 1) for size in image.shape[::-1]]
    whole = to_sitk(Image(values, image.affine))
    inside = to_sitk(Image(brain, image.affine))
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations([50, 50, 30])
    corrector.Execute(sitk.Shrink(whole, shrink), sitk.Shrink(inside, shrink))
    field = sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(whole))
    corrected = values / np.exp(field)
    return Image((corrected * (values[brain].mean() / corrected[brain].mean())).astype(np.float32), image.affine)
