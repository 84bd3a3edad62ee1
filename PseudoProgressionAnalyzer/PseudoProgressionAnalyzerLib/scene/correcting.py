"""Corrections of the patient in the scene: what was before them, and nodes that do not hold any more.

The states before each correction stand in the patient's node, so that they are saved with the scene. They are ours and
not the scene's own undo, which would take back what other modules did too.
"""

from __future__ import annotations

import json
from dataclasses import replace

from ..analysis import Analysis
from ..measures import Patient
from .nodes import Kind, linked, mark, marked
from .plain import from_plain, to_plain
from .segments import segment_of

REMEMBERED = 20
_OF_ANALYSIS = {
    Kind.IMAGE: "images",
    Kind.MAP: "maps",
    Kind.BRAIN: "brains",
    Kind.VISIT_TO_REFERENCE: "visit_to_reference",
    Kind.SERIES_TO_VISIT: "series_to_visit",
}


def remember(patient_node: object, before: Patient) -> None:
    """Keeps the patient as it was before a correction; the oldest of many are forgotten."""
    states = [*_states(patient_node), to_plain(before)][-REMEMBERED:]
    mark(patient_node, corrections=json.dumps(states, allow_nan=False))


def corrections(patient_node: object) -> int:
    """How many corrections can be taken back."""
    return len(_states(patient_node))


def take_back(patient_node: object, now: Patient) -> Patient:
    """The patient before the last correction, with the regions that were drawn since. Raises IndexError without one."""
    *states, last = _states(patient_node) or [None]
    if last is None:
        raise IndexError
    mark(patient_node, corrections=json.dumps(states, allow_nan=False))
    before = from_plain(Patient, last)
    known = {(region.visit, region.name) for region in before.regions}
    visits = {visit.id for visit in before.visits}
    since = [r for r in now.regions if r.visit in visits and (r.visit, r.name) not in known and not r.files]
    drawn = [region for region in since if not region.path.name]
    return replace(before, regions=before.regions + drawn)


def prune(patient_node: object, analysis: Analysis, before: Patient) -> None:
    """Removes those of our nodes that the analysis does not hold any more after a correction, and segments of regions
    that went to another visit."""
    scene = patient_node.GetScene()
    for kind, table in _OF_ANALYSIS.items():
        held = getattr(analysis, table)
        for node in linked(patient_node, kind):
            visit, name = marked(node, "visit"), marked(node, "name")
            if ((visit, name) if name else visit) not in held:
                scene.RemoveNode(node)
    now = analysis.patient
    every = [*now.regions, *(region for left in now.left_out for region in left.regions)]
    gone = {(r.visit, r.name) for r in before.regions} - {(r.visit, r.name) for r in every}
    for kind in (Kind.LESION, Kind.REFERENCE):
        for node in linked(patient_node, kind):
            for visit, name in gone:
                segment = segment_of(node, name) if marked(node, "visit") == visit else None
                if segment is not None:
                    node.GetSegmentation().RemoveSegment(segment)


def _states(patient_node: object) -> list:
    return json.loads(marked(patient_node, "corrections") or "[]")
