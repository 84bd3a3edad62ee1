"""Properties that hold for every course: order, units, unknowns, and that later scans never reach back."""

import dataclasses
import datetime

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.response import CRITERIA, Comparison, Lesion, SteroidDose, judge, judge_bt_rads

from .simple import course, lesion, on_day, visit

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

SIZES = st.sampled_from([0.0, 6.0, 9.0, 11.0, 14.0, 18.0, 20.0, 22.0, 25.0, 30.0])
NAMES = ("A", "B", "C", "D")


@st.composite
def courses(draw, tumour="enhancing"):
    """A fully known course: a scan before radiotherapy, the baseline 4 weeks after it, and up to three more.

    A lesion that has gone stays away, so that the reader's word on new lesions follows from the sizes.
    """
    weeks = [-9, 4, *sorted(draw(st.sets(st.integers(6, 40), min_size=1, max_size=3)))]
    sizes = {name: [draw(SIZES) for _ in weeks] for name in NAMES[: draw(st.integers(1, 3))]}
    for row in sizes.values():
        present = [place for place, size in enumerate(row) if size]
        for place in range(len(row)):
            if present and row[place] == 0 and place > present[0]:
                row[place:] = [0.0] * (len(row) - place)
    part = dict.fromkeys(NAMES, "non_enhancing" if tumour == "non_enhancing" else "enhancing")
    if tumour == "mixed":
        part["A"] = "non_enhancing"
    field = {name: draw(st.sampled_from(["inside", "outside"])) for name in NAMES}
    visits = []
    for place, week in enumerate(weeks):
        lesions = [
            lesion(name, row[place], row[place] * 0.9, field=field[name], component=part[name])
            for name, row in sizes.items()
        ]
        new = place > 0 and any(row[place] and not any(row[:place]) for row in sizes.values())
        small = any(0 < size * 0.9 < 10 for row in sizes.values() for size in row[: place + 1])
        grown = any(
            0.9 * row[place] > 10
            and max(row[1:place], default=0.0) * 0.9 < 10
            and any(size > 0 and 0.9 * (row[place] - size) >= 5 for size in row[1:place])
            for row in sizes.values()
        )
        small = grown if small or grown else None
        worse = draw(st.sampled_from([False, False, False, True]))
        visits.append(
            visit(
                f"V{place}", week, *lesions,
                new_lesion=new,
                nonmeasurable_progression=small,
                outside_field=draw(st.booleans()) if small else None,
                leptomeningeal=draw(st.sampled_from([False] * 9 + [True])),
                flair_worse=draw(st.sampled_from([False, False, False, True])),
                clinical="worse" if worse else "stable",
                from_tumour=draw(st.booleans()) if worse else None,
                steroid=SteroidDose(draw(st.sampled_from([0.0, 0.0, 2.0, 4.0]))),
                antiangiogenic=draw(st.sampled_from([False, False, True])),
                comparison=Comparison(
                    *(draw(st.sampled_from(["better", "same", "worse"])) for _ in range(2)),
                    *(draw(st.booleans()) for _ in range(3)),
                ),
                surgery=on_day(-70) if place == 0 else None,
            )
        )  # fmt: skip
    begun = draw(st.booleans())
    start = on_day(60) if begun else None
    return course(*visits, immunotherapy=begun, immunotherapy_start=start, tumour=tumour)


def all_verdicts(patient):
    """(criterion, measure, visit) to verdict, BT-RADS too; only RANO 2.0 judges tumours that do not enhance."""
    found = {("BT_RADS", "reader", verdict.visit): verdict for verdict in judge_bt_rads(patient)}
    for criterion in CRITERIA if patient.tumour == "enhancing" else ("RANO_2.0",):
        for response in judge(patient, criterion):
            for verdict in (response.area, response.volume):
                found[criterion, verdict.measure, verdict.visit] = verdict
    return found


def categories(options):
    return {option.category for option in options}


def with_visit(patient, place, **changes):
    visits = list(patient.visits)
    visits[place] = dataclasses.replace(visits[place], **changes)
    return dataclasses.replace(patient, visits=tuple(visits))


VISIT_FIELDS = {
    "new_lesion": None, "nonmeasurable_progression": None, "leptomeningeal": None, "flair_worse": None,
    "clinical": None, "from_tumour": None, "steroid": None, "antiangiogenic": None, "all_drawn": False,
    "viable_tumour": None, "comparison": Comparison(),
}  # fmt: skip
LESION_FIELDS = {
    "volume": {"volume": None},
    "diameters": {"longest": None, "perpendicular": None},
    "slices": {"slices": None},
    "spacing": {"slice_spacing": None},
    "extents": {"extents": None},
    "field": {"field": None},
}


