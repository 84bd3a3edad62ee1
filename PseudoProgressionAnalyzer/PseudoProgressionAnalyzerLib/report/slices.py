"""Slices through aligned visits as pictures: windowed grey values, maps laid over them, outlines of regions.

A plane is an ``Image`` of one slice ``(1, rows, columns)`` in the space of the reference visit; its rows run down the
picture and its columns to the right. Every image is brought into it once, straight from its own grid. Axial and
coronal pictures follow the radiological convention: the patient's right is on the left of the picture.
"""

from __future__ import annotations

import itertools

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges2D, vtkStripper

from ..imaging.resampling import resample, voxel_centres
from ..measures import Image, Map
from . import canvas, colours

RIGHT, ANTERIOR, SUPERIOR = np.eye(3)
ORIENTATIONS = {
    "axial": (-RIGHT, -ANTERIOR),
    "coronal": (-RIGHT, -SUPERIOR),
    "sagittal": (-ANTERIOR, -SUPERIOR),
}
"""Where the right and the lower edge of a picture lie in the patient."""

MAP_OPACITY = 0.75
HALO = (0.0, 0.0, 0.0)


def frame(affine: np.ndarray, orientation: str = "axial") -> np.ndarray:
    """Unit vectors ``(across, down, through)`` as rows, in RAS: the image's own axes nearest to the orientation's.

    affine: 4x4 voxel index to RAS. A tilted acquisition keeps its tilt, so that its own slices are shown as they are.
    """
    # The rotation nearest to the voxel axes: polar decomposition (drops spacing and shear).
    left, _, right = np.linalg.svd(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    axes = (left @ right).T
    right_edge, lower_edge = ORIENTATIONS[orientation]
    across = int(np.argmax(np.abs(axes @ right_edge)))
    down = max((axis for axis in range(3) if axis != across), key=lambda axis: abs(axes[axis] @ lower_edge))
    to_right = axes[across] * np.sign(axes[across] @ right_edge)
    downwards = axes[down] * (-1.0 if axes[down] @ lower_edge < 0 else 1.0)
    return np.stack([to_right, downwards, np.cross(to_right, downwards)])


def slice_offsets(image: Image, through: np.ndarray) -> np.ndarray:
    """Where the image's own slices lie along a direction, in mm from the RAS origin, rising."""
    steps = through @ image.affine[:3, :3]
    axis = int(np.argmax(np.abs(steps) / image.spacing))
    middle = (np.array(image.shape[::-1]) - 1) / 2
    middle[axis] = 0
    first = through @ (image.affine[:3, :3] @ middle + image.affine[:3, 3])
    return np.sort(first + steps[axis] * np.arange(image.shape[2 - axis]))


def bounds(mask: Image, axes: np.ndarray, margin: float) -> np.ndarray:
    """``((low, high) across, (low, high) down)`` of a region in mm along the axes of ``frame``, widened by a margin."""
    held = mask.array.astype(bool)
    ends = held.copy()  # of the runs of voxels along a row, where what is linear has its extremes: a brain has millions
    ends[..., 1:-1] &= ~(held[..., :-2] & held[..., 2:])
    along = voxel_centres(ends, mask.affine) @ axes[:2].T
    return np.stack([along.min(axis=0) - margin, along.max(axis=0) + margin], axis=1)


def planes(axes: np.ndarray, box: np.ndarray, offsets: np.ndarray, spacing: float) -> Image:
    """Parallel planes of square pixels as one empty image ``(planes, rows, columns)``.

    axes: from ``frame``; box: from ``bounds``; offsets: mm along the third axis, evenly spaced; spacing: mm per pixel.
    """
    columns, rows = np.maximum(np.round((box[:, 1] - box[:, 0]) / spacing).astype(int), 1)
    step = offsets[1] - offsets[0] if len(offsets) > 1 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = axes.T * [spacing, spacing, step]
    affine[:3, 3] = axes.T @ [box[0, 0] + spacing / 2, box[1, 0] + spacing / 2, offsets[0]]
    return Image(np.zeros((len(offsets), rows, columns), dtype=np.uint8), affine)


def cut(image: Image, plane: Image, to_reference: np.ndarray, interpolation: str = "linear") -> np.ndarray:
    """The image in a plane, ``(rows, columns)``; 0 where it has no value. Masks come as coverage from 0 to 1.

    to_reference: 4x4, RAS of the image to RAS of the reference visit.
    """
    return move(image, plane, to_reference, interpolation)[0]


def move(image: Image, stack: Image, to_reference: np.ndarray, interpolation: str = "linear") -> np.ndarray:
    """As ``cut`` in a stack of planes: ``(planes, rows, columns)``."""
    values = np.nan_to_num(image.array.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return resample(Image(values, image.affine), stack, to_reference, interpolation=interpolation).array


def cut_map(
    map_: Map, plane: Image, to_reference: np.ndarray, interpolation: str = "linear"
) -> tuple[np.ndarray, np.ndarray]:
    """A map in a plane and where it can be trusted, both ``(rows, columns)``.

    Untrusted voxels never mix into their neighbours: the trusted share of each pixel is averaged alone, and a pixel
    counts as trusted where that share is more than half.
    """
    trusted = np.isfinite(map_.array)
    if map_.quality is not None:
        trusted &= map_.quality
    share = cut(Image(trusted, map_.affine), plane, to_reference, interpolation)
    values = cut(Image(np.where(trusted, map_.array, 0), map_.affine), plane, to_reference, interpolation)
    shown = share > 0.5
    return np.divide(values, share, out=np.zeros_like(values), where=shown), shown


def common_window(
    pictures: list[np.ndarray], tissue: list[np.ndarray], excluded: np.ndarray
) -> tuple[list[float], float, float]:
    """Grey level of each picture and the window ``(low, high)`` that all share, in multiples of that level.

    The level is the median of the tissue (bool, one per picture) outside of ``excluded`` (the lesions): it takes out
    the arbitrary scale of MR intensities. The window reaches from the lowest 1st to the highest 99.5th percentile of
    any picture's tissue, so that neither outliers nor one visit alone decide on the contrast.
    """
    levels, lows, highs = [], [], []
    for picture, inside in zip(pictures, tissue, strict=True):
        normal = picture[inside & ~excluded]
        level = float(np.median(normal)) if normal.size else 0.0
        levels.append(level if level > 0 else 1.0)
        lows.append(np.percentile(picture[inside], 1) / levels[-1] if inside.any() else 0.0)
        highs.append(np.percentile(picture[inside], 99.5) / levels[-1] if inside.any() else 1.0)
    low = float(min(lows))
    return levels, low, max(float(max(highs)), low + 1e-6)


def grey(picture: np.ndarray, level: float, low: float, high: float) -> np.ndarray:
    """A picture ``(rows, columns)`` as grey RGB ``(rows, columns, 3)`` through a window from ``common_window``."""
    return np.repeat(np.clip((picture / level - low) / (high - low), 0, 1)[..., np.newaxis], 3, axis=-1)


def lay_over(pixels: np.ndarray, values: np.ndarray, shown: np.ndarray, top: float) -> None:
    """Lays a map over a grey picture ``(rows, columns, 3)`` in place, where shown; the colours run from 0 to top."""
    alpha = np.where(shown, MAP_OPACITY, 0.0)[..., np.newaxis]
    pixels += alpha * (colours.heat(values / top) - pixels)


def outlines(coverage: np.ndarray) -> list[np.ndarray]:
    """Lines ``(n, 2)`` of ``(row, column)`` around a region: where its coverage ``(rows, columns)`` is one half."""
    padded = np.pad(coverage.astype(np.float32), 1)
    image = vtkImageData()
    image.SetDimensions(padded.shape[1], padded.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(), deep=True))
    edges, strips = vtkFlyingEdges2D(), vtkStripper()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    strips.SetInputConnection(edges.GetOutputPort())
    strips.JoinContiguousSegmentsOn()
    strips.SetMaximumLength(padded.size)
    strips.Update()
    found = strips.GetOutput()
    if found.GetNumberOfLines() == 0:
        return []
    points = vtk_to_numpy(found.GetPoints().GetData())[:, 1::-1] - 1.0
    ends = vtk_to_numpy(found.GetLines().GetOffsetsArray())
    order = vtk_to_numpy(found.GetLines().GetConnectivityArray())
    return [points[order[start:end]] for start, end in itertools.pairwise(ends)]


def draw_outline(
    pixels: np.ndarray,
    coverage: np.ndarray,
    colour: canvas.Colour,
    width: float,
    dash: tuple[float, float] | None = None,
) -> None:
    """Draws the outline of a region into a picture, with a dark rim so that it shows on bright and dark ground."""
    lines = outlines(coverage)
    if lines:
        canvas.stroke(pixels, lines, width + 1.4, HALO, dash)
        canvas.stroke(pixels, lines, width, colour, dash)
