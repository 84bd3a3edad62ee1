"""How images, maps and regions look in every view: windows, colours and thresholds, the same in all columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import slicer

from ..imaging.resampling import overlap_weights
from ..lesion.statistics import region_statistics
from ..measures import Image, Map
from .colours import class_colours, heat_colours, signed_colours
from .nodes import Kind, linked, mark, marked

LESION_COLOUR = (0.20, 0.95, 1.00)
REFERENCE_COLOUR = (0.62, 1.00, 0.45)
FREE_COLOUR = (1.00, 1.00, 1.00)
COLOURS = {
    "lesion": LESION_COLOUR, "non_enhancing": (0.45, 0.65, 1.00), "necrosis": (0.60, 0.60, 0.60),
    "oedema": (0.95, 0.85, 0.45), "cavity": (0.35, 0.45, 0.55), "ventricles": (0.30, 0.55, 0.75),
    "high_dose": (0.90, 0.55, 0.25), "reference": REFERENCE_COLOUR, "free": FREE_COLOUR, "proposal": (1.00, 0.70, 0.10),
}  # fmt: skip

OVERLAY_OPACITY = 0.6
EVERYTHING = float(np.finfo(np.float32).max)
"""As bound of a threshold: every number lies within, NaN does not."""

GREY = "vtkMRMLColorTableNodeGrey"
SIGNED, CLASSES = ("K2",), ("rCBV_response",)
"""Maps whose values lie on both sides of zero, and of classes: 0 is hidden, 1 is less, 2 is more."""
_HIGHEST_CHANGE = 99.0  # percentile of the absolute change at which the scale ends

# Display only: no measurement depends on these percentiles.
_DARKEST, _BRIGHTEST = 1.0, 99.5
_HIGHEST = 99.0
_UNREMARKABLE = 75.0


@dataclass(frozen=True)
class Scale:
    """The colour scale of a map, one for all visits: values from ``low`` up are shown, colours end at ``high``."""

    low: float
    high: float


METABOLITES = ("Cho_", "NAA_")

_SAMPLES = 64  # voxels along each axis that percentiles are taken from: more tell nothing more and take long


def show_anatomy(node: object, window: tuple[float, float]) -> None:
    """Grey values from black to white between two values."""
    display = _display_of(node)
    display.SetAndObserveColorNodeID(GREY)
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*window)


def _display_of(node: object) -> object:
    """The display node of a volume; a new one never looks through all voxels for a window of its own."""
    if node.GetDisplayNode() is None:
        display = slicer.vtkMRMLScalarVolumeDisplayNode()
        display.SetAutoWindowLevel(False)
        display.SetAutoThreshold(False)
        node.SetAndObserveDisplayNodeID(node.GetScene().AddNode(display).GetID())
    return node.GetDisplayNode()


def grey_windows(images: dict[str, tuple[Image, np.ndarray | None]]) -> dict[str, tuple[float, float]]:
    """Black and white level of one role's image in each visit, so that equal tissue looks alike in all of them.

    images: per visit the image and the brain on its grid (bool ``(k, j, i)``), None where it is not known: what is
    brighter than the background stands for it. Black is the image's 1st percentile; white lies as many times as far
    above it as the brain's median in every visit: far enough for 99.5 % of each brain.
    """
    levels, reach = {}, 1.0
    for visit, (image, brain) in images.items():
        sample = tuple(slice(None, None, max(1, size // _SAMPLES)) for size in image.shape)
        array = image.array[sample]
        finite = np.isfinite(array)
        black = float(np.percentile(array[finite], _DARKEST)) if finite.any() else 0.0
        seen = finite & (array > black if brain is None else brain[sample])
        median, bright = np.percentile(array[seen], (50, _BRIGHTEST)) if seen.any() else (black, black)
        levels[visit] = black, float(median) - black
        if median > black:
            reach = max(reach, float((bright - black) / (median - black)))
    return {visit: (black, black + reach * (median or 1.0)) for visit, (black, median) in levels.items()}


def scale_of(maps: Iterable[tuple[Map, Image | None, np.ndarray | None]]) -> Scale | None:
    """The colour scale of one map in all visits; None when no visit has a value that can be trusted.

    maps: per visit the map, the reference tissue (bool image) and its 4x4 to the map's RAS, None where there is none.
    Shown is what exceeds 95 % of the reference tissue (the median over visits), so that anatomy stays visible; where
    no map reaches reference tissue, the highest quarter of the map.
    """
    values, tissue = [], []
    for values_map, reference, reference_to_map in maps:
        trusted = trusted_values(values_map)
        values.append(trusted[np.isfinite(trusted)])
        if reference is not None:
            weights = overlap_weights(reference, values_map, reference_to_map)
            found = region_statistics(trusted, weights, values_map.voxel_volume).p95
            tissue += [] if found is None else [found]
    everything = np.concatenate(values) if values else np.array([])
    if everything.size == 0:
        return None
    low = float(np.median(tissue)) if tissue else float(np.percentile(everything, _UNREMARKABLE))
    above = everything[everything > low]
    high = float(np.percentile(above, _HIGHEST)) if above.size else low
    low, high = _two_digits(low), _two_digits(high)
    return Scale(low, high if high > low else low + max(abs(low), 1.0))


def scale_of_change(values: np.ndarray) -> Scale:
    """From as much less to as much more: the middle of the scale is no change."""
    finite = np.abs(values[np.isfinite(values)])
    end = float(np.percentile(finite, _HIGHEST_CHANGE)) if finite.size else 1.0
    end = float(f"{end:.2g}") or 1.0
    return Scale(-end, end)


def scale_of_name(name: str, maps: Iterable[tuple[Map, Image | None, np.ndarray | None]]) -> Scale | None:
    """The colour scale of a map of this name, as ``scale_of``; with zero in its middle for a map of ``SIGNED``."""
    if name in CLASSES:
        return Scale(1.0, 2.0)
    if name not in SIGNED:
        return scale_of(maps)
    values = np.concatenate([trusted_values(one).ravel() for one, _, _ in maps])
    return scale_of_change(values) if np.isfinite(values).any() else None


def trusted_values(values: Map) -> np.ndarray:
    """The map's values ``(k, j, i)``, NaN where they cannot be trusted."""
    array = values.array if values.array.dtype.kind == "f" else values.array.astype(np.float32)
    return array if values.quality is None else np.where(values.quality, array, np.array(np.nan, array.dtype))


