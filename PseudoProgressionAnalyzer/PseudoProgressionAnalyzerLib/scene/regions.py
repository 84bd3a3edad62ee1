"""Measuring what is drawn in the scene: the same numbers as the command line's, fast enough to follow each stroke.

Only the stroke's cropped labelmap is read and each map is cut to the region before it is measured (own lesions in
their visit, carried regions in every visit, always on the map's own grid with overlap weights).
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..analysis.fitting_spectra import REFERENCE
from ..analysis.mapping import TO_REFERENCE, make_ratio_maps
from ..analysis.measuring import changes, in_order, measure_visits
from ..analysis.measuring_spectra import protocols
from ..analysis.perfusion_changes import make_response_maps
from ..imaging.resampling import transform_points
from ..measures import Image, Map, Measurement, Region
from . import nodes
from .build import ANATOMY, write_measurements, write_ratio_maps
from .nodes import Kind, marked
from .segments import on_grid, regions_of, segment_mask, segment_of


def remeasure(scene: object, analysis: Analysis, node: object, segment_id: str, write: bool = True) -> Region | None:
    """Measures a segment again after a stroke, in the analysis and in the scene's table; other rows stay as they were.

    A lesion or free region changes its own rows and the changes over time that they enter. Reference tissue changes
    the ratio maps of its visit and what is measured in them; tissue that was found counts as drawn from then on.
    write: False where the caller writes the table itself, once for several strokes. Returns the region; None where the
    patient or the visit's T1CE was deleted.
    """
    patient_node = nodes.patient_node(scene)
    region = take(analysis, node, segment_id) if patient_node is not None else None
    if region is None:
        return None
    if region.purpose == "reference":
        if region.visit in analysis.references:
            make_ratio_maps(analysis, region.visit)
        changed = make_response_maps(analysis, region.visit)
        write_ratio_maps(patient_node, analysis, region.visit, changed)
        _remeasure_ratios(patient_node, analysis, [region.visit, *changed])
    else:
        kept = [row for row in without_changes(analysis) if (row.drawn_in, row.region) != (region.visit, region.name)]
        merge(analysis, kept + region_rows(analysis, region, segment_mask(node, segment_id)))
    if write:
        write_measurements(patient_node, analysis)
    return region


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
    analysis.regions[visit_id, region.name] = on_grid(segment_mask(node, segment_id), anatomy)
    _forget_mean_spectra(analysis, visit_id, REFERENCE if purpose == "reference" else region.name)
    if purpose == "reference":
        tissue = np.logical_or.reduce([on_grid(segment_mask(node, each), anatomy).array for each in regions_of(node)])
        analysis.references.pop(visit_id, None)
        for ratio in TO_REFERENCE.values():
            analysis.maps.pop((visit_id, ratio.name), None)
        if tissue.any():
            analysis.references[visit_id] = Image(tissue, anatomy.affine)
    return region


def region_rows(analysis: Analysis, region: Region, mask: Image, visit_id: str = "") -> list[Measurement]:
    """All values of one region (in one visit alone, where it is named), as ``analysis.measuring.measure_visits``
    measures them; mask: bool image, cropped or not."""
    patient = analysis.patient
    references = [other for other in patient.regions if other.purpose == "reference"]
    part = replace(
        analysis,
        patient=replace(
            patient,
            visits=[visit for visit in patient.visits if visit_id in ("", visit.id)],
            regions=[region, *references],
        ),
        regions={(region.visit, region.name): mask},
        maps=_maps_around(analysis, region, mask, visit_id) if mask.array.any() else {},
        measurements=[],
    )
    measure_visits(part)
    return without_changes(part)


def _remeasure_ratios(patient_node: object, analysis: Analysis, visits: list[str]) -> None:
    """What is measured against the reference tissue of these visits, in all regions."""
    rows = [row for row in without_changes(analysis) if row.visit not in visits or not row.reference]
    for region in analysis.patient.regions:
        mask = analysis.regions.get((region.visit, region.name))
        node = nodes.find(patient_node, Kind.LESION, region.visit)
        segment_id = segment_of(node, region.name) if node is not None else None
        if segment_id is not None:
            mask = segment_mask(node, segment_id)  # the same voxels without the empty ones around
        if region.purpose != "reference" and mask is not None:
            for visit_id in dict.fromkeys(visits):
                rows += [row for row in region_rows(analysis, region, mask, visit_id) if row.reference]
    merge(analysis, rows)


def without_changes(analysis: Analysis) -> list[Measurement]:
    """Measurements without changes over time."""
    return [row for row in analysis.measurements if not row.compared_to]


def _forget_mean_spectra(analysis: Analysis, drawn_in: str, name: str) -> None:
    """The mean spectra of a region that changed: they are fitted again with the next computation."""
    for key in [key for key in analysis.region_spectra if key[1:] == (drawn_in, name)]:
        del analysis.region_spectra[key]
        analysis.finished.discard(("step_region_spectra", key[0]))


def _region(analysis: Analysis, node: object, segment_id: str, visit_id: str, purpose: str) -> Region:
    """The patient's region that a segment holds; a new one for a segment drawn since."""
    name = regions_of(node)[segment_id]
    for region in analysis.patient.regions:
        if (region.visit, region.name) == (visit_id, name):
            return region
    region = Region(name, visit_id, purpose, Path())
    analysis.patient.regions.append(region)
    return region


def merge(analysis: Analysis, values: list[Measurement]) -> None:
    """Values in the order of the whole job, and the changes over time that follow from them."""
    visits = [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    values = in_order(values, analysis.patient)
    analysis.measurements = values + changes(values, visits, protocols(analysis))


def _maps_around(analysis: Analysis, region: Region, mask: Image, only: str = "") -> dict[tuple[str, str], Map]:
    """The maps (of one visit only, where it is named) that the region is measured in, cut to the block of voxels that
    it can reach."""
    carried = region.carried or region.purpose == "free"
    corners = np.array(list(itertools.product(*((-0.5, n - 0.5) for n in mask.shape[::-1]))))
    there = analysis.visit_to_reference.get(region.visit)
    cut = {}
    for (visit_id, name), values in analysis.maps.items():
        if only not in ("", visit_id):
            continue
        if there is None or visit_id not in analysis.visit_to_reference or not (carried or visit_id == region.visit):
            continue
        to_visit = np.linalg.inv(analysis.visit_to_reference[visit_id]) @ there
        to_map = np.linalg.inv(analysis.series_to_visit[visit_id, name]) @ to_visit
        reached = transform_points(np.linalg.inv(values.affine) @ to_map @ mask.affine, corners)
        size = np.array(values.shape)[::-1]
        # one voxel more on each side, so that rounding cuts nothing; never empty, so that it stays a grid
        first = np.clip(np.floor(reached.min(axis=0)).astype(int) - 1, 0, size - 1)
        last = np.clip(np.ceil(reached.max(axis=0)).astype(int) + 2, first + 1, size)
        block = tuple(slice(a, b) for a, b in zip(first[::-1], last[::-1], strict=True))
        affine = values.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ first
        quality = None if values.quality is None else values.quality[block]
        cut[visit_id, name] = replace(values, array=values.array[block], affine=affine, quality=quality)
    return cut
