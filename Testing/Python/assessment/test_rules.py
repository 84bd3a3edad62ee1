"""What the user chooses: criteria, priors, and that every result says so."""

import json

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.judging import assess_visits
from PseudoProgressionAnalyzerLib.assessment import Rules, default_criteria, editable_criteria
from PseudoProgressionAnalyzerLib.measures import InputError

from .simple import EARLY, LATE, measured, patient

OWN = {
    "leave_out": ["MRS-01"],
    "criteria": [
        {**next(entry for entry in editable_criteria()["criteria"] if entry["id"] == "MRS-01"), "id": "OURS-1"}
    ],
}


def analysis(rules: Rules) -> Analysis:
    found = Analysis(patient(), measurements=[measured("Cho_NAA_molar", 3.0, visit=visit) for visit in (EARLY, LATE)])
    found.rules = rules
    assess_visits(found)
    return found


def write(tmp_path, content) -> Rules:
    path = tmp_path / "ours.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Rules().with_criteria(path)


def test_a_sites_criteria_reach_every_result_and_are_named(tmp_path):
    for assessment in analysis(write(tmp_path, OWN)).assessments:
        assert {line.criterion.id for line in assessment.evidence} == {"OURS-1"}
        assert "without MRS-01" in assessment.criteria_set and "ours.json" in assessment.criteria_set
    for assessment in analysis(Rules()).assessments:
        assert assessment.criteria_set == default_criteria().name


def test_the_printed_set_says_the_same_as_the_default(tmp_path):
    found = write(tmp_path, editable_criteria()).criteria_set()
    assert set(found.criteria) == set(default_criteria().criteria) and "default" not in found.name


def test_the_file_is_kept_as_it_was_read(tmp_path):
    rules = write(tmp_path, OWN)
    (tmp_path / "ours.json").unlink()
    assert any(c.id == "OURS-1" for c in rules.criteria_set().criteria)
    assert rules.with_criteria(None).criteria_set() is default_criteria()


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        ('{"criteria": [\n  {"id": 1,,}\n]}', "json_syntax", {"line": 2}),
        ({"criteria": []}, "criteria_field", {"field": "criteria"}),
        ({**OWN, "leave_out": ["MRS-01", "MRS-99"]}, "criteria_field", {"field": "leave_out[1]"}),
        ({"criteria": OWN["criteria"] * 2}, "criteria_twice", {"criterion": "OURS-1"}),
        ({"criteria": [{**OWN["criteria"][0], "cut_off": "1.4"}]}, "criteria_field", {"field": "criteria[0].cut_off"}),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, content, code, where):
    with pytest.raises(InputError) as raised:
        write(tmp_path, content)
    message = raised.value.message
    assert message.code == code and where.items() <= message.parameters.items()
    assert "ours.json" in texts.sentence(message)


def test_a_prior_for_one_visit_leaves_the_others_alone():
    rules = Rules().with_prior((0.3, 0.2, 0.4), EARLY)
    early, late = analysis(rules).assessments
    assert early.prior == (0.3, 0.2, 0.4) and early.context[0].code == "prior_stated"
    assert late.prior == analysis(Rules()).assessments[1].prior
    assert rules.with_prior(None, EARLY) == Rules()


def test_a_prior_for_all_visits_gives_way_to_a_visits_own():
    rules = Rules().with_prior((0.5, 0.4, 0.6)).with_prior((0.3, 0.2, 0.4), LATE)
    assert [found.prior[0] for found in analysis(rules).assessments] == [0.5, 0.3]
    with pytest.raises(InputError):
        Rules().with_prior((0.3, 0.4, 0.5))
