"""assessment.json against its schema, which must also find what is wrong."""

import copy
import dataclasses
import json
import math

import jsonschema
import pytest

from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, Measurement, Message
from PseudoProgressionAnalyzerLib.report import assessment_json

VALIDATOR = jsonschema.Draft202012Validator(assessment_json.schema())


def test_the_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(assessment_json.schema())


def test_the_document_fits_and_says_what_was_known(analysis):
    document = json.loads(assessment_json.text(analysis))
    VALIDATOR.validate(document)
    assert list(document)[:4] == ["disclaimer", "version", "patient", "visits"]
    assert document["disclaimer"] == DISCLAIMER
    assert [visit["day"] for visit in document["visits"]] == [-45, 7, 326]
    first, second = document["assessments"]
    assert first["probability_true_progression"] == {"median": 0.346, "low": 0.15, "high": 0.6}
    assert second["probability_true_progression"] is None
    unread, _, weighed = first["evidence"]
    assert (unread["used"], unread["value"], unread["cut_off"]) == (False, None, None)
    assert (weighed["criterion"], weighed["value"], weighed["interval"]) == ("DSC-90", 1.23457, [1.1, 1.4])
    assert (weighed["weight"], weighed["likelihood_ratio"]) == (-6.02, 0.16)
    assert weighed["source"]["doi"] == "10.0000/none"
    assert document["outcome"][0]["as_of"] == "2020-03-02"
    assert document["messages"][0]["parameters"] == {"file": "2020-03-02/DSC.nii.gz"}


def test_every_message_says_which_visit_it_is_about(analysis):
    said = Message("reference_not_found")
    analysis.patient.problems = [said]
    analysis.messages = {visit.id: [said] for visit in analysis.patient.visits}
    document = assessment_json.document(analysis)
    VALIDATOR.validate(document)
    assert [message["visit"] for message in document["messages"]] == [
        None, *(visit.id for visit in analysis.patient.visits),
    ]  # fmt: skip
    for message in document["messages"]:
        del message["visit"]
    VALIDATOR.validate(document)  # a document from before it was added


def test_every_measurement_is_there_once(analysis):
    document = assessment_json.document(analysis)
    assert len(document["measurements"]) == len(analysis.measurements)
    absent = [row for row in document["measurements"] if row["value"] is None]
    assert [row["flags"][0]["code"] for row in absent] == ["region_few_voxels"]


def test_what_is_not_finite_becomes_null(analysis):
    broken = Measurement("2020-03-02", "lesion", "own", "2020-03-02", "volume", math.nan, "mL", -math.inf, math.inf)
    analysis.measurements.append(broken)
    text = assessment_json.text(analysis)
    assert "NaN" not in text and "Infinity" not in text
    assert json.loads(text)["measurements"][-1]["value"] is None


def test_the_text_is_the_same_every_time(analysis):
    assert assessment_json.text(analysis) == assessment_json.text(copy.deepcopy(analysis))


def test_what_comes_later_leaves_an_earlier_assessment_as_it_was(analysis):
    before = assessment_json.document(analysis)["assessments"][0]
    later = analysis.patient.visits[2]
    analysis.measurements = [
        dataclasses.replace(row, value=99.0) if row.visit == later.id else row for row in analysis.measurements
    ]
    analysis.outcome = {}
    assert json.dumps(assessment_json.document(analysis)["assessments"][0]) == json.dumps(before)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("disclaimer"),
        lambda document: document["assessments"][0].update(conclusion="is_progression"),
        lambda document: document["assessments"][0]["probability_true_progression"].update(median=1.2),
        lambda document: document["assessments"][0]["evidence"][0].pop("reasons"),
        lambda document: document["measurements"][0].update(kind="both"),
        lambda document: document["measurements"][0].update(value="24"),
        lambda document: document["visits"][0].update(date="10.01.2020"),
        lambda document: document.update(diagnosis="x"),
    ],
)
def test_the_schema_finds_what_is_wrong(analysis, spoil):
    document = json.loads(assessment_json.text(analysis))
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)
