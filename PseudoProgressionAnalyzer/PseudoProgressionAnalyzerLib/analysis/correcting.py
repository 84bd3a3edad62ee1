"""After the user corrected the patient: what still holds stays, what depends on the correction is computed again."""

from __future__ import annotations

from pathlib import Path

from ..measures import Patient, Series, Visit
from ..response.patient_response import PatientResponse
from . import Analysis, enhancement
from .reading import ANATOMICAL

ANATOMY = "T1CE"
CHOSEN = "step_reference_visit"
COMPARED, MEASURED = "step_response_maps", "step_measure"
JUDGING = ("step_lesions", "step_responses", "step_assess")
"""Steps that follow from the measurements."""
FOLLOWING = (COMPARED, MEASURED, *JUDGING)
"""Steps that depend on what is drawn."""
KEPT_WITHOUT_ANATOMY = ("step_brain", "step_align")
"""Steps of a visit that depend on its T1CE alone."""
KEPT_WITHOUT_MAPS = (*KEPT_WITHOUT_ANATOMY, "step_maps", "step_spectra")
"""Steps of a visit that hold when nothing but an anatomical image beside the T1CE changed."""


def correct(analysis: Analysis, patient: Patient) -> None:
    """Gives the analysis the corrected patient and forgets what does not hold any more; ``run`` then does the rest.

    A visit that is left out keeps its images, maps and regions here, unused, so that it comes back as it was. Regions
    are not read again from their files, the user may have changed them: ``read_visit`` brings those that were drawn on
    another T1CE to the grid of the new one.
    """
    before, analysis.patient = analysis.patient, patient
    if before == patient:
        return
    _move_regions(analysis, before, patient)
    old = {visit.id: visit for visit in _every(before)}
    for visit in _every(patient):
        if visit.id in old:
            _forget_changes(analysis, old[visit.id], visit)
    for visit_id in set(old) - {visit.id for visit in _every(patient)}:
        _forget(analysis, visit_id, roles=None, keep=())
    _check_reference(analysis, before, patient)
    kept = {CHOSEN, COMPARED, MEASURED}
    if _looked_at(before) != _looked_at(patient):
        kept = {CHOSEN}
        forget_numbers(analysis)  # none of before stands beside the corrected patient
    analysis.finished = {step for step in analysis.finished if step[1] or step[0] in kept}
    forget_judgement(analysis)


def forget_numbers(analysis: Analysis) -> None:
    """Takes away all that was measured, and what follows from it; what was drawn and mapped stays."""
    analysis.measurements, analysis.lesions, analysis.parts = [], [], {}
    analysis.finished -= {(step, "") for step in FOLLOWING}
    forget_judgement(analysis)


def forget_judgement(analysis: Analysis) -> None:
    """Takes away what follows from the measurements: responses and assessments."""
    analysis.assessments, analysis.outcome, analysis.response = [], {}, PatientResponse()
    analysis.finished -= {(step, "") for step in JUDGING}


def _looked_at(patient: Patient) -> list:
    """What measurements are made from: visits in their order with their images, and regions; no date and no event."""
    return [[(visit.id, sorted(map(_source, visit.series), key=str)) for visit in patient.visits], patient.regions]


def _move_regions(analysis: Analysis, before: Patient, patient: Patient) -> None:
    """Drawn regions go with the visit that they are moved to."""
    if len(before.regions) == len(patient.regions):
        moved = [(old, new) for old, new in zip(before.regions, patient.regions, strict=True) if old.visit != new.visit]
        for old, new in moved:
            mask = analysis.regions.pop((old.visit, old.name), None)
            if mask is not None:
                analysis.regions[new.visit, new.name] = mask


def _every(patient: Patient) -> list[Visit]:
    return [*patient.visits, *(left.visit for left in patient.left_out)]


def _source(series: Series) -> tuple[str, Path, str, str, str]:
    """What an image is made from; another reason or confidence for it changes nothing."""
    return series.role, series.path, series.part, series.uid, repr(sorted(series.acquisition.items()))


def _forget_changes(analysis: Analysis, old: Visit, new: Visit) -> None:
    changed = {role for role, *_ in set(map(_source, old.series)) ^ set(map(_source, new.series))}
    if ANATOMY in changed:
        _forget(analysis, new.id, roles=None, keep=())
    elif changed - set(ANATOMICAL):
        _forget(analysis, new.id, roles=changed, keep=KEPT_WITHOUT_ANATOMY)
    elif changed:
        _forget(analysis, new.id, roles=changed, keep=KEPT_WITHOUT_MAPS)


def _forget(analysis: Analysis, visit_id: str, roles: set[str] | None, keep: tuple[str, ...]) -> None:
    """Takes the visit's steps out of what is finished, but those to keep, with their results. roles: whose images are
    gone, None for all."""
    analysis.finished = {step for step in analysis.finished if step[1] != visit_id or step[0] in keep}
    for table in (analysis.images, analysis.series_to_visit):
        for key in [key for key in table if key[0] == visit_id and (roles is None or key[1] in roles)]:
            del table[key]
    analysis.references.pop(visit_id, None)
    analysis.midlines.pop(visit_id, None)
    analysis.uptake_noise.pop(visit_id, None)
    analysis.maps.pop((visit_id, enhancement.NAME), None)
    if "step_maps" not in keep:
        said = [m for m in analysis.messages.pop(visit_id, []) if m.code.startswith("registration_")]
        if said and "step_align" in keep:
            analysis.messages[visit_id] = said
        tables = (analysis.maps, analysis.curves, analysis.absent, analysis.spectra_fits, analysis.region_spectra)
        for table in tables:
            for key in [key for key in table if key[0] == visit_id]:
                del table[key]
    if "step_align" not in keep:
        for table in (analysis.brains, analysis.visit_to_reference, analysis.alignment):
            table.pop(visit_id, None)


def _check_reference(analysis: Analysis, before: Patient, patient: Patient) -> None:
    """Chooses the reference visit anew where it is not there any more, or where it was the earliest and is not now:
    nothing that came later may enter an earlier number, not even through a transform."""
    reference = analysis.reference_visit

    def earliest(patient: Patient) -> str:
        return next((visit.id for visit in patient.visits if visit.of_role(ANATOMY)), "")

    gone = reference not in {visit.id for visit in patient.visits if visit.of_role(ANATOMY)}
    late = reference == earliest(before) != earliest(patient)
    if reference and (gone or late):
        analysis.reference_visit = ""
        codes = ("step_reference_visit", "step_align")
        analysis.finished = {step for step in analysis.finished if step[0] not in codes}
        analysis.visit_to_reference, analysis.alignment = {}, {}
