"""Siemens RDA exports and the classic Siemens spectroscopy DICOM (syngo VA to VE).

Both state the outer corner of the first voxel as its position: in an in-vivo pair the stated centre of the box lies
half a voxel from it along rows and columns, which the tests check.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ..measures import InputError, Spectra
from .spectra_fields import needed
from .spectra_geometry import from_vectors

CLASSIC = "1.3.12.2.1107.5.9.1"  # SOP class
BEGIN, END = b">>> Begin of header <<<", b">>> End of header <<<"
SEQUENCES = (("slaser", "sLASER"), ("svs_st", "STEAM"), ("csi_st", "STEAM"), ("svs_se", "PRESS"), ("csi_se", "PRESS"))


def sequence_of(name: str) -> str:
    """The sequence that a Siemens sequence name stands for, or an empty text."""
    return next((sequence for part, sequence in SEQUENCES if part in name.lower()), "")


def read_rda(path: Path) -> Spectra:
    """The spectra of an RDA file. Raises InputError ``spectra_unreadable``, ``file_truncated``, ``spectra_fields``."""
    content = path.read_bytes()
    begin, end = content.find(BEGIN), content.find(END)
    if begin < 0 or end < 0:
        raise InputError("spectra_unreadable", file=str(path), detail="no RDA header")
    fields = {}
    for line in content[begin + len(BEGIN) : end].decode("latin-1").splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields[name.strip()] = value.strip()
    sizes = (*(f"CSIMatrixSize[{axis}]" for axis in (2, 1, 0)), "VectorSize")
    shape = tuple(needed(path, fields, name, int) for name in sizes)
    vectors = {
        name: np.array([needed(path, fields, f"{name}[{axis}]") for axis in range(3)])
        for name in ("PositionVector", "RowVector", "ColumnVector")
    }
    spacing = tuple(needed(path, fields, name) for name in ("PixelSpacingCol", "PixelSpacingRow", "PixelSpacing3D"))
    times = {name: needed(path, fields, name) for name in ("DwellTime", "MRFrequency", "TE", "TR")}
    times["TM"] = needed(path, fields, "TM") if fields.get("TM") else 0.0
    start, count = end + len(END), math.prod(shape)
    start += next(len(ending) for ending in (b"\r\n", b"\n", b"") if content[start : start + 2].startswith(ending))
    if min(shape) < 1 or len(content) - start < count * 16:
        raise InputError("file_truncated", file=str(path))
    # The values end the file: a number may begin with the bytes of a line's end.
    fid = np.frombuffer(content[len(content) - count * 16 :], "<c16").reshape(shape)
    with np.errstate(over="ignore"):  # what is too large for a signal is refused with what is no number
        fid = fid.astype(np.complex64)
    return Spectra(
        fid,
        times["DwellTime"] * 1e-6,
        times["MRFrequency"],
        times["TE"] * 1e-3,
        fields.get("Nucleus", "1H") or "1H",
        _grid(vectors["PositionVector"], vectors["RowVector"], vectors["ColumnVector"], spacing),
        sequence=sequence_of(fields.get("SequenceName", "")),
        repetition_time=times["TR"] * 1e-3,
        mixing_time=times["TM"] * 1e-3 or None,
    )


def read_classic(dataset: Dataset, path: Path) -> Spectra:
    """The spectra of a classic Siemens spectroscopy DICOM.

    Raises InputError ``spectra_unreadable``, ``spectra_fields``, ``spectra_field``, ``file_truncated``.
    """
    try:
        fields = _csa(bytes(dataset[0x0029, 0x1110].value))
        values = bytes(dataset[0x7FE1, 0x1010].value)
    except (KeyError, ValueError, struct.error) as error:
        raise InputError("spectra_unreadable", file=str(path), detail="no Siemens header or no values") from error
    sizes = ("NumberOfFrames", "Rows", "Columns", "DataPointColumns")
    shape = tuple(needed(path, fields, name, int) for name in sizes)
    position = _vector(path, fields, "ImagePositionPatient", 3)
    directions = _vector(path, fields, "ImageOrientationPatient", 6)
    between_rows, between_columns = _vector(path, fields, "PixelSpacing", 2).tolist()
    spacing = (between_columns, between_rows, needed(path, fields, "SliceThickness"))
    dwell_time = needed(path, fields, "RealDwellTime") * 1e-9
    frequency = needed(path, fields, "ImagingFrequency")
    echo_time, repetition_time = needed(path, fields, "EchoTime"), needed(path, fields, "RepetitionTime")
    mixing_time = needed(path, fields, "MixingTime") if fields.get("MixingTime") else 0.0
    count = math.prod(shape)
    if min(shape) < 1 or len(values) < 8 * count:
        raise InputError("file_truncated", file=str(path))
    return Spectra(
        np.frombuffer(values, "<c8", count).reshape(shape),
        dwell_time,
        frequency,
        echo_time * 1e-3,
        (fields.get("ResonantNucleus") or ["1H"])[0],
        _grid(position, directions[:3], directions[3:], spacing),
        sequence=sequence_of((fields.get("SequenceName") or [""])[0]),
        repetition_time=repetition_time * 1e-3,
        mixing_time=mixing_time * 1e-3 or None,
    )


def _vector(path: Path, fields: dict[str, list[str]], name: str, length: int) -> np.ndarray:
    """A field of several numbers. Raises InputError ``spectra_fields``, ``spectra_field``."""
    values = [needed(path, {name: value}, name) for value in fields.get(name, [])]
    if len(values) < length:
        raise InputError("spectra_fields", file=str(path), fields=name)
    return np.array(values[:length])


def _grid(corner: np.ndarray, row: np.ndarray, column: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    first = corner + 0.5 * (spacing[0] * row + spacing[1] * column)
    return from_vectors(first, row, column, spacing)


def _csa(content: bytes) -> dict[str, list[str]]:
    """The fields of a Siemens CSA header (version 2) as texts."""
    if content[:4] != b"SV10":
        raise ValueError("CSA header")
    count = struct.unpack_from("<I", content, 8)[0]
    place, fields = 16, {}
    for _ in range(count):
        name, _, _, _, items, _ = struct.unpack_from("<64si4siii", content, place)
        place += 84
        values = []
        for _ in range(items):
            length = struct.unpack_from("<4i", content, place)[1]
            place += 16
            text = content[place : place + length].split(b"\x00")[0].decode("latin-1").strip()
            if text:
                values.append(text)
            place += (length + 3) // 4 * 4
        fields[name.split(b"\x00")[0].decode("latin-1")] = values
    return fields
