"""The visit whose assessment is shown, kept with the patient: a scene that is opened again shows the same."""

from __future__ import annotations

from .nodes import mark, marked, patient_node


def chosen_as_of(scene: object) -> str:
    """The visit that the user chose; empty where nobody chose one: then the latest is meant."""
    patient = patient_node(scene)
    return "" if patient is None else marked(patient, "as_of")


def choose_as_of(scene: object, visit: str) -> None:
    """Keeps the chosen visit; empty: the latest, also when more visits come. Nothing where there is no patient."""
    patient = patient_node(scene)
    if patient is not None and marked(patient, "as_of") != visit:
        mark(patient, as_of=visit)
