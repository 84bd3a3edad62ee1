"""A series, or a mask, into an image: one way for plain files and for DICOM."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..measures import Image, InputError, Region, Series
from .dicom_dose import read_dose, read_dose_header
from .dicom_files import is_dicom, read_dicom_file
from .dicom_pixels import read_arranged
from .dicom_segments import fits, read_segment
from .dicom_series import Arrangement, Part, arrange, split
from .images import read_header, read_image, same_grid
from .spectra import read_spectra_header

SPECTRA = ("MRS", "MRSI")
DOSE = "RTDOSE"

# Series whose values are a quantity: of these the real-world value counts, not the signal.
QUANTITIES = (
    "rCBV",
    "sRCBV",
    "CBF",
    "ADC",
    "APTw",
    "PET",
    "Cho_NAA_molar",
    "Cho_NAA_area",
    "Cho_Cr_molar",
    "Cho_Cr_area",
)


def read_series(series: Series) -> Image:
    """The voxels of a series, ``(k, j, i)`` or ``(time, k, j, i)``.

    Raises InputError as ``images.read_image`` for plain files; for DICOM as ``read_dicom_file``, ``arrange`` and
    ``read_arranged``, of a dose as ``read_dose``.
    """
    if not series.files:
        return read_image(series.path)
    if series.role == DOSE:
        return read_dose(series.files[0])
    arranged = _arranged(series.files, series.part)
    return Image(read_arranged(arranged, series.role in QUANTITIES), arranged.affine)


def read_series_header(series: Series) -> Image:
    """Shape and affine of a series without its values; errors as ``read_series``."""
    if series.role in SPECTRA:
        return read_spectra_header(series.path)[0]
    if not series.files:
        return read_header(series.path)
    if series.role == DOSE:
        return read_dose_header(series.files[0]).grid
    return _arranged(series.files, series.part).grid


def read_mask(region: Region, grid: Image) -> Image:
    """The labels of a drawn region on the grid of the image that it was drawn on.

    A segment of a DICOM segmentation has its segment number as label. Raises InputError ``mask_on_other_grid``, and as
    ``read_series`` and ``dicom_segments.read_segment``.
    """
    if not region.files and is_dicom(region.path):
        if region.label is None:
            raise InputError("segment_unsaid", file=str(region.path), segments=_segments(region.path))
        mask = read_segment(region.path, region.label, grid)
        return Image(mask * np.uint16(region.label), grid.affine)
    mask = read_series(Series("segmentation", region.path, files=region.files))
    if not same_grid(mask, grid):
        raise InputError("mask_on_other_grid", file=str(region.path), image="T1CE")
    return mask


def mask_fits(path: Path, grid: Image) -> bool:
    """Whether a mask, an image or a DICOM segmentation, lies on the voxels of a grid; from headers alone."""
    return fits(path, grid) if is_dicom(path) else same_grid(read_header(path), grid)


def _segments(path: Path) -> str:
    return ", ".join(f"{number} ({label})" for number, label in read_dicom_file(path).segments)


def part_of(files: tuple[Path, ...], key: str) -> Part:
    """The part of a DICOM series with this key, or the only one. Raises InputError ``dicom_no_pixels``."""
    parts = split([read_dicom_file(path) for path in files])
    found = [part for part in parts if part.key == key] or (parts if len(parts) == 1 else [])
    if not found:
        raise InputError("dicom_no_pixels", file=str(files[0]))
    return found[0]


def _arranged(files: tuple[Path, ...], key: str) -> Arrangement:
    return arrange(part_of(files, key))
