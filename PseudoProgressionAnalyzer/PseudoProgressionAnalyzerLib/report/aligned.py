"""The visits cut in one plane: the pictures, maps and regions that the timeline shows side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis import Analysis
from ..measures import Image, InputError, Region, Visit
from . import slices

AREA_SPACING = 1.5  # mm, of the grid on which lesion areas are compared
BRAIN_MARGIN = 10.0  # mm shown around the brain


@dataclass(frozen=True)
class Row:
    """What one row shows. top: of a map, the value at which its colours end; they begin at 0."""

    name: str
    label: str
    interpolation: str = "linear"
    top: float = 0.0


IMAGE_ROWS = (Row("T1CE", "report_row_t1ce"), Row("FLAIR", "report_row_flair"))
MAP_ROWS = (
    Row("rCBV_ratio", "report_row_rcbv_ratio", top=4.0),
    Row("CBF_ratio", "report_row_cbf_ratio", top=4.0),
    Row("Cho_NAA_molar", "report_row_cho_naa_molar", "nearest", 2.0),
    Row("Cho_NAA_area", "report_row_cho_naa_area", "nearest", 6.0),
)
"""Their scales are the same in every report, so that pages of two dates and of two patients can be laid side by side:
about twice the usual cut-off. Display only, our choice."""


@dataclass
class Column:
    """One visit cut in the plane: pictures ``(rows, columns)`` by name, maps with where they are shown, regions as
    coverage from 0 to 1."""

    visit: Visit
    images: dict[str, np.ndarray]
    maps: dict[str, tuple[np.ndarray, np.ndarray]]
    brain: np.ndarray
    own: np.ndarray
    fixed: np.ndarray
    reference: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where visits are cut, in the space of the reference visit.

    axes: from ``slices.frame``; box: from ``slices.bounds``; offset: mm along the third axis; number: of the reference
    visit's own slice, from 1 below; of: how many it has; has_lesion: whether any lesion was drawn.
    """

    axes: np.ndarray
    box: np.ndarray
    offset: float
    number: int
    of: int
    has_lesion: bool

    def plane(self, spacing: float) -> Image:
        """The plane with square pixels of this size in mm."""
        return slices.planes(self.axes, self.box, [self.offset], spacing)


def choose_place(analysis: Analysis) -> Place:
    """The axial slice of the reference visit in which the lesions of all visits are seen best together, and the brain.

    That is where the lesion areas, each relative to the largest area of its own visit, add up to most: a visit with a
    small lesion counts as much as one with a large lesion, so that no visit seems free of a lesion that it has.

    Raises InputError ``report_nothing_aligned`` where the reference visit has no T1CE.
    """
    reference = analysis.images.get((analysis.reference_visit, "T1CE"))
    if reference is None:
        raise InputError("report_nothing_aligned")
    axes = slices.frame(reference.affine)
    box = slices.bounds(Image(_brain(analysis, analysis.reference_visit), reference.affine), axes, BRAIN_MARGIN)
    offsets = slices.slice_offsets(reference, axes[2])
    stack = slices.planes(axes, box, offsets, AREA_SPACING)
    seen = np.zeros(len(offsets))
    for visit in analysis.patient.visits:
        lesions = [region for region in aligned_regions(analysis, visit) if region.purpose == "lesion"]
        moved = [
            slices.move(analysis.regions[visit.id, lesion.name], stack, analysis.visit_to_reference[visit.id])
            for lesion in lesions
        ]
        if not moved:
            continue
        areas = np.count_nonzero(np.maximum.reduce(moved) >= 0.5, axis=(1, 2))
        seen += areas / max(areas.max(), 1)
    number = int(seen.argmax()) if seen.any() else len(offsets) // 2
    return Place(axes, box, float(offsets[number]), number + 1, len(offsets), bool(seen.any()))


def aligned_regions(analysis: Analysis, visit: Visit) -> list[Region]:
    """The regions drawn in a visit, as far as the visit is aligned."""
    if visit.id not in analysis.visit_to_reference:
        return []
    drawn = (region for region in analysis.patient.regions if region.visit == visit.id)
    return [region for region in drawn if (visit.id, region.name) in analysis.regions]


def carried_regions(analysis: Analysis) -> list[Region]:
    """The aligned regions that are measured in every visit (kind ``fixed``)."""
    return [
        region
        for visit in analysis.patient.visits
        for region in aligned_regions(analysis, visit)
        if region.purpose == "free" or (region.carried and region.purpose == "lesion")
    ]


def cut_visit(analysis: Analysis, visit: Visit, plane: Image) -> Column:
    """Everything of a visit that the plane shows; empty for a visit that is not aligned."""
    nothing = np.zeros(plane.shape[1:])
    column = Column(visit, {}, {}, nothing.astype(bool), nothing, nothing, nothing)
    to_reference = analysis.visit_to_reference.get(visit.id)
    anatomy = analysis.images.get((visit.id, "T1CE"))
    if to_reference is None or anatomy is None:
        return column
    for row in IMAGE_ROWS:
        if (visit.id, row.name) in analysis.images:
            through = to_reference @ analysis.series_to_visit[visit.id, row.name]
            column.images[row.name] = slices.cut(analysis.images[visit.id, row.name], plane, through)
    brain = Image(_brain(analysis, visit.id), anatomy.affine)
    column.brain = slices.cut(brain, plane, to_reference) >= 0.5
    lesions = [region for region in aligned_regions(analysis, visit) if region.purpose == "lesion"]
    others = [region for region in carried_regions(analysis) if region not in lesions]
    column.own = _coverage(analysis, lesions, plane)
    column.fixed = _coverage(analysis, others, plane)
    if visit.id in analysis.references:
        column.reference = slices.cut(analysis.references[visit.id], plane, to_reference)
    for row in MAP_ROWS:
        if (visit.id, row.name) in analysis.maps:
            through = to_reference @ analysis.series_to_visit[visit.id, row.name]
            values, shown = slices.cut_map(analysis.maps[visit.id, row.name], plane, through, row.interpolation)
            column.maps[row.name] = values, shown & column.brain
    return column


def _coverage(analysis: Analysis, regions: list[Region], plane: Image) -> np.ndarray:
    """How much regions cover of each pixel, ``(rows, columns)`` from 0 to 1."""
    coverage = np.zeros(plane.shape[1:])
    for region in regions:
        mask = analysis.regions[region.visit, region.name]
        coverage = np.maximum(coverage, slices.cut(mask, plane, analysis.visit_to_reference[region.visit]))
    return coverage


def _brain(analysis: Analysis, visit: str) -> np.ndarray:
    """The brain on the visit's T1CE; where no mask is known, what is brighter than the mean of all that is not air."""
    brain = analysis.brains.get(visit)
    if brain is not None and brain.any():
        return brain
    array = analysis.images[visit, "T1CE"].array
    return array > array[array > 0].mean() if (array > 0).any() else np.ones(array.shape, dtype=bool)
