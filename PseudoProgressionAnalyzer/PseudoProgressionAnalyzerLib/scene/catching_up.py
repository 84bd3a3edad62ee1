"""Numbers that a scene was saved with, held against what it holds now (``noting``).

Regions that differ are measured again; where the numbers of all regions may be others, none is kept.
"""

from __future__ import annotations

from ..analysis import Analysis
from ..analysis.correcting import forget_judgement
from ..analysis.measuring import put_values, values_of
from ..analysis.overlaps import TISSUE, RegionOverlaps
from ..measures import Image, Message
from . import nodes
from .nodes import Kind, linked, marked
from .region_list import forget_tissue
from .regions import remeasure_segments
from .segments import fingerprint, regions_of


def follow_regions(scene: object, analysis: Analysis, before: dict[tuple[str, str], str] | None) -> list[Message]:
    """Measures regions again that are not as they were measured, and takes the numbers of those away that are gone;
    what was judged by the numbers of before goes with them, and its steps run again. before: ``noted_regions``; of a
    scene without notes all drawn regions are measured again."""
    noted = before is not None
    before = before or {}
    now = {key: mask for key, mask in analysis.regions.items() if mask.array.any()}
    now |= {(visit, TISSUE): tissue for visit, tissue in analysis.references.items()}
    for key, mask in now.items():
        overlaps = RegionOverlaps(mask)
        if fingerprint(overlaps.mask) == before.get(key) or (key[1] == TISSUE and not noted):
            analysis.overlaps[key] = overlaps
    known = {(region.visit, region.name) for region in analysis.patient.regions}
    lost = [visit for visit, name in before if name == TISSUE and visit not in analysis.references]
    for visit in lost:
        forget_tissue(analysis, visit)
    kept = [row for row in values_of(analysis) if not row.region or (row.drawn_in, row.region) in known]
    if len(kept) < len(values_of(analysis)):
        put_values(analysis, kept)
        forget_judgement(analysis)
    visits = []
    for kind in (Kind.REFERENCE, Kind.LESION):
        for node in linked(nodes.patient_node(scene), kind):
            changed = _changed(analysis, node, before)
            if changed:
                remeasure_segments(scene, analysis, node, changed, write=False)
                visits.append(marked(node, "visit"))
    if visits or lost:
        forget_judgement(analysis)
    return [Message("scene_regions_remeasured", {"visit": visit}) for visit in dict.fromkeys(visits)]


def _changed(analysis: Analysis, node: object, before: dict[tuple[str, str], str]) -> list[str]:
    """Segments of a node whose regions are not as they were measured; none of a visit that is left out."""
    visit = marked(node, "visit")
    if all(one.id != visit for one in analysis.patient.visits):
        return []
    if marked(node, "kind") == Kind.REFERENCE:
        same_tissue = visit not in analysis.references or (visit, TISSUE) in analysis.overlaps
        return [] if same_tissue else list(regions_of(node))[:1]

    def differs(name: str) -> bool:
        mask: Image | None = analysis.regions.get((visit, name))
        there = mask is not None and mask.array.any()
        return (visit, name) not in analysis.overlaps if there else (visit, name) in before

    return [segment_id for segment_id, name in regions_of(node).items() if differs(name)]
