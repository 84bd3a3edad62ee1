"""A report as of an earlier visit: no file of it holds anything of a later one, and it says how many there are."""

import dataclasses
import datetime
import json
import re

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.aligning import USER, trust
from PseudoProgressionAnalyzerLib.analysis.judging import assess_visits
from PseudoProgressionAnalyzerLib.analysis.known import BY_VISIT, known_analysis, latest_assessed
from PseudoProgressionAnalyzerLib.analysis.responding import judge_responses, update_lesions
from PseudoProgressionAnalyzerLib.measures import Event, InputError, LeftOut, Message, Visit
from PseudoProgressionAnalyzerLib.report import assessment_json, results
from PseudoProgressionAnalyzerLib.response import Settings

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


def test_beside_an_undated_visit_the_latest_keeps_its_outcome(analysis):
    """Histology after the latest visit is outcome of it, whether there is a visit without a date or not."""
    biopsy = Event("biopsy", datetime.date(2021, 3, 1), details={"viable_tumour_percent": 80})
    analysis.patient.events.append(biopsy)
    assess_visits(analysis)
    said = analysis.outcome[LATEST]
    assert [message.code for message in said] == ["outcome_biopsy"]
    analysis.patient.visits.append(Visit("somewhen", None))
    known, left_out = known_analysis(analysis, LATEST)
    assert left_out == 1 and known.outcome[LATEST] == said and biopsy in known.patient.events
    known, left_out = known_analysis(analysis, EARLIER)
    assert left_out == 2 and biopsy not in known.patient.events


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
        def cell(self, visit, image, plane):
            planes.append(plane.affine)

    results.page(turned, pictures=Pictures(), as_of=EARLIER)
    cut, planes[:] = list(planes), []
    results.page(known_analysis(analysis, EARLIER)[0], pictures=Pictures())
    assert cut and np.allclose(cut, to_latest @ np.array(planes))


MIDDLE = "2020-09-01"


def with_a_visit(analysis, name, like):
    """Another visit on a day, which looks like one of the others."""
    visits = analysis.patient.visits
    like_visit = analysis.patient.visit(like)
    visits.append(Visit(name, datetime.date.fromisoformat(name), like_visit.series))
    visits.sort(key=lambda visit: visit.date)
    regions = [region for region in analysis.patient.regions if region.visit == like]
    analysis.patient.regions += [dataclasses.replace(region, visit=name) for region in regions]
    for found in (analysis.images, analysis.regions, analysis.maps, analysis.series_to_visit):
        found |= {(name, key[1]): value for key, value in found.items() if key[0] == like}
    for found in (analysis.brains, analysis.references, analysis.visit_to_reference, analysis.alignment):
        found[name] = found[like]
    rows = [row for row in analysis.measurements if (row.visit, row.kind, row.compared_to) == (like, "own", "")]
    analysis.measurements += [dataclasses.replace(row, visit=name, drawn_in=name) for row in rows]
    return analysis


def judged(analysis):
    update_lesions(analysis)
    assess_visits(analysis)
    return analysis


def categories(analysis, visit):
    return [
        (found.criterion, *([option.category for option in one.provisional] for one in (found.area, found.volume)))
        for found in analysis.response.responses
        if found.visit == visit
    ]


