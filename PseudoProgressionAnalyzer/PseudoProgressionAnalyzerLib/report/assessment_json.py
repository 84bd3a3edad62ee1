"""``assessment.json``: the patient's visits, measurements and assessments for other programs.

Its form is ``schemas/assessment.schema.json``. Numbers that are unknown are null, never NaN; messages carry their code,
their parameters and the sentence that people read.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis import Analysis
from ..analysis.lesion_rows import lesion_rows
from ..measures import DISCLAIMER, Assessment, Evidence, Message, Patient, Visit
from . import measurements_csv, response_json, words, writing


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    file = resources.files(__package__).joinpath("schemas/assessment.schema.json")
    return json.loads(file.read_text(encoding="utf-8"))


def document(analysis: Analysis, language: str = "english", as_of: str = "", not_used: int = 0) -> dict[str, Any]:
    """The whole document as plain objects; the order of its keys is always the same.

    Every entry of ``assessments`` is complete in itself: it holds nothing that was not known at its visit. as_of: the
    visit by which everything in the document was known, all visits where it is empty; not_used: how many visits that
    leaves out.
    """
    patient = analysis.patient

    def say(message: Message) -> dict[str, Any]:
        return _message(message, language)

    said = [(visit, message) for visit, messages in analysis.messages.items() for message in messages]
    return {
        "disclaimer": DISCLAIMER,
        "version": __version__,
        "patient": patient.id,
        "visits": [_visit(patient, visit, language) for visit in patient.visits],
        "as_of": as_of if not_used else None,
        "visits_not_used": not_used,
        "measurements": [
            _measurement(measurements_csv.record(patient, row), language)
            for row in (*analysis.measurements, *lesion_rows(analysis))
        ],
        "assessments": [_assessment(patient, assessment, language) for assessment in analysis.assessments],
        "lesions": response_json.lesions(analysis, say),
        "responses": response_json.responses(analysis, say),
        "outcome": [
            {"as_of": visit, "messages": _messages(messages_, language)}
            for visit, messages_ in analysis.outcome.items()
            if messages_
        ],
        "messages": [
            {"visit": visit, **_message(message, language)}
            for visit, message in [*((None, problem) for problem in patient.problems), *said]
        ],
    }


def text(analysis: Analysis, language: str = "english", as_of: str = "", not_used: int = 0) -> str:
    """The document as text. Raises ValueError rather than write a number that JSON does not know."""
    found = document(analysis, language, as_of, not_used)
    return json.dumps(found, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def write(analysis: Analysis, path: Path, language: str = "english", as_of: str = "", not_used: int = 0) -> None:
    """Writes the document; arguments as ``document``."""
    writing.write_file(path, text(analysis, language, as_of, not_used))


def _visit(patient: Patient, visit: Visit, language: str) -> dict[str, Any]:
    return {
        "id": visit.id,
        "date": visit.date.isoformat() if visit.date else None,
        "day": patient.day(visit),
        "roles": list(dict.fromkeys(series.role for series in visit.series)),
        "warnings": _messages(visit.warnings, language),
    }


def _measurement(record: dict[str, Any], language: str) -> dict[str, Any]:
    return record | {"flags": _messages(record["flags"], language)}


def _assessment(patient: Patient, assessment: Assessment, language: str) -> dict[str, Any]:
    return {
        "as_of": assessment.as_of,
        "prior": _interval(assessment.prior),
        "probability_true_progression": _interval(assessment.probability),
        "conclusion": assessment.conclusion,
        "evidence": [_evidence(patient, item, language) for item in assessment.evidence],
        "context": _messages(assessment.context, language),
        "missing": _messages(assessment.missing, language),
        "next_best_test": _message(assessment.next_best_test, language) if assessment.next_best_test else None,
        "leave_one_out": _messages(assessment.leave_one_out, language),
        "criteria_set": assessment.criteria_set,
    }


def _evidence(patient: Patient, item: Evidence, language: str) -> dict[str, Any]:
    criterion = item.criterion
    row = measurements_csv.record(patient, item.measurement)
    return {
        "criterion": criterion.id,
        "group": criterion.group,
        "measure": criterion.measure,
        "statistic": criterion.statistic,
        "direction": criterion.direction,
        "cut_off": words.finite(criterion.cut_off),
        "unit": criterion.unit,
        "sensitivity": words.finite(criterion.sensitivity),
        "specificity": words.finite(criterion.specificity),
        "visit": row["visit"],
        "region": row["region"],
        "kind": row["kind"],
        "name": row["name"],
        "value": row["value"],
        "interval": [row["low"], row["high"]],
        "flags": _messages(row["flags"], language),
        "probability_beyond": words.finite(item.probability_beyond),
        "likelihood_ratio": words.finite(item.likelihood_ratio),
        "weight": words.finite(item.weight),
        "used": item.used,
        "reasons": _messages(item.reasons, language),
        "source": {"citation": criterion.citation, "doi": criterion.doi, "verified": criterion.verified},
    }


def _interval(estimate: tuple[float, float, float] | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return dict(zip(("median", "low", "high"), map(words.finite, estimate), strict=True))


def _messages(messages: Any, language: str) -> list[dict[str, Any]]:
    return [_message(message, language) for message in messages]


def _message(message: Message, language: str) -> dict[str, Any]:
    return {
        "code": message.code,
        "parameters": words.shown_parameters(message),
        "sentence": words.sentence(message, language),
    }
