"""Key numbers of page one: of the lesion that is assessed, with the visit that a change is against."""

import datetime
import html
import re

import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.assessment import assess_visit
from PseudoProgressionAnalyzerLib.measures import Event, Measurement, Message, Patient, Region, Visit
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.statement import statement
from PseudoProgressionAnalyzerLib.report.summary import summary

DATES = {"a": "2020-03-01", "b": "2020-06-01", "c": "2021-03-01"}
DAYS = {visit: datetime.date.fromisoformat(date) for visit, date in DATES.items()}
RADIOTHERAPY = Event("radiotherapy", datetime.date(2020, 1, 1), datetime.date(2020, 2, 10))
NONE = "no earlier value"


def row(name, value, unit="1", region="lesion", visit="c", **changes):
    details = {"kind": "own", "drawn_in": visit, **changes}
    return Measurement(visit=visit, region=region, name=name, value=value, unit=unit, **details)


VOLUME = row("volume", 12.0, "mL", low=11.0, high=13.0)
RCBV = row("rCBV_ratio_mean", 2.5, low=2.0, high=3.0)
GROWN = row("volume_percent", 50.0, "%", compared_to="b")


def key_numbers(rows, *events, regions=()):
    """(head of the changes, measure to (value, change)) of the page as of the last visit."""
    patient = Patient("p", [Visit(*day) for day in DAYS.items()], [RADIOTHERAPY, *events], list(regions))
    analysis = Analysis(patient, measurements=rows)
    page = summary(Markup(patient), assess_visit(patient, "c", rows), analysis)
    table = re.search(r"Key numbers</h3>(.*?)</table>", page, re.DOTALL)
    cells = [
        [html.unescape(re.sub("<[^>]+>", " ", cell)).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)]
        for line in (table[1].split("</tr>") if table else ())
    ]
    (head, *found) = [[re.sub(r"\s+", " ", cell) for cell in line] for line in cells if line] or [["", "", ""]]
    return head[2], {measure: (value, change) for measure, value, change in found}, page


def test_a_sample_that_weighs_most_hides_no_number():
    biopsy = Event("biopsy", datetime.date(2020, 12, 1), None, {"viable_tumour_percent": 95.0})
    head, found, _ = key_numbers([VOLUME, GROWN, RCBV], biopsy)
    assert found["Volume"] == ("12.0 mL (11.0 to 13.0)", "+50.0 %") and head == "Change since 2020-06-01"
    assert [value for value, _ in found.values()][1] == "2.50 (2.00 to 3.00)"


@pytest.mark.parametrize("evidence", [(), (RCBV,)])
def test_the_lesion_is_the_one_that_is_assessed(evidence):
    small = row("volume", 2.0, "mL", region="a small one")
    for rows in ([small, VOLUME, *evidence], [*evidence, VOLUME, small]):
        assert key_numbers(rows)[1]["Volume"][0] == "12.0 mL (11.0 to 13.0)"


def test_a_value_of_a_carried_region_says_so():
    carried = row("rCBV_ratio_mean", 3.0, region="old", kind="fixed", drawn_in="a", low=2.5, high=3.5)
    change = row("rCBV_ratio_mean_percent", 20.0, "%", region="old", kind="fixed", drawn_in="a", compared_to="b")
    of_another = row("rCBV_ratio_mean_percent", 99.0, "%", region="old", kind="fixed", drawn_in="b", compared_to="b")
    _, found, _ = key_numbers([VOLUME, carried, of_another, change])
    (said,) = [measure for measure in found if "in the region old, drawn on" in measure]
    assert found[said] == ("3.00 (2.50 to 3.50)", "+20.0 %") and "Volume" in found
    _, found, _ = key_numbers([carried])  # nothing was drawn in the visit itself
    assert list(found) == [said] and found[said][1] == NONE
    _, found, _ = key_numbers([VOLUME, RCBV, carried])  # an own value comes before it
    assert not [measure for measure in found if "old" in measure]


def test_changes_since_different_visits_name_theirs():
    older = row("rCBV_ratio_mean_percent", 80.0, "%", compared_to="a")
    head, found, _ = key_numbers([VOLUME, GROWN, RCBV, older])
    assert head == "Change"
    assert [change for _, change in found.values()] == ["+50.0 % since 2020-06-01", "+80.0 % since 2020-03-01"]
    newer = row("rCBV_ratio_mean_percent", -5.0, "%", compared_to="b")
    head, found, _ = key_numbers([VOLUME, GROWN, RCBV, older, newer])  # the latest where there are several
    assert (head, [change for _, change in found.values()]) == ("Change since 2020-06-01", ["+50.0 %", "-5.0 %"])


def test_a_change_that_was_refused_says_why():
    apart = Message("spectra_echo_times_differ", {"then": 30, "now": 144})
    now, then = row("Cho_NAA_molar", 1.2), row("Cho_NAA_molar", 0.8, visit="b")
    refused = row("Cho_NAA_molar", None, compared_to="b", flags=(apart,))
    _, found, page = key_numbers([now, then, refused])
    ((_, change),) = found.values()
    assert change.startswith("not compared") and Markup(Patient("p", [])).sentence(apart) in page
    _, found, _ = key_numbers([now])
    assert [change for _, change in found.values()] == [NONE]


def test_measures_that_only_surround_the_lesion_are_not_among_them():
    around = row("ADC_mean", 1.0, region="edema")
    regions = [Region("edema", "c", "oedema", None), Region("lesion", "c", "lesion", None)]
    assert list(key_numbers([around, VOLUME], regions=regions)[1]) == ["Volume"]


def test_the_limits_say_in_how_many_cases_they_were_found():
    """Nothing is said of the sources that no field of a criterion holds."""
    patient = Patient("p", [Visit(*day) for day in DAYS.items()], [RADIOTHERAPY])
    found = assess_visit(patient, "c", [RCBV])
    used = {item.criterion.id: item.criterion for item in found.evidence if item.used and round(item.weight, 1)}
    counts = [one.positives + one.negatives for one in used.values() if None not in (one.positives, one.negatives)]
    said = statement(found).limits
    assert counts and "centre" not in said
    assert f"{min(counts)} to {max(counts)} cases" in said or f"{counts[0]} cases" in said
    assert ("where that is known" in said) == (len(counts) < len(used))


def test_page_one_says_that_no_lesion_was_drawn():
    """Else a reader takes "nothing weighs" for a finding."""
    said = "No lesion was drawn in this visit"
    assert said in key_numbers([])[2] and said not in key_numbers([VOLUME])[2]