@pytest.fixture
def full(analysis):
    """Every field holds something of the latest visit; the visit before it has a response that it settles."""
    analysis = judged(with_a_visit(analysis, MIDDLE, LATEST))
    visits = [visit.id for visit in analysis.patient.visits]
    analysis.patient.visits[0].warnings = [Message("made_up", {"visit": LATEST}), Message("made_up", {"visit": FIRST})]
    analysis.patient.left_out = [LeftOut(analysis.patient.visits[-1])]
    for name in BY_VISIT:
        found = getattr(analysis, name)
        for visit in visits if not found else ():
            found[visit] = visit
    analysis.messages = {
        visit: [Message("made_up", {"since": [FIRST, LATEST]}), Message("made_up", {"visit": FIRST})]
        for visit in visits
    }
    analysis.region_spectra = {(MIDDLE, drawn_in, "lesion"): "a fit" for drawn_in in visits}
    analysis.reader_lines = {(visit, "L1", "reader"): np.zeros((2, 2, 3)) for visit in visits}
    analysis.choices = dataclasses.replace(
        analysis.choices, settings=Settings(baseline=LATEST), treatment_start=datetime.date(2020, 11, 11)
    )
    analysis.rules = analysis.rules.with_prior((0.5, 0.4, 0.6), LATEST).with_prior((0.6, 0.5, 0.7), MIDDLE)
    analysis.finished = {("step_align", visit) for visit in visits}
    analysis.given = {f"uid of {LATEST}": analysis.images[LATEST, "T1CE"]}
    analysis.reference_head = (f"head of {LATEST}",)
    turn = np.linalg.inv(analysis.visit_to_reference[LATEST])
    analysis.visit_to_reference = {visit: turn @ matrix for visit, matrix in analysis.visit_to_reference.items()}
    analysis.reference_visit = LATEST
    return analysis


def words_of(found):
    """Everything that is written in a value, however deep."""
    if dataclasses.is_dataclass(found):
        found = [getattr(found, entry.name) for entry in dataclasses.fields(found)]
    if isinstance(found, dict):
        found = [*found, *found.values()]
    if isinstance(found, (list, tuple, set, frozenset)):
        return "\n".join(map(words_of, found))
    return "" if isinstance(found, np.ndarray) else str(found)


def test_no_field_holds_anything_of_a_later_visit(full):
    known, left_out = known_analysis(full, MIDDLE)
    late = ("2021-01-15", "2020-12-24", "2020-11-11")
    for entry in dataclasses.fields(Analysis):
        before, after = (words_of(getattr(one, entry.name)) for one in (full, known))
        assert any(word in before for word in late), f"{entry.name}: the test holds nothing that could be left out"
        assert not [word for word in late if word in after], entry.name
    assert left_out == 1 and known.finished == {("step_align", visit) for visit in (FIRST, EARLIER, MIDDLE)}
    assert known.rules.priors == {MIDDLE: (0.6, 0.5, 0.7)}
    assert [list(said.parameters.values()) for said in known.messages[MIDDLE][:1]] == [[FIRST]]
    assert known.patient.visits[0].warnings == full.patient.visits[0].warnings[1:]


def test_every_field_that_is_kept_by_visit_is_cut(analysis):
    mappings = {name for name, value in vars(analysis).items() if isinstance(value, dict)}
    assert mappings - {"given", "outcome"} == set(BY_VISIT)


def test_the_outcome_of_earlier_visits_is_what_was_known_of_it_then(full):
    known, _ = known_analysis(full, MIDDLE)
    alone = judged(known_analysis(full, MIDDLE)[0])
    assert known.outcome == alone.outcome and not known.outcome[MIDDLE]
    codes = {message.code for message in known.outcome[EARLIER]}
    assert "response_later_baseline" in codes and "outcome_volume_smaller" in codes


def test_a_baseline_that_was_not_scanned_yet_is_not_asked_for(analysis):
    choices = dataclasses.replace(judged(analysis).choices, settings=Settings(baseline=LATEST))
    without = known_analysis(analysis, EARLIER)[0]
    analysis.choices = choices
    judge_responses(analysis)
    known, _ = known_analysis(analysis, EARLIER)
    assert known.choices.settings.baseline is None and known.response == without.response
    analysis.choices = dataclasses.replace(choices, settings=Settings(baseline=EARLIER))
    assert known_analysis(analysis, EARLIER)[0].choices.settings.baseline == EARLIER


DURING = "2020-02-10"


