"""A report as of an earlier visit: no file of it holds anything of a later one, and it says how many there are."""

import dataclasses
import datetime
import json
import re

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.known import BY_VISIT, known_analysis
from PseudoProgressionAnalyzerLib.measures import Event, InputError, Message, Visit
from PseudoProgressionAnalyzerLib.report import results

FIRST, EARLIER, LATEST = "2020-01-10", "2020-03-02", "2021-01-15"


@pytest.fixture
def analysis(analysis):
    """With a course of drug that ends late, an operation afterwards, and a fault of a later file."""
    day = datetime.date.fromisoformat
    analysis.patient.events += [
        Event("temozolomide", day("2020-02-01"), day("2020-12-24")),
        Event("surgery", day("2020-11-11")),
    ]
    analysis.patient.problems = [
        Message("file_missing", {"file": f"/data/{LATEST}/ADC.nii.gz"}),
        Message("file_missing", {"file": f"/data/{FIRST}/ADC.nii.gz"}),
    ]
    return analysis


def without_the_latest(analysis):
    """What somebody would have had at the earlier visit, cut by hand."""

    def kept(found):
        return {key: value for key, value in found.items() if LATEST not in (key, *key)}

    names = ("images", "maps", "brains", "regions", "references", "visit_to_reference", "alignment", "series_to_visit")
    patient = dataclasses.replace(
        analysis.patient,
        visits=analysis.patient.visits[:2],
        regions=analysis.patient.regions[:2],
        events=[
            dataclasses.replace(event, end=None) if event.kind == "temozolomide" else event
            for event in sorted(analysis.patient.events, key=lambda event: (str(event.date or ""), event.kind))
            if event.date is None or event.date.isoformat() <= EARLIER
        ],
        problems=analysis.patient.problems[1:],
    )
    return dataclasses.replace(
        analysis,
        patient=patient,
        measurements=[row for row in analysis.measurements if row.visit != LATEST],
        assessments=analysis.assessments[:1],
        outcome={EARLIER: ()},
        **{name: kept(getattr(analysis, name)) for name in names},
    )


def test_no_file_holds_anything_of_a_later_visit(analysis, tmp_path):
    placed = results.write_results(analysis, tmp_path / "then", as_of=EARLIER)
    late = ("2021-01-15", "2020-12-24", "2020-11-11", "-77.3")
    for path in placed:
        assert LATEST not in path.name
        if path.suffix in (".html", ".json", ".csv"):
            text = path.read_text()
            assert not [word for word in late if word in text], path
    results.write_results(analysis, tmp_path / "now")
    now = (tmp_path / "now" / "report.html").read_text() + (tmp_path / "now" / "measurements.csv").read_text()
    assert all(word in now for word in ("2021-01-15", "-77.3"))  # the same check fails where nothing is left out


def test_it_is_what_would_have_been_written_then(analysis, tmp_path):
    results.write_results(analysis, tmp_path / "cut", as_of=EARLIER)
    results.write_results(without_the_latest(analysis), tmp_path / "then")
    said = "One more visit exists that is dated later, or not at all: nothing of it is shown or used here."
    page, then = ((tmp_path / folder / "report.html").read_text() for folder in ("cut", "then"))
    assert said in page and said not in then
    (strip, timeline), (strip_then, timeline_then) = (re.findall('base64,[^"]+', text) for text in (page, then))
    assert strip == strip_then and timeline != timeline_then  # the whole picture says it too
    plain = page.replace(f'<p class="patient"><b>{said}</b></p>\n', "").replace(timeline, timeline_then)
    assert plain == then
    for name in ("measurements.csv", "maps/2020-03-02_rCBV_ratio.json"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "then" / name).read_text()
    cut, whole = (json.loads((tmp_path / folder / "assessment.json").read_text()) for folder in ("cut", "then"))
    assert (cut.pop("as_of"), cut.pop("visits_not_used")) == (EARLIER, 1)
    assert (whole.pop("as_of"), whole.pop("visits_not_used")) == (None, 0)
    assert cut == whole


def test_the_assessment_of_then_is_the_same_and_nothing_of_the_given_one_changes(analysis):
    before = dataclasses.replace(analysis)
    known, left_out = known_analysis(analysis, EARLIER)
    assert left_out == 1 and known.assessments == analysis.assessments[:1]
    assert [visit.id for visit in analysis.patient.visits] == [FIRST, EARLIER, LATEST]
    assert vars(analysis) == vars(before)


def test_as_of_the_latest_nothing_is_left_out(analysis):
    assert known_analysis(analysis, LATEST) == (analysis, 0) == known_analysis(analysis, "")


def test_an_unknown_visit_is_said(analysis, tmp_path):
    with pytest.raises(InputError) as raised:
        results.write_results(analysis, tmp_path / "out", as_of="1999-01-01")
    assert raised.value.message.code == "unknown_visit" and not (tmp_path / "out").exists()


def test_a_visit_without_a_date_is_left_out(analysis):
    analysis.patient.visits.append(Visit("someday", None))
    known, left_out = known_analysis(analysis, EARLIER)
    assert left_out == 2 and [visit.id for visit in known.patient.visits] == [FIRST, EARLIER]


def test_a_later_reference_visit_gives_way_to_the_first(analysis):
    """The pictures of then are cut in the space of the first visit, where everything meets as it did."""
    to_latest = np.linalg.inv(analysis.visit_to_reference[LATEST])
    turned = dataclasses.replace(
        analysis,
        reference_visit=LATEST,
        visit_to_reference={visit: to_latest @ matrix for visit, matrix in analysis.visit_to_reference.items()},
        alignment={FIRST: {"uncertainty": 0.3}, EARLIER: {"uncertainty": 0.4}, LATEST: {"uncertainty": 0.0}},
    )
    known, _ = known_analysis(turned, EARLIER)
    assert known.reference_visit == FIRST
    for visit in (FIRST, EARLIER):
        assert np.allclose(known.visit_to_reference[visit], analysis.visit_to_reference[visit])
    assert known.alignment[EARLIER] == {"uncertainty": pytest.approx(0.5)}  # through both
    planes = []

    class Pictures:
        def cell(self, visit, image, overlay, plane):
            planes.append(plane.affine)

        def scale(self, overlay):
            return None

    results.page(turned, pictures=Pictures(), as_of=EARLIER)
    cut, planes[:] = list(planes), []
    results.page(known_analysis(analysis, EARLIER)[0], pictures=Pictures())
    assert cut and np.allclose(cut, to_latest @ np.array(planes))


def test_every_field_that_is_kept_by_visit_is_cut(analysis):
    mappings = {name for name, value in vars(analysis).items() if isinstance(value, dict)}
    assert mappings - {"given", "outcome"} == set(BY_VISIT)
