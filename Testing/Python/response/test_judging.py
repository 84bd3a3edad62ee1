"""Area and volume side by side, the error of a change, and bad input."""

import dataclasses

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.diameters import diameters
from PseudoProgressionAnalyzerLib.lesion.volume import banded, volume_estimate
from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.response import Comparison, Lesion, Settings, judge, sized

from .simple import codes, course, lesion, of_area, visit

ISOTROPIC, THICK = np.ones(3), np.array([1.0, 1.0, 6.0])


def volumes(before, after, spacing):
    """Two volumes in mL with the band of their size on voxels of this spacing, area not measured."""
    visits = [
        visit(name, week, Lesion("A", volume=banded(size, spacing), measurable=True))
        for name, week, size in (("baseline", 4, before), ("later", 20, after))
    ]
    return judge(course(*visits), "RANO_2.0")[1]


def test_the_same_change_is_within_the_error_of_a_small_lesion_only():
    """+40 % of a 0.8 mL lesion on thick slices is inside the error bar; of a 30 mL lesion on thin ones it is not."""
    small, large = volumes(0.8, 1.13, THICK), volumes(30, 42.3, ISOTROPIC)
    assert "response_within_error" in codes(small.volume)
    assert "response_within_error" not in codes(large.volume)
    assert "response_limit_within_error" in codes(large.volume)
    clear = volumes(30, 90, ISOTROPIC)
    assert not {"response_within_error", "response_limit_within_error"} & codes(clear.volume)


def test_area_and_volume_that_agree():
    found = judge(course(visit("baseline", 4, of_area("A", 1000)), visit("later", 20, of_area("A", 400))), "RANO_2.0")
    assert found[1].agreement is True
    assert found[1].message.code == "response_agree"


def test_a_ball_that_becomes_an_egg():
    """Area +40 %, volume -20 % (the lesion flattened): they disagree."""
    before = lesion("A", 20)
    after = dataclasses.replace(
        of_area("A", 560), volume=dataclasses.replace(before.volume, value=0.8 * before.volume.value)
    )
    found = judge(course(visit("baseline", 4, before), visit("later", 20, after)), "RANO_2.0")[1]
    assert (found.area.category, found.volume.category, found.agreement) == ("PD", "SD", False)
    assert found.message.code == "response_disagree"


def test_what_was_not_measured_leaves_agreement_open():
    found = volumes(10, 20, ISOTROPIC)
    assert found.volume.category == "PD"
    assert set(found.area.possible) == {"PR", "SD", "PD"}
    assert found.agreement is None
    assert "response_unknown_from_nadir" in codes(found.area)


def test_drawn_lesions_are_judged_from_their_masks():
    """A ball of 24 mm that grows to 30 mm: +56 % of area and +95 % of volume, both PD."""

    def ball(diameter):
        k, j, i = np.ogrid[:40, :40, :40]
        mask = (k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2 <= (diameter / 2) ** 2
        return sized("A", diameters(mask, np.eye(4)), volume_estimate(mask, np.eye(4)))

    found = judge(course(visit("baseline", 4, ball(24)), visit("later", 20, ball(30))), "RANO_2.0")[1]
    assert found.area.from_nadir["enhancing"].value == pytest.approx(56, abs=6)
    assert found.volume.from_nadir["enhancing"].value == pytest.approx(95, abs=6)
    assert (found.area.category, found.volume.category) == ("PD", "PD")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lesions": (lesion("A", -3.0),)}, "response_size"),
        ({"lesions": (Lesion("A", longest=float("nan"), perpendicular=2.0),)}, "response_size"),
        ({"lesions": (lesion("A"), lesion("A"))}, "response_twice"),
        ({"lesions": (lesion("A", component="oedema"),)}, "response_word"),
        ({"lesions": (lesion("A", field="left"),)}, "response_word"),
        ({"clinical": "fine"}, "response_word"),
        ({"comparison": Comparison(flair="larger")}, "response_word"),
        ({"visit": "later"}, "response_twice"),
    ],
)
def test_bad_input_is_named(change, code):
    first = dataclasses.replace(visit("baseline", 4), **change)
    with pytest.raises(InputError) as error:
        judge(course(first, visit("later", 20)), "RANO_2.0")
    assert error.value.message.code == code


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"limits": "both"}, "response_setting"),
        ({"recalled": frozenset({"1.25"})}, "response_setting"),
        ({"steroid_tolerance": -1.0}, "response_setting"),
        ({"bt_rads_major": float("nan")}, "response_setting"),
        ({"baseline": "nowhere"}, "response_baseline"),
    ],
)
def test_bad_settings_are_named(settings, code):
    with pytest.raises(InputError) as error:
        judge(course(visit("baseline", 4), visit("later", 20)), "RANO_2.0", Settings(**settings))
    assert error.value.message.code == code


def test_an_unknown_criterion_is_named():
    with pytest.raises(InputError) as error:
        judge(course(visit("baseline", 4)), "Macdonald")
    assert error.value.message.code == "response_criterion"


def test_no_visits_and_one_visit():
    assert judge(course(), "RANO_2.0") == []
    assert judge(course(visit("only", 4)), "RANO_2.0")[0].area.possible == ("baseline",)


def test_a_visit_after_progression_says_so():
    """No rule read undoes progression: the category describes the change since the references, and a note says that."""
    visits = [visit("baseline", 4, of_area("A", 1000)), visit("grown", 20, of_area("A", 1300))]
    same = visit("same", 30, of_area("A", 400))
    found = judge(course(*visits, same), "RANO_2.0")
    assert "response_after_progression" in codes(found[2].area)
    assert "response_after_progression" not in codes(found[1].area)
    operated = dataclasses.replace(same, surgery=visits[1].date)
    assert "response_after_progression" not in codes(judge(course(*visits, operated), "RANO_2.0")[2].area)