def test_during_radiotherapy_its_beginning_is_not_its_end(analysis):
    """The categories of the whole analysis, which knows the end: nothing is counted from the first day."""
    whole = judged(with_a_visit(analysis, DURING, EARLIER))
    assert whole.patient.day(whole.patient.visit(DURING)) == -14
    known, left_out = known_analysis(whole, DURING)
    assert left_out == 2 and known.assessments == []
    assert known.patient.radiotherapy_end is None
    assert {known.patient.day(visit) for visit in known.patient.visits} == {None}
    assert categories(known, DURING) == categories(whole, DURING)
    assert ("mRANO", ["before_baseline"], ["before_baseline"]) in categories(known, DURING)
    document = assessment_json.document(known, as_of=DURING, not_used=left_out)
    assert [visit["day"] for visit in document["visits"]] == [None, None]
    page = results.page(whole, as_of=DURING)
    assert "radiotherapy had not ended" in page and "radiotherapy ended" not in page
    assert "2020-02-24" not in page and "day 28" not in page


def test_before_radiotherapy_none_is_stated(analysis):
    page = results.page(analysis, as_of=FIRST)
    assert "no radiotherapy stated" in page and "1 visit: 2020-01-10" in page
    assert "radiotherapy ended 2020-02-24" in results.page(analysis, as_of=EARLIER)
    begun = [Event("radiotherapy", datetime.date(2020, 1, 13))]
    whole = dataclasses.replace(analysis, patient=dataclasses.replace(analysis.patient, events=begun))
    assert "end of radiotherapy unknown" in results.page(whole)


def test_a_second_course_changes_nothing_in_the_days(analysis):
    again = Event("radiotherapy", datetime.date(2020, 8, 20), datetime.date(2020, 9, 20))
    analysis.patient.events.append(again)
    whole = judged(with_a_visit(analysis, MIDDLE, LATEST))
    known, _ = known_analysis(whole, MIDDLE)
    assert known.patient.day(known.patient.visit(MIDDLE)) == whole.patient.day(whole.patient.visit(MIDDLE)) == 190
    assert categories(known, MIDDLE) == categories(whole, MIDDLE)


def test_of_two_visits_on_the_latest_day_both_are_the_latest(analysis):
    analysis.patient.visits.append(Visit("twin", datetime.date.fromisoformat(LATEST)))
    analysis.patient.events.append(Event("surgery", datetime.date(2021, 3, 1)))
    judged(analysis)
    for visit in (LATEST, "twin"):
        assert known_analysis(analysis, visit) == (analysis, 0)
        assert "outcome_surgery" in {message.code for message in analysis.outcome[visit]}
    known, left_out = known_analysis(analysis, EARLIER)
    assert left_out == 2 and [visit.id for visit in known.patient.visits] == [FIRST, EARLIER]


def test_an_undated_visit_knows_only_itself_and_is_never_the_latest(analysis):
    said = "This visit has no date. 3 more visits exist that may be before or after it"
    analysis.patient.visits.append(Visit("someday", None))
    judged(analysis)
    assert latest_assessed(analysis) == LATEST
    known, left_out = known_analysis(analysis, "someday")
    assert ([visit.id for visit in known.patient.visits], left_out) == (["someday"], 3)
    page = results.page(analysis, as_of="someday")
    assert said in page and "dated later" not in page
    known, left_out = known_analysis(analysis, LATEST)
    assert ([visit.id for visit in known.patient.visits], left_out) == ([FIRST, EARLIER, LATEST], 1)
    assert "One more visit exists that is dated later, or not at all" in results.page(analysis, as_of=LATEST)
    assert f"<h2>As of {LATEST}" in results.page(analysis)  # where none is chosen, the latest that has a date
    alone = dataclasses.replace(analysis, patient=dataclasses.replace(analysis.patient, visits=[Visit("only", None)]))
    assert known_analysis(alone, "only") == (alone, 0)


