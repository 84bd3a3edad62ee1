"""What the numbers of a scene are of, noted with them in a few bytes.

A scene may be saved between a stroke and its numbers (Slicer does not say that it saves), or edited where this module
is not at work. So the table has a fingerprint of every region that was measured, and a volume its grid and (of a map) a
checksum of its voxels; ``catching_up`` holds the scene against them when it is read.
"""

from __future__ import annotations

import json
import zlib

import numpy as np

from ..analysis import Analysis
from ..analysis.measuring import drawn
from ..analysis.overlaps import TISSUE, RegionOverlaps
from ..measures import Image
from .nodes import get_image, mark, marked
from .segments import fingerprint

SAME = 1e-4
"""mm, and parts of a direction, by which matrices may differ that are the same: saving costs their last digits."""


def note_measured(table: object, analysis: Analysis) -> None:
    """Notes with the numbers which voxels they are of; nothing where there are none."""
    if analysis.measurements:
        masks = {(region.visit, region.name): mask for region, mask in drawn(analysis) if mask.array.any()}
        masks |= {(visit, TISSUE): mask for visit, mask in analysis.references.items()}
        for key, mask in masks.items():
            if key not in analysis.overlaps:
                analysis.overlaps[key] = RegionOverlaps(mask)
        noted = [[*key, fingerprint(overlaps.mask)] for key, overlaps in analysis.overlaps.items() if key in masks]
        mark(table, measured=json.dumps(noted))


def noted_regions(table: object, titles: dict[tuple[str, str], str]) -> dict[tuple[str, str], str] | None:
    """(visit, region name or ``TISSUE``) to the fingerprint of what was measured; None of a scene without notes.
    titles: (visit, name) to the new name of those that were renamed."""
    noted = json.loads(marked(table, "measured") or "null")
    return None if noted is None else {(one, titles.get((one, name), name)): text for one, name, text in noted}


def note_volume(node: object, voxels: bool = False) -> None:
    """Notes the grid that a volume node has; voxels: and what stands on it."""
    image = get_image(node)
    mark(node, grid=json.dumps([image.shape, image.affine.tolist()]), voxels=_checksum(image) if voxels else "")


def as_noted(node: object, image: Image) -> Image | None:
    """The image of a volume node on the grid that was noted, for one that was moved in the scene is the same; None
    where its voxels are others."""
    shape, affine = json.loads(marked(node, "grid") or "[null, null]")
    if shape is None:
        return image
    if list(image.shape) != shape or marked(node, "voxels") not in ("", _checksum(image)):
        return None
    return image if same(image.affine, affine) else Image(image.array, np.array(affine))


def same(first: object, second: object) -> bool:
    """Whether matrices agree within ``SAME``."""
    return np.allclose(first, second, rtol=0, atol=SAME)


def _checksum(image: Image) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(image.array).data):08x}"
