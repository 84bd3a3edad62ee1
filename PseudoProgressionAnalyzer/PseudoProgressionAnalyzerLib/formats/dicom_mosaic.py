"""Siemens mosaics: the slices of one volume as tiles of one image, and where each of them lies.

Sources: the layout of Siemens' CSA headers (SV10) as documented by nibabel (nipy.org/nibabel/dicom/siemens_csa.html)
and of mosaics (nipy.org/nibabel/dicom/dicom_mosaic.html).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ..measures import InputError

COUNT = ("SIEMENS MR HEADER", 0x0A)
HEADER = ("SIEMENS CSA HEADER", 0x10)


@dataclass(frozen=True)
class Mosaic:
    """count: slices; side: tiles along each edge; normal: unit vector (LPS) from slice to slice."""

    count: int
    side: int
    normal: tuple[float, float, float]

    def tiles(self, image: np.ndarray) -> np.ndarray:
        """The slices ``(k, j, i)`` of a mosaic ``(rows, columns)``."""
        rows, columns = image.shape[0] // self.side, image.shape[1] // self.side
        tiles = image.reshape(self.side, rows, self.side, columns).swapaxes(1, 2)
        return tiles.reshape(-1, rows, columns)[: self.count]

    def first_position(
        self,
        position: np.ndarray,
        orientation: np.ndarray,
        spacing: np.ndarray,
        rows: int,
        columns: int,
    ) -> np.ndarray:
        """Where the first slice begins (mm, LPS).

        The header's position is that of an image as large as the whole mosaic around the same centre. rows, columns: of
        the mosaic; spacing: mm between rows, between columns.
        """
        missing = np.array([columns - columns // self.side, rows - rows // self.side]) / 2.0
        return position + orientation[:3] * spacing[1] * missing[0] + orientation[3:] * spacing[0] * missing[1]


def mosaic_of(dataset: Dataset, path: Path) -> Mosaic | None:
    """How a Siemens mosaic is laid out, or None for any other image. Raises InputError ``dicom_mosaic``."""
    kind = dataset.get("ImageType") or ()
    if "MOSAIC" not in [str(word) for word in kind]:
        return None
    try:
        fields = csa_fields(bytes(dataset.get_private_item(0x0029, HEADER[1], HEADER[0]).value))
    except (KeyError, ValueError, struct.error):
        fields = {}
    try:
        count = int(dataset.get_private_item(0x0019, COUNT[1], COUNT[0]).value)
    except (KeyError, TypeError, ValueError):
        count = int(float((fields.get("NumberOfImagesInMosaic") or ["0"])[0]))
    try:
        normal = tuple(float(value) for value in fields.get("SliceNormalVector", [])[:3])
    except ValueError:
        normal = ()
    side = math.isqrt(max(count - 1, 0)) + 1
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if (
        count < 1
        or len(normal) != 3
        or rows % side
        or columns % side
        or not math.isclose(math.hypot(*normal), 1.0, abs_tol=1e-2)
    ):
        raise InputError("dicom_mosaic", file=str(path))
    return Mosaic(count, side, normal)


def csa_fields(block: bytes) -> dict[str, list[str]]:
    """The text values of a Siemens CSA header (SV10) by name. Raises ValueError or struct.error when it is none."""
    if block[:4] != b"SV10":
        raise ValueError("no SV10 header")
    (count,) = struct.unpack_from("<I", block, 8)
    if count > 1000:
        raise ValueError("too many fields")
    fields: dict[str, list[str]] = {}
    place = 16
    for _ in range(count):
        name = block[place : place + 64].split(b"\0")[0].decode("latin-1")
        (items,) = struct.unpack_from("<I", block, place + 76)
        place += 84
        values = []
        for _ in range(min(items, 1000)):
            (length,) = struct.unpack_from("<I", block, place)
            text = block[place + 16 : place + 16 + length].split(b"\0")[0].decode("latin-1").strip()
            if text:
                values.append(text)
            place += 16 + (length + 3) // 4 * 4
        fields[name] = values
    return fields
