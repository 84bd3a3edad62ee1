"""What came after a visit, apart from its evidence."""

import datetime

import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit, outcome_after
from PseudoProgressionAnalyzerLib.measures import Event

from .simple import BEFORE, DATES, EARLY, LATE, as_bytes, codes, measured, patient, said

ROWS = [
    measured("volume", 12.0, "mL", BEFORE),
    measured("volume", 20.0, "mL", EARLY),
    measured("volume", 8.0, "mL", LATE),
    measured("Cho_NAA_molar", 0.8),
]


def test_a_later_smaller_lesion_is_said_with_its_numbers():
    found = said(outcome_after(patient(), EARLY, ROWS), "outcome_volume_smaller").parameters
    assert found == {"visit": LATE, "days": 180, "percent": 60, "then": 20.0, "later": 8.0}


@pytest.mark.parametrize(
    ("later", "code"),
    [(40.0, "outcome_volume_larger"), (21.0, "outcome_volume_within_error"), (None, "outcome_no_volume")],
)
def test_other_ends(later, code):
    rows = [*ROWS[:2], measured("volume", later, "mL", LATE)]
    assert codes(outcome_after(patient(), EARLY, rows)) == [code]


def test_the_interval_of_the_change_decides_as_elsewhere():
    """18 to 22 and 22 to 26 mL meet, but their difference, 4 (1.2 to 6.8) mL, does not hold zero."""
    rows = [measured("volume", 20.0, "mL", EARLY, error=0.1), measured("volume", 24.0, "mL", LATE, error=0.0834)]
    assert rows[0].high >= rows[1].low
    assert codes(outcome_after(patient(), EARLY, rows)) == ["outcome_volume_larger"]


def test_without_intervals_the_sign_decides():
    rows = [measured("volume", 20.0, "mL", EARLY, error=None), measured("volume", 19.0, "mL", LATE, error=None)]
    assert codes(outcome_after(patient(), EARLY, rows)) == ["outcome_volume_smaller"]


def test_histology_and_operations_after_the_visit_in_order():
    events = [
        Event("surgery", datetime.date(2020, 12, 1)),
        Event(
            "biopsy", datetime.date(2020, 5, 1), details={"viable_tumour_percent": 5, "treatment_effect_percent": 95}
        ),
        Event("biopsy", datetime.date(2020, 1, 15)),
        Event("dexamethasone", datetime.date(2020, 5, 2)),
    ]
    found = outcome_after(patient(events), EARLY, ROWS)
    assert codes(found) == ["outcome_biopsy", "outcome_volume_smaller", "outcome_surgery"]
    assert found[0].parameters == {"date": "2020-05-01", "tumour": "5 %", "effect": "95 %"}


def test_the_last_visit_has_no_outcome():
    assert outcome_after(patient(), LATE, ROWS) == ()


def test_an_undated_visit_has_no_before_and_after():
    found = outcome_after(patient(dates=DATES | {EARLY: None}), EARLY, ROWS)
    assert codes(found) == ["outcome_visit_undated"]


def test_outcome_never_reaches_the_assessment():
    changed = [*ROWS[:2], measured("volume", 80.0, "mL", LATE), *ROWS[3:]]
    assert outcome_after(patient(), EARLY, changed) != outcome_after(patient(), EARLY, ROWS)
    before, after = (as_bytes(assess_visit(patient(), EARLY, rows)) for rows in (ROWS, changed))
    assert before == after and b"outcome" not in before
