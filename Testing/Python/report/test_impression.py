"""One line for each criterion: its category, the sizes as they were measured, what is not known."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "analysis"))
from test_responding import patient

from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.report.impression import impression, tree_impression


def line(analysis, visit, criterion="RANO_2.0"):
    return impression(analysis, analysis.response.of(visit, criterion))


def test_category_size_and_what_later_scans_made_of_it():
    said = line(patient((12, 16, 12)), "v1")
    assert said.startswith("preliminary progression, awaiting confirmation: +")
    volume = float(said.split("by area and +")[1].split(" %")[0])
    assert volume == pytest.approx(100 * ((16 / 12) ** 3 - 1), rel=0.1)
    assert "since the baseline of 2023-01-29" in said
    assert said.endswith("With the later scans: preliminary progression, not confirmed: favours pseudoprogression.")


def test_the_smallest_size_is_named_where_it_is_another_visit():
    said = line(patient((16, 12, 15)), "v2")
    assert "since the smallest size, on 2023-03-12" in said
    assert said.startswith("PD, progressive disease")


def test_what_is_not_known_stands_in_the_line():
    analysis = patient((12, 12, 12))
    analysis.patient.events = [event for event in analysis.patient.events if event.kind != "reading"]
    update_lesions(analysis)
    said = line(analysis, "v2")
    assert " or " in said
    assert "more that are not known" in said
    tree = analysis.response.bt_rads_of("v2")
    assert tree_impression(tree).endswith(".")
