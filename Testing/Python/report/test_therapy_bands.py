"""Windows after radiotherapy and tracks of events: where they lie, and what they are called."""

import datetime
import re

from PseudoProgressionAnalyzerLib.measures import Event, Patient
from PseudoProgressionAnalyzerLib.report.svg import DateAxis
from PseudoProgressionAnalyzerLib.report.therapy_bands import bands, track
from PseudoProgressionAnalyzerLib.response import BANDS

END = datetime.date(2023, 1, 1)
DAYS = DateAxis(END, END + datetime.timedelta(days=1000), 0.0, 1000.0)  # a pixel is a day
PATIENT = Patient("p", [], [Event("radiotherapy", END - datetime.timedelta(days=40), END)])


def spans(parts):
    """(left, width) of every filled band."""
    found = [re.search(r'rect x="([\d.]+)" y="\S+" width="([\d.]+)"', part) for part in parts]
    return [(float(match[1]), float(match[2])) for match in found if match]


def test_the_windows_lie_where_their_days_are():
    parts = bands(PATIENT, BANDS, DAYS, 0, 10)
    assert spans(parts) == [(0, 84), (183, 365)]
    assert "0-12 weeks" in "".join(parts)


def test_edited_windows_are_named_by_their_days_and_end_where_the_axis_ends():
    parts = bands(PATIENT, ((10, 90), (900, 1200)), DAYS, 0, 10)
    assert spans(parts) == [(10, 80), (900, 100)]
    assert "0-12 weeks" not in "".join(parts)


def test_without_radiotherapy_there_is_no_window():
    assert bands(Patient("p", []), BANDS, DAYS, 0, 10) == []


def test_radiotherapy_itself_is_shown_where_wanted_and_as_a_track():
    early = DateAxis(END - datetime.timedelta(days=100), END, 0.0, 100.0)
    assert spans(bands(PATIENT, BANDS, early, 0, 10, given=True)) == [(60, 40)]
    assert spans(bands(PATIENT, BANDS, early, 0, 10)) == []
    assert spans(track("radiotherapy", PATIENT.events, early, 0)) == [(60, 40)]


def test_what_goes_on_is_a_bar_to_the_end_of_the_axis():
    """A drug without an end, and radiotherapy of which it is stated; of radiotherapy a missing end is not known."""
    early = DateAxis(END - datetime.timedelta(days=100), END, 0.0, 100.0)
    begin = END - datetime.timedelta(days=40)
    for kind, details, goes_on in (
        ("radiotherapy", {"ended": False}, True),
        ("radiotherapy", {}, False),
        ("bevacizumab", {}, True),
        ("temozolomide", {}, True),
        ("surgery", {}, False),
    ):
        mark = track(kind, [Event(kind, begin, None, details)], early, 0)[-1]
        assert ("M60.0 5.0 H92.0 l8 5" in mark) == goes_on and ("l6 6" in mark) != goes_on, kind
        grey = bands(Patient("p", [], [Event(kind, begin, None, details)]), BANDS, early, 0, 10, given=True)
        assert spans(grey) == ([(60, 40)] if goes_on and kind == "radiotherapy" else [])
