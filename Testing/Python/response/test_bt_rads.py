"""BT-RADS: the tree with known and unknown inputs (section 7)."""

import dataclasses

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.response import (
    Comparison,
    Lesion,
    Settings,
    SteroidDose,
    judge_bt_rads,
    published_share,
)

from .simple import course, lesion, on_day, visit


def seen(enhancement="same", flair="same", week=30, before=None, radiotherapy=True, settings=None, **details):
    """The category of a study against the one 8 weeks before it."""
    comparison = Comparison(
        enhancement, flair, *(details.pop(name, None) for name in ("major", "progressive", "steroid_effect_likely"))
    )
    patient = course(visit("before", week - 8, **(before or {})), visit("now", week, comparison=comparison, **details))
    if not radiotherapy:
        patient = dataclasses.replace(patient, radiotherapy_ends=None)
    return judge_bt_rads(patient, settings)[1]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"surgery": on_day(170)}, ("0",)),  # 7.1 (S17)
        ({}, ("2",)),  # 7.4 (S17)
        ({"enhancement": "better"}, ("1a",)),  # 7.2 (S17)
        ({"enhancement": "better", "antiangiogenic": True}, ("1b",)),  # 7.3 (S17), 7.9 (S18)
        ({"enhancement": "better", "antiangiogenic": True, "before": {"antiangiogenic": True}}, ("1a",)),  # 7.9
        ({"enhancement": "better", "flair": "better", "antiangiogenic": True}, ("1a", "1b")),  # 7.9 does not say
        ({"enhancement": "better", "steroid": SteroidDose(4), "steroid_effect_likely": True}, ("1b",)),  # 7.10 (S18)
        ({"enhancement": "better", "steroid": SteroidDose(4), "steroid_effect_likely": False}, ("1a",)),
        ({"enhancement": "better", "steroid": SteroidDose(4)}, ("1a", "1b")),
        ({"enhancement": "better", "steroid": None}, ("1a", "1b")),
        ({"enhancement": "worse", "week": 12.7}, ("3a",)),  # 7.5 (S17), 7.11 (S18): day 89
        ({"enhancement": "worse", "week": 90 / 7}, ("3b",)),  # 7.6 (S17), 7.12 (S18)
        ({"flair": "worse"}, ("3b",)),
        ({"enhancement": "worse", "flair": "worse", "major": True}, ("4",)),  # 7.8 (S17), 7.12
        ({"enhancement": "worse", "flair": "worse", "major": False, "progressive": True}, ("4",)),
        ({"enhancement": "worse", "flair": "worse", "major": False, "progressive": False}, ("3c",)),  # 7.7 (S17)
        ({"enhancement": "worse", "flair": "worse"}, ("3c", "4")),
        ({"enhancement": "worse", "radiotherapy": False}, ("3a", "3b")),  # 7.15, 10.20: unknown time is not 90 days
        ({"enhancement": None}, ("1a", "2", "3b")),  # 7.15: unknown change is not stable
        ({"enhancement": "better", "flair": "worse"}, ("1a", "3b")),  # opposite changes
    ],
)
def test_the_tree(inputs, expected):
    assert seen(**inputs).possible == expected


def test_a_first_study_is_a_new_baseline():
    """7.1 (S17)."""
    assert judge_bt_rads(course(visit("first", 4)))[0].possible == ("0",)


def volumes(enhancing, other, **choices):
    """The category from volumes in mL, before and now, with limits that the user enters."""

    def parts(one, two):
        return Lesion("A", volume=Estimate(one, "mL")), Lesion("B", "non_enhancing", volume=Estimate(two, "mL"))

    patient = course(visit("before", 22, *parts(10, 50)), visit("now", 30, *parts(enhancing, other)))
    return judge_bt_rads(patient, Settings(**choices))[1].possible


def test_numbers_are_a_choice_of_one_program():
    """7.13 (S18): 10 % and 40 % of volume count only where the user enters them; 7.14 is recalled only."""
    chosen = {"bt_rads_unchanged": 10.0, "bt_rads_major": 40.0}
    assert volumes(10.5, 52, **chosen) == ("2",)
    assert volumes(15, 52, **chosen) == ("3b",)
    assert volumes(15, 60, **chosen) == ("4",)
    assert volumes(13, 60, **chosen) == ("3c", "4")  # whether it goes on over several studies is not said
    assert len(volumes(15, 60)) > 3


def test_the_published_share_is_shown_with_its_source():
    """Biomedicines 2024;12:887: true progression in 91.7 to 100 % of category 4, 73 patients."""
    verdict = seen("worse", "worse", major=True)
    (share,) = verdict.notes
    assert (share.parameters["low"], share.parameters["high"]) == (91.7, 100)
    assert "73 patients" in texts.sentence(share)
    assert published_share("2") is None


def test_unknowns_are_named():
    found = {message.code for message in seen("worse", "worse", radiotherapy=False).unknowns}
    assert found == {
        "response_unknown_bt_rads_early", "response_unknown_bt_rads_major", "response_unknown_bt_rads_progressive",
    }  # fmt: skip


def test_an_undated_visit_is_not_placed():
    patient = course(visit("first", 4, lesion("A")), dataclasses.replace(visit("x", 8), date=None))
    assert judge_bt_rads(patient)[1].possible == ("undated",)
