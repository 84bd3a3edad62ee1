"""The rows of the timeline: what is compared, what there is to choose from, and what was chosen last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..measures import Patient, Visit
from . import nodes
from .captures import overlay_names
from .nodes import Kind, linked, mark, marked
from .plain import from_plain

_OVERLAYS = (
    ("rCBV_ratio", "rCBV", "sRCBV"), ("CBF_ratio", "CBF"),
    ("Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area"), ("APTw",),
)  # fmt: skip
"""Rows of maps over the T1CE; of each group the first that the patient has."""

_METABOLITES, _KINDS = ("Cho", "NAA", "Cr", "nCr"), ("molar", "area")

_COMES_FROM = {
    "DSC": "rCBV_ratio", "rCBV": "rCBV_ratio", "ASL": "CBF_ratio", "CBF": "CBF_ratio", "MRSI": "Cho_NAA_molar",
}  # fmt: skip
"""Maps that will be made from series of these roles: their rows stand from the start, so that no view moves later."""
MADE = "step_ratios"
"""The step after which a visit's maps are all that it will have."""


@dataclass(frozen=True)
class Row:
    """What a row compares: an image by its role, with a map laid over it or none."""

    image: str
    overlay: str = ""

    @property
    def title(self) -> str:
        """The row's words: ``T1CE`` or ``rCBV ratio over T1CE``."""
        return f"{spelled(self.overlay)} over {spelled(self.image)}" if self.overlay else spelled(self.image)


def spelled(name: str) -> str:
    """The name of an image or map as people write it: ``rCBV ratio`` of ``rCBV_ratio``, ``Cho/NAA (molar)`` of
    ``Cho_NAA_molar``."""
    words = name.split("_")
    if words[0] in _METABOLITES and words[-1] in _KINDS:
        between = "/" if words[1] in _METABOLITES else " "
        return f"{between.join(words[:-1])} ({words[-1]})"
    return " ".join(words)


def patient_of(patient_node: object) -> Patient:
    """The patient that the text node holds."""
    return from_plain(Patient, json.loads(patient_node.GetText())["patient"])


def visits_of(patient_node: object) -> list[Visit]:
    """The visits that have an image in the scene, in the patient's order: by date, unknown dates last."""
    with_image = {marked(node, "visit") for node in linked(patient_node, Kind.IMAGE)}
    return [visit for visit in patient_of(patient_node).visits if visit.id in with_image]


def page_of(patient_node: object) -> list[Visit]:
    """The visits that have a column now, or had one when the timeline was last shown."""
    state, visits = state_of(patient_node), visits_of(patient_node)
    first = state.get("first", 0)
    return visits[first : first + state.get("columns", len(visits))]


def default_rows(patient_node: object) -> list[Row]:
    """T1CE, FLAIR where there is one, and the maps that the patient has or will have over T1CE."""
    images = _names(patient_node, Kind.IMAGE)
    maps = set(_names(patient_node, Kind.MAP))
    for visit in visits_of(patient_node):
        maps |= {series.role for series in visit.series} | coming(patient_node, visit)
    rows = [Row(role) for role in ("T1CE", "FLAIR") if role in images]
    for group in _OVERLAYS:
        rows += [Row("T1CE", name) for name in group if name in maps][:1]
    return rows


def coming(patient_node: object, visit: Visit) -> set[str]:
    """The maps that will be made from a visit's series; none once it has all that it will have."""
    if [MADE, visit.id] in json.loads(patient_node.GetText()).get("finished", []):
        return set()
    return {_COMES_FROM[series.role] for series in visit.series if series.role in _COMES_FROM}


def available_rows(patient_node: object) -> list[Row]:
    """Every row that can be chosen: the default ones first, then other images, other maps and changes, and pictures
    that lie in space."""
    rows = default_rows(patient_node)
    rows += [Row(name) for name in _names(patient_node, Kind.IMAGE)]
    rows += [Row("T1CE", name) for kind in (Kind.MAP, Kind.CHANGE) for name in _names(patient_node, kind)]
    rows += [Row("T1CE", name) for name in overlay_names(patient_node)]
    return list(dict.fromkeys(rows))


def shown_rows(patient_node: object) -> list[Row]:
    """The rows that were shown last; the default ones where none were."""
    return [Row(*row) for row in state_of(patient_node).get("rows", [])] or default_rows(patient_node)


def listed_rows(patient_node: object) -> list[Row]:
    """Every row as people choose from them: those shown first. One that the user unticked keeps its place."""
    shown = shown_rows(patient_node)
    every = list(dict.fromkeys([*shown, *available_rows(patient_node)]))
    listed = [row for row in (Row(*row) for row in state_of(patient_node).get("listed", [])) if row in every]
    if [row for row in listed if row in shown] != [row for row in shown if row in listed]:
        return every  # other rows are shown since
    for number, row in enumerate(every):
        if row not in listed:  # new since: behind the one that it follows
            listed.insert(listed.index(every[number - 1]) + 1 if number else 0, row)
    return listed


def rows_after_work(patient_node: object) -> list[Row]:
    """The rows once maps were made: those that the user chose, else the default ones."""
    return shown_rows(patient_node) if state_of(patient_node).get("chosen") else default_rows(patient_node)


def state_of(patient_node: object) -> dict[str, Any]:
    """What was chosen in the timeline: ``rows`` (``chosen``: by the user), ``listed`` (all that there were to choose
    from then), ``first`` and ``columns`` of the page, ``native``, ``look`` (where all columns looked before native
    position), ``opacity`` by overlay, ``overlays`` (shown or not), ``whole_grid`` (of metabolite maps), ``visit`` and
    ``row`` (see ``timeline_chosen``), ``lesion``, ``left`` (where views looked when it was put away). Saved with the
    scene."""
    return json.loads(marked(patient_node, "timeline") or "{}")


def never_shown(scene: object) -> bool:
    """Whether there is a patient with images in a scene that no timeline has shown yet."""
    patient = nodes.patient_node(scene)
    return patient is not None and "columns" not in state_of(patient) and bool(visits_of(patient))


def pages(patient_node: object) -> tuple[int, int]:
    """How many visits with an image stand before the first column, and after the last one."""
    state, visits = state_of(patient_node), len(visits_of(patient_node))
    first, columns = state.get("first", 0), state.get("columns", visits)
    return first, max(visits - first - columns, 0)


def keep_state(patient_node: object, **chosen: Any) -> None:
    """Remembers choices of the timeline beside those that were made before."""
    mark(patient_node, timeline=json.dumps({**state_of(patient_node), **chosen}))


def _names(patient_node: object, kind: str) -> list[str]:
    """Names of the nodes of a kind in visits that are shown, each once."""
    used = {visit.id for visit in patient_of(patient_node).visits}
    return list(dict.fromkeys(marked(n, "name") for n in linked(patient_node, kind) if marked(n, "visit") in used))
