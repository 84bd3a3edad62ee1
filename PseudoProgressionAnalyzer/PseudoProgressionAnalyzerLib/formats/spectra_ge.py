"""GE P-files of single-voxel spectroscopy (PROBE): every frame of every coil, water references first.

Offsets of the fields in the header: GE raw header of revision 9, checked on two files with their SAGE descriptions;
later revisions keep the first part and state where the data begin. Where the size of a grid stands is taken from a
public reader (spant, read_pfile); how a grid is ordered and lies in the head is documented nowhere that we could check,
so grids are refused.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ..measures import InputError, Message, Spectra
from .spectra_combine import combine_coils, combine_repetitions

HEADER_OF_REVISION_9 = 61464
FIRST, LAST = 9, 30  # revisions


def read(path: Path) -> Spectra:
    """The spectrum of a P-file with its water reference; coils and frames are combined.

    Raises InputError ``spectra_ge_revision`` (a header of another layout), ``spectra_ge_grid``, ``file_truncated``.
    """
    content = path.read_bytes()
    for order in "<>":
        revision = struct.unpack_from(order + "f", content)[0] if len(content) > 1500 else 0
        if FIRST <= revision < LAST:
            break
    else:
        raise InputError("spectra_ge_revision", file=str(path), revision="?")

    def field(place: int, form: str) -> tuple:
        return struct.unpack_from(order + form, content, place)

    start = HEADER_OF_REVISION_9 if revision < FIRST + 1 else field(1468, "i")[0]
    frames, (points, size) = field(74, "h")[0], field(80, "2h")
    first_coil, last_coil = field(200, "2h")
    coils = last_coil - first_coil + 1
    references, width, frequency = round(field(292, "f")[0]), field(368, "f")[0], field(424, "I")[0] * 1e-7
    if not (
        size in (2, 4) and 0 <= references < frames and 500 <= width <= 20000 and 20 < frequency < 500 and coils > 0
    ):
        raise InputError("spectra_ge_revision", file=str(path), revision=f"{revision:g}")
    if max(field(374, "3h")) > 1:
        raise InputError("spectra_ge_grid", file=str(path))
    if not 0 < start < len(content) or points < 1:
        raise InputError("file_truncated", file=str(path))
    count = coils * (frames + 1) * points  # a baseline precedes the frames of each coil
    if len(content) - start < 2 * count * size:
        raise InputError("file_truncated", file=str(path))
    values = np.frombuffer(content, f"{order}i{size}", 2 * count, start)
    fid = values.astype(np.float64).reshape(coils, frames + 1, points, 2) @ [1, 1j]
    fid = fid[:, 1:]
    water = combine_repetitions(fid[:, :references], 1 / width) if references else None
    suppressed = combine_repetitions(fid[:, references:], 1 / width)
    if coils > 1:
        suppressed, water = combine_coils(suppressed, water)
    else:
        suppressed, water = suppressed[0], None if water is None else water[0]
    lengths, centre = field(380, "3f"), field(392, "3f")
    affine = np.diag([*lengths, 1.0])
    affine[:3, 3] = centre
    return Spectra(
        suppressed[None, None, None].astype(np.complex64),
        1 / width,
        frequency,
        field(1212, "i")[0] * 1e-6,
        "1H",
        affine,
        water=None if water is None else water[None, None, None].astype(np.complex64),
        sequence="PRESS",
        flags=(Message("spectra_ge_place", {"file": str(path)}),),
    )