def test_only_messages_about_a_later_visit_are_left_out(analysis):
    """A visit is named by a whole value or a whole part of a path: never by a part of a name or of numbers."""
    for visit, name in zip(analysis.patient.visits, ("s2", "s3", "s1"), strict=True):
        visit.id = name
    analysis.assessments = []
    about = [{"visit": "s1"}, {"file": "/data/s1/ADC.nii"}, {"visits": "s3, s1"}, {"file": "C:\\data\\s1\\T1.nii"}]
    others = [{"file": "/base/s10.nii"}, {"file": "/data/s12/ADC.nii"}, {"names": "s10, s11"}]
    analysis.patient.problems = [Message("made_up", shown) for shown in (*about, *others)]
    assert [said.parameters for said in known_analysis(analysis, "s3")[0].patient.problems] == others
    for visit, name in zip(analysis.patient.visits, ("2", "3", "1"), strict=True):
        visit.id = name
    numbers = {"file": "/data/3/ADC.nii", "shape": "(12, 1, 3)", "days": 1}
    analysis.patient.problems = [Message("made_up", numbers), Message("made_up", {"visits": "2, 1"})]
    assert [said.parameters for said in known_analysis(analysis, "3")[0].patient.problems] == [numbers]


def aligned_to_the_latest(analysis, first, earlier, messages):
    to_latest = np.linalg.inv(analysis.visit_to_reference[LATEST])
    return dataclasses.replace(
        analysis,
        reference_visit=LATEST,
        visit_to_reference={visit: to_latest @ matrix for visit, matrix in analysis.visit_to_reference.items()},
        alignment={FIRST: first, EARLIER: earlier, LATEST: {"uncertainty": 0.0}},
        messages={FIRST: messages.get("first", []), EARLIER: messages.get("earlier", [])},
    )


DISAGREES = Message("registration_disagrees", {"distance": 4.0, "limit": 3.0})
LITTLE = Message("registration_uncertain", {"uncertainty": 2.1, "limit": 2.0})


@pytest.mark.parametrize(
    ("first", "earlier", "messages", "codes", "trusted"),
    [
        ({"uncertainty": 1.0}, {"uncertainty": 1.0}, {}, [], "good"),
        ({"uncertainty": 1.9}, {"uncertainty": 1.9}, {}, ["registration_uncertain"], "check"),
        ({"uncertainty": 0.1}, {"uncertainty": 2.1}, {"earlier": [LITTLE]}, ["registration_uncertain"], "check"),
        ({USER: 1.0}, {"uncertainty": 1.9}, {}, ["registration_uncertainty_unknown"], "check"),
        ({"uncertainty": 0.3}, {USER: 1.0}, {}, ["registration_uncertainty_unknown"], "check"),
        ({}, {"uncertainty": 0.3}, {}, ["registration_uncertainty_unknown"], "check"),
        ({USER: 1.0}, {USER: 1.0}, {}, [], "own"),
        ({"uncertainty": 0.3}, {"uncertainty": 0.3}, {"first": [DISAGREES]}, ["registration_disagrees"], "failed"),
    ],
)
def test_a_way_through_the_visit_of_before_is_judged_anew(analysis, first, earlier, messages, codes, trusted):
    """Both uncertainties add, unknown where one is; a doubt about one of both alignments is a doubt about the way."""
    known, _ = known_analysis(aligned_to_the_latest(analysis, first, earlier, messages), EARLIER)
    assert [message.code for message in known.messages[EARLIER]] == codes and known.messages[FIRST] == []
    assert trust(known, EARLIER) == trusted and trust(known, FIRST) == "reference"
    if codes == ["registration_uncertain"]:
        (said,) = known.messages[EARLIER]
        together = np.sqrt(first["uncertainty"] ** 2 + earlier["uncertainty"] ** 2)
        assert said.parameters["uncertainty"] == pytest.approx(together)
