"""Pictures that a scanner or workstation saved (secondary captures, vendors' colour maps): to be looked at, never to be
measured, because their values are colours or have lost their scale.

Sources: DICOM PS3.3 A.8 (secondary capture), C.7.6.3 (photometric interpretation), C.7.9 (palette colour lookup table).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom.pixels
import SimpleITK as sitk
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from ..measures import InputError, Message, Series
from .dicom_files import read_dataset
from .dicom_pixels import MOST_BYTES, bare_copy, decoded, stream_size
from .dicom_series import Arrangement, Part, arrange
from .series import part_of

PALETTE = tuple(
    f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")
)
CAPTURES = ("series_capture", "series_colour")
"""Reasons of series that are set aside for being pictures."""


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 ``(k, j, i, 3)``, red, green, blue. affine: index to RAS mm, None where the header does not say
    where the picture lies; then the pixels are pages. frame_of_reference: UID of the coordinates, empty where there is
    none."""

    pixels: np.ndarray
    affine: np.ndarray | None
    frame_of_reference: str = ""


def is_picture(series: Series) -> bool:
    """Whether a series is set aside because it is a picture."""
    return series.reason is not None and series.reason.code in CAPTURES and bool(series.files)


def read_picture(series: Series) -> Picture:
    """The picture of a series that is set aside.

    Raises InputError ``dicom_no_pixels``, ``dicom_pixels_wrong``, ``dicom_truncated``, ``dicom_too_large``, and as
    ``read_dicom_file``.
    """
    part = part_of(series.files, series.part)
    stored = {file.path: _colours(file.path) for file in part.headers}
    placed = _placed(part)
    frames = list(placed.frames[0]) if placed is not None else list(part.frames)
    pixels = np.stack([stored[frame.file][frame.number] for frame in frames])
    reference = str(read_dataset(part.header.path, pixels=False).get("FrameOfReferenceUID", ""))
    return Picture(pixels, None if placed is None else placed.affine, reference if placed is not None else "")


def why_never_measured(series: Series) -> Message:
    """The sentence that stands beside the picture."""
    return Message("picture_viewing_only", {"series": series.description or Path(series.path).name})


def frame_of_reference(series: Series) -> str:
    """UID of the coordinates that a DICOM series lies in; empty where it has none, or is no DICOM series."""
    return str(read_dataset(series.files[0], pixels=False).get("FrameOfReferenceUID", "")) if series.files else ""


def _placed(part: Part) -> Arrangement | None:
    """Where the frames lie in space; None where the headers do not say it for all of them."""
    try:
        found = arrange(part)
    except InputError:
        return None
    return found if len(found.shape) == 3 and part.frames[0].mosaic is None else None


def _colours(path: Path) -> np.ndarray:
    """The frames of a file as uint8 ``(frames, rows, columns, 3)``."""
    return decoded(path, _in_colour)


def _in_colour(dataset: Dataset, path: Path) -> np.ndarray:
    if "PixelData" not in dataset or not dataset.PixelData:
        raise InputError("dicom_no_pixels", file=str(path))
    rows, columns, frames = int(dataset.Rows), int(dataset.Columns), int(dataset.get("NumberOfFrames") or 1)
    samples, bits = int(dataset.get("SamplesPerPixel", 1)), int(dataset.BitsAllocated)
    if rows < 1 or columns < 1 or frames < 1 or samples not in (1, 3) or bits not in (8, 16):
        raise InputError("dicom_pixels_wrong", file=str(path))
    if rows * columns * frames * max(3, samples * bits // 8) > MOST_BYTES:
        raise InputError("dicom_too_large", file=str(path), series=path.name)
    syntax = uid.UID(str(dataset.file_meta.get("TransferSyntaxUID", uid.ImplicitVRLittleEndian)))
    kind = str(dataset.get("PhotometricInterpretation", ""))
    if syntax.is_compressed and syntax != uid.RLELossless:
        values = _decompressed(dataset, syntax, (frames, rows, columns), path)
    else:
        needed = 2 * rows * columns if kind.endswith("422") else rows * columns * samples
        if not syntax.is_compressed and len(dataset.PixelData) < frames * needed * bits // 8:
            raise InputError("dicom_truncated", file=str(path))
        values = pydicom.pixels.pixel_array(dataset)
        if kind == "PALETTE COLOR":
            values = pydicom.pixels.apply_color_lut(values, dataset)
    colours = 3 if values.shape[-1] == 3 and (samples == 3 or kind == "PALETTE COLOR") else 1
    values = values.reshape(frames, rows, columns, colours)
    if colours == 1:
        return np.repeat(_grey(values, kind == "MONOCHROME1"), 3, axis=-1)
    return values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)


def _grey(values: np.ndarray, inverted: bool) -> np.ndarray:
    """Grey values from the lowest to the highest as 0 to 255; 8-bit ones as they are."""
    if values.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = (255 * (values.astype(np.float32) - low) / max(high - low, 1)).round().astype(np.uint8)
    return 255 - values if inverted else values


def _decompressed(dataset: Dataset, syntax: uid.UID, shape: tuple[int, int, int], path: Path) -> np.ndarray:
    """By GDCM, which turns YBR and palettes into RGB; the copy that it is given holds nothing of the patient."""
    frames, rows, columns = shape
    for stream in generate_frames(dataset.PixelData, number_of_frames=frames):
        if stream_size(stream) != (rows, columns):
            raise InputError("dicom_pixels_wrong", file=str(path))
    values = sitk.GetArrayFromImage(bare_copy(dataset, syntax, PALETTE))
    if values.size not in (frames * rows * columns, 3 * frames * rows * columns):
        raise InputError("dicom_pixels_wrong", file=str(path))
    return values
