"""Real tables with their gaps: no crash, and changes equal to plain arithmetic on the same rows."""

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.response import CRITERIA, Settings, judge, judge_bt_rads

from .treated_gliomas import TABLE, courses, day, rows


def test_no_gap_breaks_anything(reference_data):
    """Every visit of every patient has a verdict by every criterion, and every message its sentence."""
    count = 0
    for _, patient in courses(reference_data(TABLE), benign=False):
        for criterion in CRITERIA:
            for response in judge(patient, criterion):
                count += 1
                assert response.volume.provisional
                assert response.volume.final
                for message in (*response.volume.unknowns, *response.volume.notes, response.message):
                    assert texts.sentence(message)
        assert all(verdict.provisional for verdict in judge_bt_rads(patient))
    assert count == 541 * len(CRITERIA)


def test_silence_decides_nothing(reference_data):
    """With volumes alone no scored visit is ever certain: new lesions and clinical status are not in the table."""
    for _, patient in courses(reference_data(TABLE), benign=False):
        for response in judge(patient, "RANO_2.0"):
            if response.volume.category is not None:
                assert response.volume.category in ("baseline", "before_baseline", "undated")


def test_changes_are_those_of_plain_arithmetic(reference_data):
    """Percent over the smallest earlier volume, the first dated scan as baseline: recomputed without the library."""
    table, compared = rows(reference_data(TABLE)), 0
    for name, patient in courses(reference_data(TABLE), benign=True):
        series = sorted((day(row["day"]), f"tp{row['tp']}", float(row["et"])) for row in table[name] if row["day"])
        if len(series) < max(2, len(table[name])):  # an undated scan may be the nadir
            continue
        first = series[0][1]
        found = {one.visit: one.volume for one in judge(patient, "RANO_2.0", Settings(baseline=first))}
        for place in range(1, len(series)):
            visit = series[place][1]
            nadir = min(size for _, _, size in series[:place])
            if nadir < 524 or series[0][2] < 524:  # not measurable by this helper's assumption
                continue
            compared += 1
            change = found[visit].from_nadir["enhancing"].value
            assert change == pytest.approx(100 * (series[place][2] / nadir - 1))
            if round(change, 1) > 40 and not found[visit].depends_on:
                assert set(found[visit].possible) <= {"PD", "preliminary_PD"}
            elif round(change, 1) < 40:
                assert not {"PD", "preliminary_PD"} & set(found[visit].possible)
    assert compared > 200
