"""Lesions with their identities over eight visits, what is measured of them, and that an edit measures only itself."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import lesions as following
from PseudoProgressionAnalyzerLib.analysis.lesion_rows import ALL, lesion_rows
from PseudoProgressionAnalyzerLib.analysis.lesions import follow_lesions
from PseudoProgressionAnalyzerLib.measures import Image, Map, Message, Region
from PseudoProgressionAnalyzerLib.report import assessment_json
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.response_html import response_section

sys.path.insert(0, str(Path(__file__).resolve().parent))
from followed import BALLS, IDENTITIES, LEFT, RIGHT, balls, followed_patient, grid, pose, reading


@pytest.fixture(scope="module")
def analysis():
    made = followed_patient()
    follow_lesions(made)
    return made


def at(analysis, number):
    return {lesion.lesion: lesion for lesion in analysis.lesions if lesion.visit == f"v{number}"}


@pytest.mark.parametrize("number", range(8))
def test_identities_and_what_became_of_them(analysis, number):
    assert {name: lesion.tracked.events for name, lesion in at(analysis, number).items()} == IDENTITIES[number]


def test_without_the_alignment_the_same_check_fails():
    moved = followed_patient()
    for number in range(1, 8):
        moved.visit_to_reference[f"v{number}"] = np.eye(4) + np.diag([0, 0, 0, 0.0])
        moved.visit_to_reference[f"v{number}"][0, 3] = 25.0 * (-1) ** number
    follow_lesions(moved)
    found = [{name: lesion.tracked.events for name, lesion in at(moved, number).items()} for number in range(8)]
    assert found != list(IDENTITIES)


def test_numbers_of_a_ball(analysis):
    """Volume, both diameters by both rules, and the roundness of a ball of 9 mm on 1 mm voxels."""
    lesion = at(analysis, 0)["L1"]
    assert lesion.tracked.volume.value == pytest.approx(4 / 3 * np.pi * 9**3 / 1000, rel=0.03)
    for rule in ("reader", "product"):
        lines = lesion.outline.lines[rule]
        assert (lines.longest, lines.perpendicular) == (pytest.approx(18, abs=1.0), pytest.approx(18, abs=1.0))
    assert lesion.outline.shape.sphericity == pytest.approx(lesion.outline.sphere.sphericity, abs=0.02)
    assert np.linalg.norm(np.array(lesion.outline.centre) - RIGHT) < 1.5


def test_growth_is_per_month_and_doubling_where_it_can_be_compared(analysis):
    grown = at(analysis, 1)["L1"]
    then, now = at(analysis, 0)["L1"].tracked.volume.value, grown.tracked.volume.value
    months = 42 / (365.25 / 12)
    assert grown.since == "v0"
    assert grown.change_per_month.value == pytest.approx((now - then) / months)
    assert grown.doubling_time.value == pytest.approx(np.log(2) * 42 / np.log(now / then))
    assert at(analysis, 2)["L1"].change_per_month is None, "what merged is not compared alone"
    assert at(analysis, 4)["L1"].tracked.growth == "shrinking"
    assert at(analysis, 4)["L1"].doubling_time.value is None


def test_a_change_is_remarked_within_its_error_and_where_the_alignment_is_in_doubt():
    """10 and 10.2 mm differ by 6 % of volume, one reader twice by 8 %. Which lesion is which rests on the alignment."""
    made = followed_patient([[(RIGHT, 10.0)], [(RIGHT, 10.2)], [(RIGHT, 16.0)]])
    made.alignment = {f"v{number}": {"uncertainty": 0.3} for number in range(3)}

    def said():
        follow_lesions(made)
        followed = [next(lesion for lesion in made.lesions if lesion.visit == f"v{number}") for number in (1, 2)]
        change = [[flag.code for flag in lesion.tracked.change.flags] for lesion in followed]
        rate = [[flag.code for flag in lesion.change_per_month.flags] for lesion in followed]
        assert change == rate
        rows = {(row.visit, row.name): row.flags for row in lesion_rows(made)}
        assert [[flag.code for flag in rows[f"v{number}", "volume_per_month"]] for number in (1, 2)] == rate
        entries = [entry["change_percent"] for entry in assessment_json.document(made)["lesions"]]
        assert [entry and [flag["code"] for flag in entry["flags"]] for entry in entries] == [None, *change]
        return change

    assert said() == [["lesion_change_within_error"], []]
    made.messages["v2"] = [Message("registration_uncertain", {"uncertainty": 2.8, "limit": 2.0})]
    assert said() == [["lesion_change_within_error"], ["alignment_check_identity"]]
    assert "to be checked by eye" in response_section(Markup(made.patient), made)
    made.messages["v2"].append(Message("registration_disagrees", {"distance": 2.7, "limit": 1.6}))
    assert said() == [["lesion_change_within_error"], ["alignment_failed"]]


def test_rows_say_the_same_and_own_rows_are_not_doubled(analysis):
    rows = lesion_rows(analysis)
    assert {row.kind for row in rows} == {"followed"}
    volumes = {(row.visit, row.region): row.value for row in rows if row.name == "volume"}
    assert volumes["v0", "L2"] == at(analysis, 0)["L2"].tracked.volume.value
    assert volumes["v4", "L2"] == 0.0
    products = {row.region: row.value for row in rows if (row.visit, row.name) == ("v0", "product_of_diameters")}
    total = next(row for row in rows if (row.visit, row.region, row.name) == ("v0", ALL, "sum_of_products"))
    assert total.value == pytest.approx(sum(products.values()))
    assert total.unit == "mm2"


def test_only_what_changed_is_measured_again(analysis, monkeypatch):
    copied = dataclasses.replace(analysis, regions=dict(analysis.regions), outlines=dict(analysis.outlines))
    measured = []
    plain = following._outline
    monkeypatch.setattr(following, "_outline", lambda *parts: (measured.append(parts[1]), plain(*parts))[1])
    follow_lesions(copied)
    assert measured == []
    mask = copied.regions["v6", "lesion"]
    copied.regions["v6", "lesion"] = Image(mask.array & balls([(RIGHT, 5.0), (LEFT, 6.0)], 6), mask.affine)
    follow_lesions(copied)
    assert measured == ["v6", "v6"]
    assert "L3" not in at(copied, 6)


def test_what_lies_beside_a_lesion():
    """A ring around necrosis, a cavity 6 mm away, ventricles that touch, and half of it in the high-dose region."""
    analysis = followed_patient(BALLS[:1])
    shape, affine = grid(0)
    core = balls([(RIGHT, 5.0)], 0)
    _, _, i = np.indices(shape)
    across = (i * affine[0, 0] + affine[0, 3]) - RIGHT[0]
    whole = analysis.regions["v0", "lesion"].array
    drawn = {
        "necrosis": core,
        "cavity": balls([((RIGHT[0] + 20, 0, 0), 5.0)], 0),
        "ventricles": balls([((RIGHT[0], 0, -13.0), 5.0)], 0) & ~whole,
        "high_dose": (across < 0) & balls([(RIGHT, 30.0)], 0),
    }
    analysis.regions["v0", "lesion"] = Image(whole & ~core, affine)
    for purpose, mask in drawn.items():
        analysis.regions["v0", purpose] = Image(mask, affine)
        analysis.patient.regions.append(Region(purpose, "v0", purpose, Path()))
    follow_lesions(analysis)
    beside = at(analysis, 0)["L1"].outline.beside
    assert beside["necrotic_fraction"] == pytest.approx((5 / 9) ** 3, abs=0.02)
    assert beside["distance_to_cavity"] == pytest.approx(20 - 9 - 5, abs=1.5)
    assert beside["ventricle_contact"] > 0
    assert beside["high_dose_fraction"] == pytest.approx(0.5, abs=0.05)
    other = at(analysis, 0)["L2"].outline.beside
    assert other["necrotic_fraction"] == 0.0
    assert other["ventricle_contact"] == 0.0
    assert analysis.parts["v0"]["necrosis"].value == pytest.approx(4 / 3 * np.pi * 5**3 / 1000, rel=0.06)
    assert "contrast_uptake_fraction" not in beside, "there is no T1 before contrast"


def test_diameters_keep_out_of_the_cavity():
    analysis = followed_patient([[(RIGHT, 9.0)]])
    cavity = balls([(RIGHT, 6.0)], 0)
    mask = analysis.regions["v0", "lesion"]
    analysis.regions["v0", "lesion"] = Image(mask.array & ~cavity, mask.affine)
    follow_lesions(analysis)
    across = at(analysis, 0)["L1"].outline.lines["reader"].perpendicular
    analysis.regions["v0", "cavity"] = Image(cavity, mask.affine)
    analysis.patient.regions.append(Region("cavity", "v0", "cavity", Path()))
    follow_lesions(analysis)
    assert across > 16
    assert at(analysis, 0)["L1"].outline.lines["reader"].perpendicular < across - 1


def test_a_visit_without_lesions_counts_only_where_a_reader_says_so():
    analysis = followed_patient([[(RIGHT, 9.0)], [], [(RIGHT, 9.0)]])
    for visit in ("v1",):
        del analysis.regions[visit, "lesion"]
        analysis.patient.regions = [region for region in analysis.patient.regions if region.visit != visit]
    follow_lesions(analysis)
    assert at(analysis, 2)["L1"].tracked.events == ()
    assert at(analysis, 1) == {}
    analysis.patient.events.append(reading(analysis, "v1", all_lesions_drawn=True))
    follow_lesions(analysis)
    assert at(analysis, 1)["L1"].tracked.events == ("vanished",)
    assert at(analysis, 2)["L1"].tracked.events == ("reappeared",)


def test_non_enhancing_tumour_has_identities_of_its_own():
    analysis = followed_patient([[(RIGHT, 9.0)], [(RIGHT, 9.0)]])
    for number in range(2):
        mask = Image(balls([(LEFT, 8.0)], number), grid(number)[1])
        analysis.regions[f"v{number}", "dark"] = mask
        analysis.patient.regions.append(Region("dark", f"v{number}", "non_enhancing", Path()))
    follow_lesions(analysis)
    assert set(at(analysis, 0)) == set(at(analysis, 1)) == {"L1", "N1"}
    assert at(analysis, 1)["N1"].outline.component == "non_enhancing"


def test_contrast_uptake_of_each_lesion():
    analysis = followed_patient([[(RIGHT, 9.0), (LEFT, 7.0)]])
    shape, affine = grid(0)
    delta = np.where(balls([(RIGHT, 9.0)], 0), 40.0, 0.0).astype(np.float32)
    analysis.maps["v0", "T1_subtraction"] = Map(delta, affine, "T1_subtraction", "%", "made")
    analysis.uptake_noise["v0"] = 5.0
    follow_lesions(analysis)
    found = {name: lesion.outline.beside["contrast_uptake_fraction"] for name, lesion in at(analysis, 0).items()}
    assert found == {"L1": 1.0, "L2": 0.0}
    assert pose(0)[0, 0] == 1.0
    assert shape[0] == 84
