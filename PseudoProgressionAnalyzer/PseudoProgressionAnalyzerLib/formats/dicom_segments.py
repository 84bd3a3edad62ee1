"""Segments of DICOM SEG files as masks on the grid of the image that they were drawn on (PS3.3 C.8.20).

A frame holds one slice of one segment, or of a label map, whose values are the numbers of the segments.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..measures import Image, InputError
from .dicom_files import Frame, read_dataset, read_dicom_file
from .dicom_pixels import stored_frames
from .dicom_series import check_frame
from .images import ras_from_lps

SEGMENTATIONS = ("Segmentation Storage", "Label Map Segmentation Storage", "1.2.840.10008.5.1.4.1.1.66.7")
"""Names of the kinds of files; the last is that of label maps where pydicom does not know its name."""
# Where a segment's voxel lies off the image's voxel by more than this part of a voxel, it was drawn on another grid.
OFF_GRID = 0.1


def read_segment(path: Path, number: int, grid: Image) -> np.ndarray:
    """One segment as bool ``(k, j, i)`` on the grid; where it is a probability, from one half on.

    Raises InputError: as ``read_dicom_file`` and ``stored_frames``, ``dicom_geometry``, ``segment_missing``,
    ``mask_on_other_grid``.
    """
    header = read_dicom_file(path)
    label_map = header.sop_class in SEGMENTATIONS[1:]
    frames = [frame for frame in header.frames if label_map or frame.segment == number]
    if number not in dict(header.segments):
        raise InputError("segment_missing", file=str(path), label=number)
    stored = stored_frames(path) if frames else np.empty(0)
    most = int(read_dataset(path, pixels=False).get("MaximumFractionalValue") or 1)
    mask = np.zeros(grid.shape, bool)
    for frame in frames:
        values = stored[frame.number]
        drawn = np.argwhere(values == number if label_map else values >= max(1, most / 2))
        if not len(drawn):
            continue
        place = _place(frame, grid, path)
        j, i = drawn.T
        index = place @ np.stack([i, j, np.zeros(len(i)), np.ones(len(i))])
        voxels = np.round(index[:3]).astype(int)
        inside = (voxels >= 0).all(axis=0) & (voxels < np.array(grid.shape)[::-1, None]).all(axis=0)
        if np.abs(index[:3] - voxels).max() > OFF_GRID or not inside.all():
            raise InputError("mask_on_other_grid", file=str(path), image="T1CE")
        mask[voxels[2], voxels[1], voxels[0]] = True
    return mask


def fits(path: Path, grid: Image) -> bool:
    """Whether the frames of a segmentation lie on the slices and in-plane voxels of a grid."""
    for frame in read_dicom_file(path).frames:
        place = _place(frame, grid, path)
        for corner in ((0, 0), (frame.columns - 1, 0), (0, frame.rows - 1)):
            index = (place @ np.array([*corner, 0, 1.0]))[:3]
            outside = (np.round(index) < 0).any() or (np.round(index) >= np.array(grid.shape)[::-1]).any()
            if np.abs(index - np.round(index)).max() > OFF_GRID or outside:
                return False
    return True


def _place(frame: Frame, grid: Image, path: Path) -> np.ndarray:
    """4x4 from the frame's (i, j, 0, 1) to the grid's voxel indices."""
    check_frame(frame, {"file": str(path), "series": path.name})
    affine = np.eye(4)
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    affine[:3, 0], affine[:3, 1] = row * frame.spacing[1], column * frame.spacing[0]
    affine[:3, 2] = np.cross(row, column)
    affine[:3, 3] = frame.position
    return np.linalg.inv(grid.affine) @ ras_from_lps(affine)
