"""NIfTI and NRRD images into ``Image`` and back, through SimpleITK.

SimpleITK works in LPS; the turn to RAS is ``ras_from_lps`` of this file and stands nowhere else in the library.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..measures import Image, InputError

SUFFIXES = (".nii.gz", ".nii", ".nrrd")


EDGES = 0.01, 100.0
"""mm between which the edges of a voxel of a head lie: ITK believes a header that calls millimetres metres."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def ras_from_lps(matrix: np.ndarray) -> np.ndarray:
    """An index-to-LPS affine (4x4) as index-to-RAS; its own inverse."""
    return LPS_TO_RAS @ matrix


def point_transform_ras_from_lps(matrix: np.ndarray) -> np.ndarray:
    """A 4x4 transform of LPS points as one of RAS points; its own inverse."""
    return LPS_TO_RAS @ matrix @ LPS_TO_RAS


def read_image(path: Path) -> Image:
    """A 3D image ``(k, j, i)`` or a time series ``(time, k, j, i)`` with its RAS affine.

    Raises InputError: ``file_missing``, ``file_unreadable``, ``file_truncated``, ``image_dimension`` (not 3D or 4D),
    ``image_geometry`` (spacing zero, negative or of no scanner, axes that do not span space), ``image_sheared``,
    ``image_nifti_2``, ``image_complex``, ``image_no_values`` (no finite value).
    """
    reader = _reader(path)
    _check_complete(path, reader)
    try:
        source = reader.Execute()
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    image, offset = from_sitk(source, path), _offset_without_slope(reader)
    return Image(image.array - np.float32(offset), image.affine) if offset else image


def read_header(path: Path) -> Image:
    """Shape and affine without the values (the array is empty memory of the right shape); errors as ``read_image``."""
    reader = _reader(path)
    dimension = reader.GetDimension()
    shape = reader.GetSize()[::-1]
    if reader.GetNumberOfComponents() > 1:
        shape = (reader.GetNumberOfComponents(), *shape)
    affine = _affine(reader, dimension, path) if len(shape) in (3, 4) and dimension >= 3 else None
    if affine is None or min(shape) == 0:
        raise InputError("image_dimension", file=str(path), dimension=len(shape))
    return Image(np.broadcast_to(np.zeros((), dtype=np.uint8), shape), affine)


def _reader(path: Path) -> sitk.ImageFileReader:
    """A reader that has read the header."""
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    return reader


def _unreadable(path: Path, error: RuntimeError) -> InputError:
    """Why ITK reads nothing of a file."""
    reason = _last_reason(error)
    if "orthonormal" in reason:
        return InputError("image_sheared", file=str(path))
    if _is_nifti_2(path):
        return InputError("image_nifti_2", file=str(path))
    return InputError("file_unreadable", file=str(path), detail=reason)


