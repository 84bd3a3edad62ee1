"""Philips SPAR/SDAT pairs: a text header and values in the floating-point form of the VAX.

How a transverse grid of one slice lies is taken as two public readers take it alike, spant (read_spar_sdat) and
Oryx-MRSI (loadfile): columns run to the left, rows to the back, both of phase_encoding_fov over the number of columns,
around the centre of the volume, turned with it. What they do not agree on, or only one of them reads, is refused.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..measures import InputError, Message, Spectra
from .spectra_combine import combine_repetitions
from .spectra_fields import needed
from .spectra_geometry import from_angles

ENDINGS = (".sdat", ".spar")
AXES = ("lr", "ap", "cc")
DIMENSIONS = (("SUN_dim2_pnts", "dim2_pnts"), ("SUN_dim3_pnts", "dim3_pnts"))  # columns, rows: old and new spelling
SLICES = ("nr_of_slices_for_multislice", "SUN_dim4_pnts", "dim4_pnts")
UNSET = 1e6  # mm: beyond it an offset was never filled in


def read(path: Path) -> Spectra:
    """The spectra of a SPAR/SDAT pair (either file is named); repetitions of one voxel are averaged after alignment.

    Raises InputError ``file_missing`` (the other file of the pair), ``spectra_fields``, ``spectra_field``,
    ``spectra_philips_grid``,
    ``file_truncated``.
    """
    text, values = _pair(path)
    fields = {}
    for line in text.read_text(encoding="latin-1").splitlines():
        name, separator, value = line.partition(":")
        if separator and not line.startswith("!"):
            fields[name.strip()] = value.strip().strip('"').strip()
    points, rows = needed(text, fields, "samples", int), needed(text, fields, "rows", int)
    numbers = {
        name: needed(text, fields, name)
        for name in ("sample_frequency", "synthesizer_frequency", "echo_time", "repetition_time")
    }
    if not numbers["sample_frequency"] > 0:
        raise InputError("spectra_field", file=str(text), field="sample_frequency", value=fields["sample_frequency"])
    offset, size, degrees = (
        np.array([needed(text, fields, f"{axis}_{kind}") for axis in AXES])
        for kind in ("off_center", "size", "angulation")
    )
    columns, lines = (_count(text, fields, names) for names in DIMENSIONS)
    grid = columns > 1 and lines > 1
    if not grid and max(columns, lines) > 1 and _encoded(fields):
        raise InputError(
            "spectra_philips_grid", file=str(text)
        )  # a line of voxels; else dimension 2 counts repetitions
    affine = _grid(fields, text, offset, degrees, (columns, lines)) if grid else from_angles(offset, size, degrees)
    content = values.read_bytes()
    if points < 1 or rows < 1 or len(content) < 8 * points * rows:
        raise InputError("file_truncated", file=str(values))
    pairs = from_vax(np.frombuffer(content, "<u2", 4 * points * rows)).reshape(rows, points, 2)
    fid = (pairs @ np.array([1, -1j])).astype(np.complex64)  # conjugate: NIfTI-MRS counts frequencies the other way
    dwell_time = 1 / numbers["sample_frequency"]
    name = f"{fields.get('scan_id', '')} {fields.get('examination_name', '')}".lower()
    if grid:
        fid = fid.reshape(1, lines, columns, points)
    else:
        fid = (combine_repetitions(fid, dwell_time) if rows > 1 else fid[0])[None, None, None]
    return Spectra(
        fid.astype(np.complex64),
        dwell_time,
        numbers["synthesizer_frequency"] * 1e-6,
        numbers["echo_time"] * 1e-3,
        fields.get("nucleus", "1H"),
        affine,
        flags=(Message("spectra_philips_place", {"file": str(text)}),) if grid else (),
        sequence=next((known for known in ("PRESS", "STEAM", "sLASER") if known.lower() in name), ""),
        repetition_time=numbers["repetition_time"] * 1e-3,
    )


def _count(text: Path, fields: dict[str, str], names: tuple[str, ...]) -> int:
    """Length of a dimension, 1 where none of the names is there."""
    return max([1, *(int(needed(text, fields, name)) for name in names if fields.get(name))])


def _encoded(fields: dict[str, str]) -> bool:
    """Whether voxels are told apart by phase encoding; single voxels say so too in old files, with a field of zero."""
    field = fields.get("phase_encoding_fov", "").replace(".", "").strip("0")
    return fields.get("phase_encoding_enable", "").lower() == "yes" and bool(field)


def _grid(
    fields: dict[str, str], text: Path, offset: np.ndarray, degrees: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Affine (4x4, RAS) of a grid of ``(columns, rows)``. offset, degrees: of the volume, as ``from_angles``.

    Raises InputError ``spectra_philips_grid`` where the header does not say how it lies, or says it twice
    and differently.
    """
    try:
        field, thickness = float(fields["phase_encoding_fov"]), float(fields["slice_thickness"])
        other = np.array([float(fields.get(f"si_{axis}_off_center", "inf")) for axis in AXES])
        slices = _count(text, fields, SLICES)
    except (KeyError, ValueError, InputError) as error:
        raise InputError("spectra_philips_grid", file=str(text)) from error
    edge = field / shape[0]
    stated = bool((np.abs(other) < UNSET).all() and other.any())
    known = (
        fields.get("phase_encoding_direction", "").lower().startswith("tra")
        and slices == 1
        and int(fields["rows"]) == shape[0] * shape[1]
        and field > 0 < thickness
        and not (stated and np.abs(other - offset).max() > edge / 2)
    )
    if not known:
        raise InputError("spectra_philips_grid", file=str(text))
    voxel = from_angles(offset, np.array([edge, edge, thickness]), degrees)
    voxel[:3, 3] -= voxel[:3, :2] @ (np.array(shape) - 1) / 2
    return voxel


