"""Measuring what is drawn in the scene: the same numbers as the command line's, fast enough to follow each stroke.

Only the stroke's cropped labelmap is read, and what did not change is not measured again: the overlaps of a region with
the grids of maps follow from the voxels that came and went (``analysis.overlaps``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..analysis.fitting_spectra import REFERENCE
from ..analysis.mapping import TO_REFERENCE, make_ratio_maps
from ..analysis.mean_spectra import STEP as MEAN_SPECTRA
from ..analysis.measuring import measure_ratios, measured_visits, region_values, replace_values
from ..measures import Image, Region
from . import nodes
from .build import ANATOMY, write_measurements, write_ratio_maps
from .nodes import Kind, marked
from .segments import name_segment, noted_use, on_grid, regions_of, segment_mask


def remeasure(scene: object, analysis: Analysis, node: object, segment_id: str, write: bool = True) -> Region | None:
    """Measures a segment again after a stroke, in the analysis and in the scene's table; other rows stay as they were.

    A lesion or free region changes its own rows and the changes over time that they enter. Reference tissue changes
    the ratio maps of its visit and what is measured in them; tissue that was found counts as drawn from then on. Maps
    that it changes, but take longer, wait (``analysis.measuring.measure_waiting``). write: False where the caller
    writes maps and table itself, when there is time. Returns the region; None where the patient or the visit's T1CE was
    deleted.
    """
    return next(iter(remeasure_segments(scene, analysis, node, [segment_id], write)), None)


def remeasure_segments(
    scene: object, analysis: Analysis, node: object, segment_ids: Sequence[str], write: bool = True
) -> list[Region]:
    """As ``remeasure`` of several segments that one stroke changed, for it may take voxels from one for another: what
    follows from their values together is worked out once."""
    patient_node = nodes.patient_node(scene)
    if patient_node is None:
        return []
    taken = [(take(analysis, node, segment_id), segment_id) for segment_id in segment_ids]
    taken = [(region, segment_id) for region, segment_id in taken if region is not None]
    tissue = {region.visit for region, _ in taken if region.purpose == "reference"}
    for visit in tissue:
        make_ratio_maps(analysis, visit)
        measure_ratios(analysis, visit)
    visits = measured_visits(analysis)
    values = {
        (region.visit, region.name): region_values(analysis, region, segment_mask(node, segment_id), visits)
        for region, segment_id in taken
        if region.purpose != "reference"
    }
    if values:
        rows = list(chain.from_iterable(values.values()))
        replace_values(analysis, lambda row: (row.drawn_in, row.region) in values, rows)
    if write and taken:
        if tissue:
            write_ratio_maps(patient_node, analysis, *tissue)
        write_measurements(patient_node, analysis)
    return [region for region, _ in taken]


def take(analysis: Analysis, node: object, segment_id: str) -> Region | None:
    """Takes a segment as it is now into the analysis and returns its region; measures nothing.

    Ratios to a reference tissue that was drawn over are not there until they are made again. None where the visit's
    T1CE was deleted.
    """
    visit_id = marked(node, "visit")
    anatomy = analysis.images.get((visit_id, ANATOMY))
    if anatomy is None:
        return None
    purpose = "reference" if marked(node, "kind") == Kind.REFERENCE else "lesion"
    region = _region(analysis, node, segment_id, visit_id, purpose)
    drawn = on_grid(segment_mask(node, segment_id), anatomy)
    analysis.regions[visit_id, region.name] = drawn
    _forget_mean_spectra(analysis, region)
    if purpose == "reference":
        others = [segment_mask(node, each) for each in regions_of(node) if each != segment_id]
        others = [on_grid(mask, anatomy).array for mask in others if mask.array.any()]
        tissue = np.logical_or.reduce([drawn.array, *others]) if others else drawn.array
        analysis.references.pop(visit_id, None)
        for ratio in TO_REFERENCE.values():
            analysis.maps.pop((visit_id, ratio.name), None)
        if tissue.any():
            analysis.references[visit_id] = Image(tissue, anatomy.affine)
    return region


def _forget_mean_spectra(analysis: Analysis, region: Region) -> None:
    """The mean spectra of a region that changed, or is new: they are to be fitted in every visit that measures it."""
    name = REFERENCE if region.purpose == "reference" else region.name
    for visit_id, role in analysis.spectra_fits:
        if role == "MRSI" and (visit_id == region.visit or region.carried or region.purpose == "free"):
            analysis.region_spectra.pop((visit_id, region.visit, name), None)
            analysis.finished.discard((MEAN_SPECTRA, visit_id))


def _region(analysis: Analysis, node: object, segment_id: str, visit_id: str, purpose: str) -> Region:
    """The patient's region that a segment holds; a new one for a segment drawn since."""
    name = regions_of(node)[segment_id]
    for region in analysis.patient.regions:
        if (region.visit, region.name) == (visit_id, name):
            return region
    segment = node.GetSegmentation().GetSegment(segment_id)
    use, carried = noted_use(segment, purpose)
    region = Region(name, visit_id, use, Path(), carried=carried)
    analysis.patient.regions.append(region)
    name_segment(segment, name)  # it is this region under any name from now on
    return region
