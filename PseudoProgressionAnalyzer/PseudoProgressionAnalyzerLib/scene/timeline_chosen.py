"""The chosen visit and row of the timeline: what keys, *Enlarge* and the Segment Editor act on.

They stand in the patient's node and nowhere else. Whoever chooses (a click into a column, a key, a point of a plot, a
row of a table) writes them there, and who acts on them hears of it from the node.
"""

from __future__ import annotations

from .timeline_rows import Row, keep_state, shown_rows, state_of, visits_of


def chosen_visit(patient_node: object) -> str:
    """The id of the chosen visit; that of the first one where none was chosen or it is gone, empty without visits."""
    order = [visit.id for visit in visits_of(patient_node)]
    chosen = state_of(patient_node).get("visit", "")
    return chosen if chosen in order else next(iter(order), "")


def chosen_row(patient_node: object) -> int:
    """The number of the chosen row among those that are shown; 0 where it is not shown."""
    rows, chosen = shown_rows(patient_node), Row(*state_of(patient_node).get("row", ("",)))
    return rows.index(chosen) if chosen in rows else 0


def choose(patient_node: object, visit: str = "", row: Row | None = None) -> None:
    """Chooses a visit, a row, or both."""
    chosen = {"visit": visit} if visit else {}
    keep_state(patient_node, **chosen, **({} if row is None else {"row": [row.image, row.overlay]}))
