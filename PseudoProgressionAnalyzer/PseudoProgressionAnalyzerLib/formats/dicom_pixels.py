"""Stored values of DICOM files into numbers: uncompressed ones directly, compressed ones by GDCM.

GDCM is given a copy that holds nothing but the pixels: it would apply the rescale of the whole file to frames that have
their own, and nothing of the patient is written to the copy. Sources: DICOM PS3.5 section 8 and annex A.4; PS3.3
C.7.6.16.2.9 (pixel value transformation), C.7.6.16.2.11 (real-world values). Philips: signal = output / (slope x scale
slope), as in Chenevert 2014 (Translational Oncology 7:65) and in dcm2niix.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames

from ..measures import InputError
from .dicom_files import Frame, read_dataset
from .dicom_series import MOST_VOXELS, Arrangement

# A DICOM value is at most 2^32 bytes long (PS3.5 7.1.3).
MOST_BYTES = 2**32
PIXEL_ELEMENTS = (
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "NumberOfFrames", "PlanarConfiguration",
)  # fmt: skip


def read_arranged(arranged: Arrangement, quantity: bool) -> np.ndarray:
    """The values of a series as ``arranged.shape``: stored integers where nothing is rescaled, else float32.

    quantity: whether the values are a quantity (a map), for which the real-world value counts and padding is NaN, or
    signal. Raises InputError as ``stored_frames``, and ``dicom_colour``.
    """
    places: dict[Path, list[tuple[int, int, Frame]]] = {}
    for time, volume in enumerate(arranged.frames):
        for k, frame in enumerate(volume):
            places.setdefault(frame.file, []).append((time, k, frame))
    scalings = {scaling(frame, quantity) for volume in arranged.frames for frame in volume}
    padded = quantity and any(frame.padding is not None for volume in arranged.frames for frame in volume)
    plain = scalings == {(1.0, 0.0)} and not padded
    times = len(arranged.frames)
    slices, rows, columns = arranged.shape[-3:]
    values: np.ndarray | None = None
    for file, wanted in places.items():
        stored = stored_frames(file)
        kind = stored.dtype if plain else np.dtype(np.float32)
        if values is None:
            values = np.empty((times, slices, rows, columns), kind)
        elif values.dtype != kind:
            values = values.astype(np.promote_types(values.dtype, kind))
        for time, k, frame in wanted:
            image = stored[frame.number]
            if frame.mosaic is not None:
                image = frame.mosaic.tiles(image)
            if image.shape[-2:] != (rows, columns):
                raise InputError("dicom_pixels_wrong", file=str(file))
            if not plain:
                slope, intercept = scaling(frame, quantity)
                nothing = _nothing(image, frame) if quantity else None
                image = image.astype(np.float64) * slope + intercept
                if nothing is not None:
                    image[nothing] = np.nan
            values[time, slice(None) if frame.mosaic is not None else k] = image
    if not np.isfinite(values).any():
        raise InputError("image_no_values", file=str(arranged.frames[0][0].file))
    return values[0] if len(arranged.shape) == 3 else values


def _nothing(stored: np.ndarray, frame: Frame) -> np.ndarray | None:
    """Where stored values are padding; None where the header names none."""
    return None if frame.padding is None else (stored >= frame.padding[0]) & (stored <= frame.padding[1])


def scaling(frame: Frame, quantity: bool) -> tuple[float, float]:
    """Slope and intercept from stored values to numbers."""
    if quantity and frame.real is not None:
        return frame.real[:2]
    if not quantity and frame.scale_slope is not None:
        return 1.0 / frame.scale_slope, frame.intercept / (frame.slope * frame.scale_slope)
    return frame.slope, frame.intercept


def stored_frames(path: Path) -> np.ndarray:
    """The stored values of a file ``(frames, rows, columns)``; one-bit values as uint8.

    Raises InputError: as ``read_dicom_file``, ``dicom_no_pixels``, ``dicom_colour``, ``dicom_truncated``,
    ``dicom_pixels_wrong``, ``dicom_too_large``.
    """
    return decoded(path, _stored)


def decoded(path: Path, decode: Callable[[Dataset, Path], np.ndarray]) -> np.ndarray:
    """What ``decode`` makes of a file that is read with its pixels.

    Raises InputError: as ``read_dicom_file``, ``dicom_pixels_wrong``, ``dicom_too_large``, and those of ``decode``.
    """
    dataset = read_dataset(path, pixels=True)
    try:
        return decode(dataset, path)
    except InputError:
        raise
    except MemoryError:
        raise InputError("dicom_too_large", file=str(path), series=path.name) from None
    except Exception as error:  # as in the header: damaged bytes make the parser raise almost anything
        raise InputError("dicom_pixels_wrong", file=str(path)) from error


def _stored(dataset: Dataset, path: Path) -> np.ndarray:
    keyword = next((k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset), None)
    if keyword is None or not dataset[keyword].value:
        raise InputError("dicom_no_pixels", file=str(path))
    rows, columns, frames = int(dataset.Rows), int(dataset.Columns), int(dataset.get("NumberOfFrames") or 1)
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise InputError("dicom_colour", file=str(path))
    bits = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(keyword) or int(dataset.BitsAllocated)
    if rows < 1 or columns < 1 or frames < 1 or bits not in (1, 8, 16, 32, 64):
        raise InputError("dicom_pixels_wrong", file=str(path))
    if rows * columns * frames > MOST_VOXELS or rows * columns * frames * bits // 8 > MOST_BYTES:
        raise InputError("dicom_too_large", file=str(path), series=path.name)
    syntax = uid.UID(str(dataset.file_meta.get("TransferSyntaxUID", uid.ImplicitVRLittleEndian)))
    if syntax.is_compressed:
        return _decompressed(dataset, syntax, (frames, rows, columns), path)
    data = dataset[keyword].value
    count = rows * columns * frames
    if len(data) < (count * bits + 7) // 8:
        raise InputError("dicom_truncated", file=str(path))
    if bits == 1:
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[:count].reshape(frames, rows, columns)
    order = "<" if syntax.is_little_endian else ">"
    kind = "f" if keyword != "PixelData" else "u"
    values = np.frombuffer(data, np.dtype(f"{order}{kind}{bits // 8}"), count).reshape(frames, rows, columns)
    values = values.astype(values.dtype.newbyteorder("="))
    return values if kind == "f" else _signed(values, dataset, bits)


def _signed(values: np.ndarray, dataset: Dataset, bits: int) -> np.ndarray:
    """Stored bits only (old files keep overlays in the others), with their sign."""
    used = int(dataset.get("BitsStored", bits))
    high = int(dataset.get("HighBit", used - 1))
    if not 1 <= used <= bits or not used - 1 <= high < bits:
        raise ValueError("bits")
    values = values >> values.dtype.type(high + 1 - used)
    if used < bits:
        values = values & values.dtype.type((1 << used) - 1)
    if int(dataset.get("PixelRepresentation", 0)) == 0:
        return values
    signed = values.astype(f"i{bits // 8}")
    if used < bits:
        shift = signed.dtype.type(bits - used)
        signed = (signed << shift) >> shift
    return signed


def _decompressed(dataset: Dataset, syntax: uid.UID, shape: tuple[int, int, int], path: Path) -> np.ndarray:
    frames, rows, columns = shape
    for stream in generate_frames(dataset.PixelData, number_of_frames=frames):
        if syntax != uid.RLELossless and stream_size(stream) != (rows, columns):
            raise InputError("dicom_pixels_wrong", file=str(path))
    values = sitk.GetArrayFromImage(bare_copy(dataset, syntax))
    values = values.reshape((-1, *values.shape[-2:]))
    if values.shape != shape:
        raise InputError("dicom_pixels_wrong", file=str(path))
    return values


def bare_copy(dataset: Dataset, syntax: uid.UID, more: tuple[str, ...] = ()) -> sitk.Image:
    """What GDCM reads from a copy of the data set that holds its pixels, what is needed to decode them and these
    elements more, and nothing of the patient."""
    bare = Dataset()
    for keyword in (*PIXEL_ELEMENTS, *more):
        if keyword in dataset:
            bare[keyword] = dataset[keyword]
    several = int(dataset.get("NumberOfFrames") or 1) > 1
    colour = int(dataset.get("SamplesPerPixel", 1)) > 1
    frames = uid.MultiFrameTrueColorSecondaryCaptureImageStorage
    frames = frames if colour else uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    bare.SOPClassUID = frames if several else uid.SecondaryCaptureImageStorage
    bare.SOPInstanceUID = "2.25.1"
    bare["PixelData"] = dataset["PixelData"]
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = syntax
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "pixels.dcm")
        bare.save_as(copy, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(copy))
        return reader.Execute()


def stream_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns) that a JPEG, JPEG-LS or JPEG 2000 stream says of itself, or None.

    A stream may be far larger than its header says and would fill the memory. Sources: ITU-T T.81 B.2.2 and T.87 C.2.2
    (frame header), T.800 A.5.1 (SIZ).
    """
    if stream[:4] == b"\xff\x4f\xff\x51":
        width, height, left, top = (int.from_bytes(stream[at : at + 4], "big") for at in (8, 12, 16, 20))
        return height - top, width - left
    place = 2
    while stream[:2] == b"\xff\xd8" and place + 9 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            return int.from_bytes(stream[place + 5 : place + 7], "big"), int.from_bytes(
                stream[place + 7 : place + 9], "big"
            )
        if marker == 0xFF:
            place += 1
            continue
        place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    return None