def _is_nifti_2(path: Path) -> bool:
    """Whether a file begins with the size of a NIfTI-2 header, 540 bytes."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            start = file.read(4)
    except (EOFError, OSError, zlib.error):
        return False
    return 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big"))


def orientation_said(path: Path) -> bool:
    """Whether the header of a NIfTI or NRRD file says which way the patient lies: ITK guesses else (NIfTI without a
    qform and an sform, NRRD without a space). Errors as ``read_header``."""
    reader = _reader(path)
    keys = reader.GetMetaDataKeys()
    if "qform_code" in keys:
        return any(int(float(reader.GetMetaData(code))) > 0 for code in ("qform_code", "sform_code"))
    return "NRRD_space" in keys


def nifti_affine(codes: tuple, pixdim: tuple, quaternion: tuple, rows: tuple) -> np.ndarray:
    """Index-to-RAS affine (4x4) of a NIfTI header: the sform where it is set, else the qform (NIfTI-1 standard, methods
    3 and 2). codes: of qform and sform; pixdim, quaternion (with the offset), rows (of the sform): as in the header."""
    affine = np.eye(4)
    if codes[1] > 0 or codes[0] <= 0:
        affine[:3] = np.reshape(rows, (3, 4))
        return affine if codes[1] > 0 else np.diag([*pixdim[1:4], 1.0])
    b, c, d = quaternion[:3]
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    spacing = np.array(pixdim[1:4]) * (1, 1, -1 if pixdim[0] < 0 else 1)
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = quaternion[3:]
    return affine


def places_apart(path: Path) -> float:
    """How far a NIfTI header's two statements of where the image lies (qform and sform) are apart, in mm at the corner
    where they are most; 0 where it makes one alone. ITK, and so Slicer, takes the qform unless the sform is of the
    scanner, most other programs the sform. The file must be one that ``read_header`` can read."""
    if path.name.lower().endswith(".nrrd"):
        return 0.0
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        header = file.read(348)  # not from ITK, which does not tell the sign of the third axis
    order = next((order for order in "<>" if struct.unpack_from(f"{order}i", header)[0] == 348), None)
    places = ((40, "8h"), (76, "8f"), (252, "2h"), (256, "6f"), (280, "12f"))
    if order is None:
        return 0.0
    size, pixdim, codes, quaternion, rows = (struct.unpack_from(order + form, header, at) for at, form in places)
    if min(codes) <= 0:
        return 0.0
    first, second = (nifti_affine(one, pixdim, quaternion, rows) for one in ((1, 0), (0, 1)))
    return float(np.linalg.norm((first - second) @ _corners(size[1:4]).T, axis=0).max())


def seconds(xyzt_units: int) -> float | None:
    """Seconds of one unit of time by a NIfTI header (nifti1.h); None where it names none, or another one."""
    return {8: 1.0, 16: 1e-3, 24: 1e-6}.get(xyzt_units & 0x38)


def frame_interval(path: Path) -> float | None:
    """Seconds between the time points of a NIfTI time series by its header; None where it says none. One second is
    what libraries write that know nothing. Errors as ``read_header``."""
    reader = _reader(path)
    if reader.GetDimension() < 4 or "xyzt_units" not in reader.GetMetaDataKeys():
        return None
    unit = seconds(int(float(reader.GetMetaData("xyzt_units"))))
    step = float(reader.GetMetaData("pixdim[4]"))
    return None if unit is None or not math.isfinite(step) or step <= 0 or step * unit == 1.0 else step * unit


def _check_complete(path: Path, reader: sitk.ImageFileReader) -> None:
    """Refuses a NIfTI file that ends too early: ITK would fill the missing voxels with zeros and say nothing."""
    if "vox_offset" not in reader.GetMetaDataKeys():
        return
    bits = int(reader.GetMetaData("bitpix"))
    expected = int(float(reader.GetMetaData("vox_offset"))) + math.prod(reader.GetSize()) * bits // 8
    if path.name.lower().endswith(".gz"):
        with path.open("rb") as file:
            file.seek(-4, 2)
            size = int.from_bytes(file.read(4), "little")  # RFC 1952: uncompressed size modulo 2^32
        complete = size == expected % 2**32 or _uncompressed_size(path) >= expected
    else:
        complete = path.stat().st_size >= expected
    if not complete:
        raise InputError("file_truncated", file=str(path))


def _offset_without_slope(reader: sitk.ImageFileReader) -> float:
    """What ITK adds to values that nothing is to be added to: by the standard an intercept counts with a slope alone
    (NIfTI-1: "if scl_slope is nonzero")."""
    keys = reader.GetMetaDataKeys()
    if "scl_slope" not in keys or float(reader.GetMetaData("scl_slope")) != 0:
        return 0.0
    return float(reader.GetMetaData("scl_inter"))


def _uncompressed_size(path: Path) -> int:
    """Bytes in a gzip file of any number of members; 0 when it is damaged."""
    size = 0
    try:
        with gzip.open(path) as file:
            while block := file.read(1 << 22):
                size += len(block)
    except (EOFError, OSError, zlib.error):
        return 0
    return size


def from_sitk(source: sitk.Image, path: Path | str = "image") -> Image:
    """A SimpleITK image as ``Image``; errors as ``read_image``, naming path."""
    dimension = source.GetDimension()
    array = sitk.GetArrayFromImage(source)
    if source.GetNumberOfComponentsPerPixel() > 1:  # NRRD time series keep time as components, the fastest axis
        array = np.moveaxis(array, -1, 0)
    if array.ndim not in (3, 4) or dimension < 3 or min(array.shape) == 0:
        raise InputError("image_dimension", file=str(path), dimension=array.ndim)
    affine = _affine(source, dimension, path)
    if np.iscomplexobj(array):
        raise InputError("image_complex", file=str(path))
    if not np.any(np.isfinite(array)):
        raise InputError("image_no_values", file=str(path))
    return Image(array, affine)


def _affine(source: sitk.Image | sitk.ImageFileReader, dimension: int, path: Path | str) -> np.ndarray:
    spacing = np.asarray(source.GetSpacing(), dtype=float)[:3]
    directions = np.asarray(source.GetDirection(), dtype=float).reshape(dimension, dimension)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = source.GetOrigin()[:3]
    plausible = np.all((spacing > EDGES[0]) & (spacing < EDGES[1]))
    if not (np.all(np.isfinite(affine)) and plausible and abs(np.linalg.det(directions)) > 1e-3):
        raise InputError("image_geometry", file=str(path))
    return ras_from_lps(affine)


def to_sitk(image: Image) -> sitk.Image:
    """A 3D ``Image`` as SimpleITK image (bool becomes uint8)."""
    array = image.array.astype(np.uint8) if image.array.dtype == bool else image.array
    target = sitk.GetImageFromArray(np.ascontiguousarray(array))
    lps = ras_from_lps(image.affine)
    spacing = image.spacing
    target.SetSpacing(spacing.tolist())
    target.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    target.SetOrigin(lps[:3, 3].tolist())
    return target


def write_image(image: Image, path: Path) -> None:
    """Writes a 3D image or a time series as NIfTI or NRRD by the name's ending; raises FileExistsError."""
    if path.exists():
        raise FileExistsError(path)
    if image.array.ndim == 3:
        target = to_sitk(image)
    else:
        frames = [to_sitk(Image(frame, image.affine)) for frame in image.array]
        target = sitk.JoinSeries(frames)
    sitk.WriteImage(target, str(path), useCompression=path.name.endswith((".gz", ".nrrd")))


def same_grid(first: Image, second: Image, tolerance: float = 1e-2) -> bool:
    """Whether two images have the same voxels: shape equal and every corner within tolerance (mm)."""
    if first.shape != second.shape:
        return False
    corners = _corners(first.shape[::-1])
    return bool(np.allclose(corners @ first.affine.T, corners @ second.affine.T, atol=tolerance))


def _corners(size: Sequence[int]) -> np.ndarray:
    """Indices ``(8, 4)`` ``(i, j, k, 1)`` of the corner voxels of a grid of this size ``(i, j, k)``."""
    corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    corners[:, :3] *= np.array(size) - 1
    return corners


def _last_reason(error: RuntimeError) -> str:
    """The last line of an ITK error: the one that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
