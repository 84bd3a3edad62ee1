"""Regions as segments, and back.

A segment's voxels are those of its labelmap that hold its label value: several segments share one labelmap once it is
collapsed, which Slicer does on its own. The labelmap is cropped to what is drawn and has the geometry of the visit's
T1CE; only this cropped block is ever touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from urllib.parse import quote, unquote

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import reference
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..imaging.resampling import held_block, resample
from ..measures import Image, Region
from .display import COLOURS
from .nodes import PREFIX, array_of, from_vtk, image_data, marked, to_vtk, to_world
from .terminology import terminology_entry

BETWEEN_TIES = 0.0013
"""mm, so that no usual spacing puts a voxel on the edge of rounding: a place loses its last digits when it is saved."""
_REGION_TAG = PREFIX + "region"
_USE_TAG = PREFIX + "use"


def put_segment(node: object, name: str, purpose: str, mask: Image) -> str:
    """Writes a region (bool ``(k, j, i)`` on the grid of the segmentation) as segment; returns the segment's id.

    A segment that holds this region already is changed only where it differs, so that nothing is redrawn for nothing.
    """
    segmentation = node.GetSegmentation()
    segment_id = segment_of(node, name)
    if segment_id is None:
        segment_id = segmentation.AddEmptySegment(quote(name), name, COLOURS[purpose])
        segment = segmentation.GetSegment(segment_id)
        dress_segment(segment, purpose)
        name_segment(segment, name)
    elif np.array_equal(on_grid(segment_mask(node, segment_id), mask).array, mask.array):
        return segment_id
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(_labelmap(mask), node, segment_id, logic.MODE_REPLACE)
    return segment_id


def dress_segment(segment: object, purpose: str) -> None:
    """Colour and terminology of a segment for what its region is for."""
    segment.SetColor(COLOURS[purpose])
    segment.SetTerminology(terminology_entry(purpose))


def name_segment(segment: object, region: str) -> None:
    """Notes which region a segment holds, whatever it is called on the screen later."""
    segment.SetTag(_REGION_TAG, quote(region))


def segment_of(node: object, name: str) -> str | None:
    """The id of the segment that holds a region; None when there is none."""
    return next((segment for segment, region in regions_of(node).items() if region == name), None)


def regions_of(node: object) -> dict[str, str]:
    """Segment ids with the name of the region that each was written for; the present name of a segment drawn since."""
    segmentation = node.GetSegmentation()
    regions = {}
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        regions[segment_id] = noted_region(segment) or segment.GetName()
    return regions


def noted_region(segment: object) -> str:
    """The region that a segment was noted to hold; empty of one that nobody noted yet."""
    return unquote(_tag(segment, _REGION_TAG))


def note_use(segment: object, region: Region) -> None:
    """Notes what a region is for and whether it is carried, so that a removal that is undone brings both back."""
    use = f"{region.purpose} carried" if region.carried else region.purpose
    if _tag(segment, _USE_TAG) != use:
        segment.SetTag(_USE_TAG, use)


def noted_use(segment: object, otherwise: str) -> tuple[str, bool]:
    """What a segment's region is for, and whether it is carried; otherwise: the purpose of one that notes none."""
    purpose, _, carried = (_tag(segment, _USE_TAG) or otherwise).partition(" ")
    return purpose, bool(carried)


def _tag(segment: object, name: str) -> str:
    tag = reference("")
    segment.GetTag(name, tag)
    return tag.get()


def segment_mask(node: object, segment_id: str) -> Image:
    """A segment as bool Image, cropped to its voxels, in the RAS of its visit; without any True when it is empty."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    labelmap = segment.GetRepresentation("Binary labelmap")
    if labelmap is None or labelmap.GetNumberOfPoints() == 0:
        return Image(np.zeros((1, 1, 1), dtype=bool), np.eye(4))
    drawn = array_of(labelmap) == segment.GetLabelValue()
    first = np.array(labelmap.GetExtent()[::2])
    matrix = vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    affine = _to_visit(node) @ from_vtk(matrix)
    block = held_block(drawn)
    if block is None:
        return Image(np.zeros((1, 1, 1), dtype=bool), affine)
    affine[:3, 3] += affine[:3, :3] @ (first + [part.start for part in block[::-1]])
    return Image(drawn[block], affine)


def _to_visit(node: object) -> np.ndarray:
    """4x4 from the frame of a segmentation to the RAS of its visit: the identity, unless segmentation or T1CE were
    moved in the scene (put under another transform, or one was hardened)."""
    anatomy = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
    if anatomy is None or not marked(anatomy, "grid"):
        return np.eye(4)
    now, before = vtkMatrix4x4(), np.array(json.loads(marked(anatomy, "grid"))[1])
    anatomy.GetIJKToRASMatrix(now)
    to_visit = before @ np.linalg.inv(to_world(anatomy) @ from_vtk(now)) @ to_world(node)
    return np.eye(4) if np.allclose(to_visit, np.eye(4), atol=1e-4) else to_visit


def fingerprint(mask: Image) -> str:
    """A short text that tells a cropped mask from an edited one."""
    place = np.round(mask.affine[:3, 3] + BETWEEN_TIES, 2).tobytes()
    return hashlib.sha256(place + str(mask.shape).encode() + np.packbits(mask.array).tobytes()).hexdigest()


def on_grid(mask: Image, grid: Image) -> Image:
    """A cropped mask on a whole grid: pasted where their voxels agree, else by the nearest voxel."""
    whole = np.zeros(grid.shape, dtype=bool)
    if not mask.array.any():
        return Image(whole, grid.affine)
    to_grid = np.linalg.inv(grid.affine) @ mask.affine
    first = np.rint(to_grid[:3, 3]).astype(int)[::-1]
    last = first + mask.shape
    aligned = np.allclose(to_grid[:3, :3], np.eye(3), atol=1e-4) and np.allclose(to_grid[:3, 3], first[::-1], atol=1e-2)
    if not aligned or np.any(first < 0) or np.any(last > grid.shape):
        return resample(mask, grid, np.eye(4), interpolation="nearest")
    whole[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = mask.array
    return Image(whole, grid.affine)


def _labelmap(mask: Image) -> object:
    """The mask's bounding box as vtkOrientedImageData."""
    held = held_block(mask.array) or (slice(0, 1),) * 3
    return oriented(mask.array[held], [part.start for part in held[::-1]], mask.affine)


def oriented(block: np.ndarray, first: Sequence[int], grid: np.ndarray) -> object:
    """A block ``(k, j, i)`` of a grid as vtkOrientedImageData; first: the index ``(i, j, k)`` of its first voxel; grid:
    4x4, voxel indices to RAS mm."""
    labelmap = slicer.vtkOrientedImageData()
    labelmap.ShallowCopy(image_data(block))
    sizes = zip(first, block.shape[::-1], strict=True)
    labelmap.SetExtent(*(int(bound) for start, size in sizes for bound in (start, start + size - 1)))
    labelmap.SetImageToWorldMatrix(to_vtk(grid))
    return labelmap