@st.composite
def hidden(draw, tumour="enhancing"):
    """A course and the same course with one fact less."""
    patient = draw(courses(tumour))
    place = draw(st.integers(0, len(patient.visits) - 1))
    what = draw(st.sampled_from([*VISIT_FIELDS, *LESION_FIELDS, "radiotherapy", "immunotherapy"]))
    if what == "radiotherapy":
        return patient, dataclasses.replace(patient, radiotherapy_ends=None), what
    if what == "immunotherapy":
        assume(patient.immunotherapy)
        late = all(seen.date >= patient.immunotherapy_start for seen in patient.visits[2:])
        assume(late)
        return patient, dataclasses.replace(patient, immunotherapy_start=None), what
    if what in VISIT_FIELDS:
        return patient, with_visit(patient, place, **{what: VISIT_FIELDS[what]}), (what, place)
    lesions = list(patient.visits[place].lesions)
    one = draw(st.integers(0, len(lesions) - 1))
    lesions[one] = dataclasses.replace(lesions[one], **LESION_FIELDS[what])
    return patient, with_visit(patient, place, lesions=tuple(lesions)), (what, place, lesions[one].name)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(hidden(), hidden("mixed"), hidden("non_enhancing")))
def test_an_unknown_only_widens_what_is_possible(case):
    patient, less, _ = case
    before, after = all_verdicts(patient), all_verdicts(less)
    for key, verdict in before.items():
        if case[2] == "radiotherapy" and verdict.category in ("baseline", "before_baseline"):
            continue  # which visit is the baseline is then itself unknown
        if case[2] == "immunotherapy" and (key[2] in ("V0", "V1")):
            continue
        assert categories(verdict.provisional) <= categories(after[key].provisional), key
        if case[2] != "radiotherapy":
            assert categories(verdict.final) <= categories(after[key].final), key


@QUICK
@given(courses(), st.randoms(use_true_random=False))
def test_the_order_of_lesions_and_visits_changes_nothing(patient, random):
    visits = [dataclasses.replace(seen, lesions=tuple(random.sample(seen.lesions, len(seen.lesions)))) for seen in
              patient.visits]  # fmt: skip
    shuffled = dataclasses.replace(patient, visits=tuple(random.sample(visits, len(visits))))
    assert all_verdicts(shuffled) == all_verdicts(patient)


@QUICK
@given(courses(), st.floats(0.01, 100))
def test_percentages_do_not_depend_on_the_unit(patient, factor):
    """All volumes times a factor, with measurability stated: the categories by volume stay."""

    def scaled(one, by):
        stated = CRITERIA["RANO_2.0"].measurable(one, "volume")
        volume = Estimate(one.volume.value * by, "mL")
        return Lesion(one.name, volume=volume, measurable=stated, field=one.field)

    def course_scaled(by):
        visits = tuple(
            dataclasses.replace(seen, lesions=tuple(scaled(one, by) for one in seen.lesions)) for seen in patient.visits
        )
        return dataclasses.replace(patient, visits=visits)

    for criterion in CRITERIA:
        plain, other = (judge(course_scaled(by), criterion) for by in (1.0, factor))
        assert [response.volume.possible for response in plain] == [response.volume.possible for response in other]


@QUICK
@given(courses(), st.integers(1, 4))
def test_later_scans_never_change_what_was_said(patient, count):
    """Provisional categories see nothing that came later: pseudoprogression is outcome, never evidence."""
    known = dataclasses.replace(patient, visits=patient.visits[:count])
    earlier, later = all_verdicts(known), all_verdicts(patient)
    for key, verdict in earlier.items():
        assert verdict.provisional == later[key].provisional
        assert "pseudoprogression" not in categories(later[key].provisional)
        assert verdict.from_nadir == later[key].from_nadir


def test_a_known_course_is_decided_but_for_disputes():
    """With everything stated only disputed readings leave more than one category open; some do."""
    disputed = []

    @QUICK
    @given(st.one_of(courses(), courses("mixed"), courses("non_enhancing")))
    def check(patient):
        for key, verdict in all_verdicts(patient).items():
            if len(verdict.provisional) > 1 and key[0] != "BT_RADS":
                disputed.append(key)
                assert verdict.depends_on, (key, verdict)
                assert not verdict.unknowns

    check()
    assert disputed


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_current_scan_is_not_its_own_nadir(criterion):
    """Rule 9.5 (S19): else progression could never be reached."""
    patient = course(
        visit("V0", 4, lesion("A", 30)), visit("V1", 20, lesion("A", 20)), visit("V2", 40, lesion("A", 40))
    )
    assert [response.area.nadir for response in judge(patient, criterion)][2] in ("V1", "")
    assert "V2" not in {response.area.nadir for response in judge(patient, criterion)}


def test_dates_before_all_others_move_with_them():
    """A course shifted by a year has the same categories."""
    patient = course(visit("V0", 4, lesion("A", 30)), visit("V1", 20, lesion("A", 40)))
    year = datetime.timedelta(days=365)
    shifted = dataclasses.replace(
        patient,
        visits=tuple(dataclasses.replace(seen, date=seen.date + year) for seen in patient.visits),
        radiotherapy_ends=tuple(end + year for end in patient.radiotherapy_ends),
    )
    assert [found.area.possible for found in judge(shifted, "RANO_2.0")] == [
        found.area.possible for found in judge(patient, "RANO_2.0")
    ]
