"""The published data: every limit has a rule that was read, every rule a source, every rule a test."""

import re
from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.response import bt_rads, categories
from PseudoProgressionAnalyzerLib.response.findings import DOMAINS
from PseudoProgressionAnalyzerLib.response.published import citation, limit, published, readings, switchable
from PseudoProgressionAnalyzerLib.response.settings import Settings

RULES = published()["rules"]

NOT_COMPUTED = {
    "how images are made, which no number here can check": "2.6 3.10 3.11 3.16",
    "facts behind a rule": "2.7 3.4 5.4 5.8 6.1 6.2 6.5 8.2 8.7 8.13",
    "what needs a reader, who states the result": "3.7 3.15",
    "no part of the criteria": "3.17",
    "RANO-LGG, not among the criteria computed": "4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10",
    "recalled only and left out": "1.25 1.40 2.10 3.34 6.4 7.14 8.5 8.8 8.15 9.11 9.16",
    "of brain metastases and meningioma, not verified for glioma": "9.12",
    "AVAglio, a trial's own criteria": "9.17",
}


@pytest.mark.parametrize("name", published()["limits"])
def test_every_limit_was_read_somewhere(name):
    row = published()["limits"][name]
    assert RULES[row["rule"]]["mark"] in ("V1", "V2", "V3")
    assert RULES[row["rule"]]["sources"]
    assert row["unit"]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_mark_and_what_was_read_a_source(rule):
    row = RULES[rule]
    assert row["mark"] in published()["marks"]
    assert set(row["sources"]) <= set(published()["sources"])
    assert citation(rule).startswith(row["mark"])
    if row["mark"] == "R":
        assert not row["sources"]


def test_the_limits_are_those_of_the_sources():
    """Hand copy of all published numbers: S4, S5, S6, S10 and S1; S3; S7 and S8; S12; S15; S17 and S18; S20; S21."""
    expected = {
        "area_growth": 25, "area_response": 50, "area_minor": 25, "volume_growth": 40, "volume_response": 65,
        "volume_minor": 40, "baseline_first": 21, "baseline_last": 35, "before_treatment": 14, "confirmation": 28,
        "twelve_weeks": 12 * 7, "twelve_weeks_2010": 12 * 7, "immunotherapy": 6, "late_confirmation": 16 * 7,
        "after_radiotherapy_bt_rads": 90, "after_surgery": 3, "pet_measurable": 0.5, "supramaximal_residue": 5,
        "high_dose_isodose": 80, "measurable_diameter": 10, "measurable_slices": 2, "thick_slice": 5,
        "thick_slice_factor": 2, "measurable_short_axis": 10, "measurable_extent": 10, "nonmeasurable_growth": 5,
        "nonmeasurable_size": 10, "most_targets_2010": 5, "most_targets": 3, "most_targets_mixed": 2,
        "viable_nuclei": 70, "replacement_hydrocortisone": 30, "slice_thickness_3d": 1.5, "slice_thickness_2d": 4,
    }  # fmt: skip
    assert {name: limit(name) for name in published()["limits"]} == expected


def test_volume_and_area_limits_match_for_a_ball():
    """9.1, 9.2, 9.3: progression and response agree to 0.4 points; minor response does not."""
    assert pytest.approx(limit("volume_growth"), abs=0.4) == 100 * (1.25**1.5 - 1)
    assert pytest.approx(limit("volume_response"), abs=0.4) == 100 * (1 - 0.5**1.5)
    assert pytest.approx(35.0, abs=0.1) == 100 * (1 - 0.75**1.5)
    assert limit("volume_minor") == 40


def test_what_is_recalled_is_off():
    """Nothing recalled holds by default; what is switchable is so by the user alone."""
    assert Settings().recalled == frozenset()
    assert set(switchable()) == {"2.8", "10.4", "5.7"}
    recalled = [rule for rule, row in RULES.items() if row["mark"] == "R"]
    assert not {row["rule"] for row in published()["limits"].values()} & set(recalled)


def test_disputes_have_no_default():
    for setting in published()["disputed"]:
        assert getattr(Settings(), setting) is None
        assert len(readings(setting)) >= 2


def test_every_rule_is_tested_or_left_out_for_a_reason():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    tests += Path(__file__).read_text().split("def test_every_limit")[1]
    named = set(re.findall(r"(?<![\d.])\d{1,2}\.\d{1,2}(?![\d.])", tests))
    left_out = {rule for rules in NOT_COMPUTED.values() for rule in rules.split()}
    assert left_out <= set(RULES)
    assert set(RULES) - named - left_out == set()


def test_every_edge_case_has_a_test():
    tests = (Path(__file__).parent / "test_edge_cases.py").read_text()
    assert [f"def test_e{number:02d}_" in tests for number in range(1, 47)] == [True] * 46


@pytest.mark.parametrize(
    "code",
    [
        *(f"response_unknown_{name}" for name in DOMAINS if name not in published()["disputed"]),
        *(f"response_unknown_bt_rads_{name}" for name in bt_rads.DOMAINS if name not in published()["disputed"]),
        *(f"response_depends_on_{name}" for name in published()["disputed"]),
    ],
)
def test_every_unknown_has_a_sentence(code):
    assert code in texts.catalogue()


def test_the_rules_that_sentences_name_exist():
    """A reason names its rule, and the rule its source."""
    folder = Path(categories.__file__).parent
    named = re.findall(r'"rule": "(\d+\.\d+)"', "".join(path.read_text() for path in folder.glob("*.py")))
    assert len(named) > 40
    assert set(named) <= set(RULES)