def water_reference(path: Path) -> Path | None:
    """The water reference that the scanner exports beside a spectrum (``_act`` and ``_ref``), or None.

    In the same folder, or in one beside it whose name has ``-ref`` or ``_ref`` more, as Osprey's examples are laid out.
    """
    folders = [path.parent, *(path.parent.with_name(path.parent.name + more) for more in ("-ref", "_ref"))]
    for ours, theirs in (("act", "ref"), ("ACT", "REF"), ("_WS", "_ref")):
        head, found, tail = path.stem.rpartition(ours)
        for folder in folders if found else ():
            candidate = folder / (head + theirs + tail + path.suffix)
            if candidate.is_file():
                return candidate
    return None


def _pair(path: Path) -> tuple[Path, Path]:
    """Header and values of the pair that a path belongs to."""
    found = {}
    for ending in ENDINGS:
        for candidate in (path.with_suffix(ending), path.with_suffix(ending.upper())):
            if candidate.is_file():
                found[ending] = candidate
        if ending not in found:
            raise InputError("file_missing", file=str(path.with_suffix(ending.upper())))
    return found[".spar"], found[".sdat"]


def from_vax(words: np.ndarray) -> np.ndarray:
    """VAX F_floating (two little-endian 16-bit words each, ``(2 n,)``) as float64 ``(n,)``.

    Sign 1 bit, exponent 8 bits in excess 128, fraction 23 bits with a hidden leading one, value = fraction (0.5 to 1)
    times 2^(exponent - 128) (VAX Architecture Reference Manual).
    """
    words = words.reshape(-1, 2).astype(np.uint32)
    bits = words[:, 0] << 16 | words[:, 1]
    exponent = (bits >> 23 & 0xFF).astype(int)
    fraction = (bits & 0x7FFFFF).astype(float) / 2**24 + 0.5
    value = np.ldexp(fraction, exponent - 128)
    return np.where(exponent == 0, 0.0, np.where(bits >> 31 == 1, -value, value))