def show_map(node: object, patient: object, name: str, scale: Scale) -> None:
    """Colours a map from the scale's low to its high and hides what lies below; NaN is never shown.

    A map of ``SIGNED`` is blue below zero, orange above and dark at zero. Metabolite maps and classes are shown voxel
    by voxel: between their voxels nothing was measured.
    """
    display = _display_of(node)
    signed = name in SIGNED
    colours = signed_colours if signed else class_colours if name in CLASSES else heat_colours
    display.SetAndObserveColorNodeID(colours(patient).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(scale.low, scale.high)
    display.SetAutoThreshold(False)
    display.SetThreshold(-EVERYTHING if signed else scale.low, EVERYTHING)
    display.SetApplyThreshold(True)
    mark(node, shown_from=repr(scale.low))
    display.SetInterpolate(not name.startswith((*METABOLITES, *CLASSES)))


def show_range(node: object, scale: Scale) -> None:
    """Gives a map that is shown already another colour scale."""
    display = node.GetDisplayNode()
    mark(node, shown_from=repr(scale.low))
    display.SetWindowLevelMinMax(scale.low, scale.high)
    if display.GetLowerThreshold() > -EVERYTHING:
        display.SetThreshold(scale.low, EVERYTHING)


def keep_scale(patient: object, name: str, scale: Scale) -> None:
    """Remembers the colour scale that the user chose for a map; it wins over the computed one."""
    scales = json.loads(marked(patient, "scales") or "{}")
    mark(patient, scales=json.dumps({**scales, name: [scale.low, scale.high]}))


def chosen_scale(patient: object, name: str) -> Scale | None:
    """The colour scale that the user chose for a map, or None."""
    scales = json.loads(marked(patient, "scales") or "{}")
    return Scale(*scales[name]) if name in scales else None


def show_regions(node: object) -> None:
    """Regions as outlines: what lies under them stays visible."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetPreferredDisplayRepresentationName2D("Binary labelmap")
    for segment in node.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(segment, True)


def shown_segments(patient: object) -> list[tuple[object, str]]:
    """The display node and id of every segment of the patient's regions that is visible."""
    return [
        (node.GetDisplayNode(), segment)
        for kind in (Kind.LESION, Kind.REFERENCE)
        for node in linked(patient, kind)
        if node.GetDisplayNode() is not None
        for segment in node.GetSegmentation().GetSegmentIDs()
        if node.GetDisplayNode().GetSegmentVisibility(segment)
    ]


def show_segments(segments: Iterable[tuple[object, str]]) -> None:
    """Makes segments visible that are still in a scene."""
    for display, segment in segments:
        if display.GetScene() is not None and not display.GetSegmentVisibility(segment):
            display.SetSegmentVisibility(segment, True)


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")
