"""The list of a patient's regions: added, renamed, removed, restored; segments and analysis agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..analysis.mapping import forget_ratios
from ..analysis.measuring import RESPONSES, put_values, values_of
from ..analysis.overlaps import TISSUE
from ..analysis.perfusion_changes import postpone_response_maps
from ..measures import PURPOSES, Image, InputError, Region
from . import nodes
from .build import ANATOMY, segmentation_of
from .lesion_colours import colour_lesions
from .nodes import Kind, find, linked, mark, marked
from .segments import name_segment, note_use, noted_region, put_segment, regions_of, segment_of

KIND_OF = {purpose: Kind.REFERENCE if purpose == "reference" else Kind.LESION for purpose in PURPOSES}
"""In which segmentation of its visit a region stands, by its purpose."""


def add_region(scene: object, analysis: Analysis, visit: str, purpose: str, name: str = "") -> tuple[object, str]:
    """Adds a region without voxels, to be drawn; returns its segmentation and the segment's id.

    name: by default the purpose, with a number where the visit has such a region already. A free region is carried into
    every visit. Raises InputError ``region_without_image``, ``region_exists``.
    """
    patient = nodes.patient_node(scene)
    anatomy = find(patient, Kind.IMAGE, visit, ANATOMY)
    if anatomy is None:
        raise InputError("region_without_image", visit=visit)
    taken = {region.name for region in analysis.patient.regions if region.visit == visit}
    if name in taken:
        raise InputError("region_exists", visit=visit, name=name)
    number = 1
    while not name or name in taken:
        name = purpose if number == 1 else f"{purpose} {number}"
        number += 1
    region = Region(name, visit, purpose, Path(), carried=purpose == "free")
    analysis.patient.regions.append(region)
    node = segmentation_of(patient, visit, KIND_OF[purpose])
    nothing = Image(np.zeros((1, 1, 1), dtype=bool), nodes.get_image(anatomy).affine)
    segment_id = put_segment(node, name, purpose, nothing)
    note_use(node.GetSegmentation().GetSegment(segment_id), region)
    colour_lesions(patient, analysis)
    return node, segment_id


def segment_at(scene: object, region: Region) -> tuple[object, str] | None:
    """The segmentation and the segment's id of a region; None where it has none."""
    node = find(nodes.patient_node(scene), KIND_OF[region.purpose], region.visit)
    segment_id = segment_of(node, region.name) if node is not None else None
    return None if segment_id is None else (node, segment_id)


def keep_names_apart(patient: object, visit: str) -> None:
    """Numbers the names of new, copied and renamed segments that another segment of the visit has, as a lesion or as
    reference tissue: a region is known by its visit and name. A copy is a region of its own."""
    nodes_here = [node for kind in (Kind.LESION, Kind.REFERENCE) for node in linked(patient, kind)]
    ours = [node.GetSegmentation() for node in nodes_here if marked(node, "visit") == visit]
    segments = [one.GetSegment(segment_id) for one in ours for segment_id in one.GetSegmentIDs()]
    taken: set[str] = set()
    others = []
    for segment in segments:
        name = segment.GetName()
        if name == noted_region(segment) and name not in taken:
            taken.add(name)
        else:
            others.append(segment)
    for segment in others:
        if noted_region(segment) in taken:
            name_segment(segment, "")
        number, name = 2, segment.GetName()
        while name in taken:
            number, name = number + 1, f"{segment.GetName()} {number}"
        taken.add(name)
        if name != segment.GetName():
            segment.SetName(name)


def follow_segments(analysis: Analysis, node: object) -> bool:
    """Regions whose segment got another name or was removed: renamed in the analysis, or gone from it with their
    numbers. Nothing is measured again. Returns whether anything changed."""
    visit, segmentation = marked(node, "visit"), node.GetSegmentation()
    changed = False
    for segment_id, name in regions_of(node).items():
        segment = segmentation.GetSegment(segment_id)
        if segment.GetName() != name:
            rename(analysis, visit, name, segment.GetName())
            name_segment(segment, segment.GetName())
            changed = True
    present = set(regions_of(node).values())
    for region in list(analysis.patient.regions):
        if region.visit == visit and KIND_OF[region.purpose] == marked(node, "kind") and region.name not in present:
            _forget(analysis, region)
            changed = True
    tissue = marked(node, "kind") == Kind.REFERENCE and visit in analysis.references
    if tissue and not present and ("step_reference_tissue", visit) in analysis.finished:  # else it is being found
        forget_tissue(analysis, visit)
        changed = True
    put_values(analysis, values_of(analysis))
    return changed


def forget_reference(scene: object, analysis: Analysis, visit: str) -> None:
    """Takes the drawn reference tissue of a visit away: the visit's steps that find it and make ratios to it are not
    finished any more."""
    for region in [each for each in analysis.patient.regions if (each.visit, each.purpose) == (visit, "reference")]:
        _forget(analysis, region)
    forget_tissue(analysis, visit)
    node = find(nodes.patient_node(scene), Kind.REFERENCE, visit)
    if node is not None:
        node.GetSegmentation().RemoveAllSegments()
        mark(node, computed="")
    analysis.finished -= {("step_reference_tissue", visit), ("step_ratios", visit)}


def reference_is_computed(analysis: Analysis, visit: str) -> bool:
    """Whether the visit's reference tissue was found, not drawn."""
    drawn = any((region.visit, region.purpose) == (visit, "reference") for region in analysis.patient.regions)
    return visit in analysis.references and not drawn


def rename(analysis: Analysis, visit: str, name: str, title: str) -> None:
    """Gives a region another name, wherever it stands; its numbers are the same."""
    for region in [*analysis.patient.regions, *(one for left in analysis.patient.left_out for one in left.regions)]:
        if (region.visit, region.name) == (visit, name):
            region.name = title
    for table in (analysis.regions, analysis.overlaps):
        if (visit, name) in table:
            table[visit, title] = table.pop((visit, name))
    spectra = analysis.region_spectra
    for key in [key for key in spectra if key[1:] == (visit, name)]:
        spectra[key[0], visit, title] = spectra.pop(key)
    analysis.measurements = [
        replace(row, region=title) if (row.drawn_in, row.region) == (visit, name) else row
        for row in analysis.measurements
    ]


def _forget(analysis: Analysis, region: Region) -> None:
    analysis.patient.regions.remove(region)
    analysis.regions.pop((region.visit, region.name), None)
    analysis.overlaps.pop((region.visit, region.name), None)
    analysis.measurements = [
        row for row in analysis.measurements if (row.drawn_in, row.region) != (region.visit, region.name)
    ]


def forget_tissue(analysis: Analysis, visit: str) -> None:
    """No reference tissue in a visit: no ratios to it."""
    analysis.references.pop(visit, None)
    analysis.overlaps.pop((visit, TISSUE), None)
    forget_ratios(analysis, visit)
    waiting = postpone_response_maps(analysis, visit)
    analysis.measurements = [
        row
        for row in analysis.measurements
        if not (row.visit == visit and row.reference) and not (row.visit in waiting and row.name in RESPONSES)
    ]
