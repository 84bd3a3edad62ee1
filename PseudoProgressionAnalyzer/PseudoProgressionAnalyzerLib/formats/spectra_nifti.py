"""NIfTI-MRS files (standard 0.9, Clarke et al., Magn Reson Med 2022;88:2358) without a general NIfTI library.

ITK cannot read complex images, so that header, extension and values are read here.
"""

from __future__ import annotations

import gzip
import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..measures import InputError, Spectra
from .images import nifti_affine, seconds
from .spectra_combine import combine_coils, combine_repetitions
from .spectra_fields import needed

EXTENSION = 44  # code of the JSON header in the list of NIfTI extensions
COMPLEX = {32: "c8", 1792: "c16"}
SEQUENCES = {"press": "PRESS", "steam": "STEAM", "slaser": "sLASER", "semi": "sLASER", "svs_se": "PRESS"}


def read(path: Path) -> Spectra:
    """The spectra of a NIfTI-MRS file; coils and repetitions are combined.

    Raises InputError ``spectra_unreadable``, ``spectra_nifti_kind`` (no NIfTI-MRS), ``spectra_fields`` (no spectrometer
    frequency), ``spectra_k_space`` (not reconstructed), ``spectra_dimension`` (editing, indirect and other dimensions),
    ``file_truncated``.
    """
    content = _content(path)
    try:
        header = _header(content)
        fields = _fields(content, header["size"], header["offset"], header["order"])
    except (struct.error, ValueError, KeyError, OverflowError) as error:
        raise InputError("spectra_unreadable", file=str(path), detail="not a NIfTI file") from error
    if header["type"] not in COMPLEX or fields is None:
        raise InputError("spectra_nifti_kind", file=str(path))
    k_space = fields.get("kSpace")
    if any(k_space) if isinstance(k_space, list) else k_space:
        raise InputError("spectra_k_space", file=str(path))
    if header["offset"] < header["size"]:
        raise InputError("spectra_unreadable", file=str(path), detail="its values begin inside its header")
    kind = np.dtype(header["order"] + COMPLEX[header["type"]])
    shape = tuple(max(1, length) for length in header["shape"])
    count = math.prod(shape)
    if len(content) < header["offset"] + count * kind.itemsize:
        raise InputError("file_truncated", file=str(path))
    values = np.frombuffer(content, kind, count, header["offset"]).reshape(shape, order="F")
    fid = np.moveaxis(values, 3, -1).astype(np.complex64)  # (i, j, k, dim 5, 6, 7, points)
    fid = fid.transpose(2, 1, 0, *range(3, fid.ndim))
    fid = _combined(fid, fields, header["dwell_time"], path)
    return Spectra(
        fid,
        header["dwell_time"],
        needed(path, fields, "SpectrometerFrequency"),
        _number(fields, "EchoTime"),
        str(_first(fields.get("ResonantNucleus", ["1H"]))),
        header["affine"],
        sequence=_sequence(fields),
        repetition_time=_number(fields, "RepetitionTime"),
        mixing_time=_number(fields, "MixingTime"),
        excited=_box(fields.get("VOI")),
    )


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, OSError, zlib.error) as error:
        raise InputError("spectra_unreadable", file=str(path), detail=type(error).__name__) from error


def _header(content: bytes) -> dict[str, Any]:
    """What is needed of a NIfTI-1 or NIfTI-2 header."""
    for order in "<>":
        size = struct.unpack_from(order + "i", content)[0]
        if size in (348, 540):
            break
    else:
        raise ValueError("no NIfTI header")
    if size == 540:
        places = {
            "dim": (16, "8q"),
            "type": (12, "h"),
            "pixdim": (104, "8d"),
            "offset": (168, "q"),
            "units": (500, "i"),
        }
        places |= {"codes": (344, "2i"), "quaternion": (352, "6d"), "rows": (400, "12d")}
    else:
        places = {"dim": (40, "8h"), "type": (70, "h"), "pixdim": (76, "8f"), "offset": (108, "f"), "units": (123, "B")}
        places |= {"codes": (252, "2h"), "quaternion": (256, "6f"), "rows": (280, "12f")}
    found = {name: struct.unpack_from(order + form, content, place) for name, (place, form) in places.items()}
    pixdim = found["pixdim"]
    scale = seconds(found["units"][0]) or 1.0  # files without a unit hold seconds
    return {
        "order": order,
        "size": size,
        "type": found["type"][0],
        "offset": int(found["offset"][0]),
        "shape": found["dim"][1:8],
        "dwell_time": float(pixdim[4]) * scale,
        "affine": nifti_affine(found["codes"], pixdim, found["quaternion"], found["rows"]),
    }


def _fields(content: bytes, place: int, end: int, order: str) -> dict[str, Any] | None:
    """The JSON header extension, or None."""
    if content[place : place + 1] == b"\x00":
        return None
    place += 4
    while place + 8 <= end:
        size, code = struct.unpack_from(order + "2i", content, place)
        if code == EXTENSION:
            found = json.loads(content[place + 8 : place + size].rstrip(b"\x00 \n").decode("utf-8"))
            return found if isinstance(found, dict) else None
        if size < 8:
            return None
        place += size
    return None


def _combined(fid: np.ndarray, fields: dict[str, Any], dwell_time: float, path: Path) -> np.ndarray:
    """(k, j, i, dim 5, 6, 7, points) into (k, j, i, points)."""
    usual = {5: "DIM_COIL", 6: "DIM_DYN", 7: "DIM_INDIRECT_0"}
    for dimension in (7, 6, 5):
        axis = dimension - 2
        if fid.ndim <= axis + 1:
            continue
        if fid.shape[axis] == 1:
            fid = fid.squeeze(axis)
            continue
        tag = fields.get(f"dim_{dimension}", usual[dimension])
        lined_up = np.moveaxis(fid, axis, -2)
        if tag == "DIM_COIL":
            fid = combine_coils(lined_up)[0]
        elif tag == "DIM_DYN":
            fid = combine_repetitions(lined_up, dwell_time)
        else:
            raise InputError("spectra_dimension", file=str(path), dimension=str(tag), length=fid.shape[axis])
    return fid.astype(np.complex64)


def _box(value: Any) -> np.ndarray | None:
    """The affine (4x4) of the box that was excited; None where the file states none."""
    try:
        box = np.array(value, float)
    except (TypeError, ValueError):
        return None
    return box if box.shape == (4, 4) and np.isfinite(box).all() and abs(np.linalg.det(box)) > 0 else None


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _number(fields: dict[str, Any], name: str) -> float | None:
    value = _first(fields.get(name))
    return float(value) if isinstance(value, (int, float)) else None


def _sequence(fields: dict[str, Any]) -> str:
    text = f"{fields.get('SequenceName', '')} {fields.get('ProtocolName', '')}".lower()
    return next((name for part, name in SEQUENCES.items() if part in text), "")
