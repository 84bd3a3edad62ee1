"""Steroid doses against hand calculations from the published tables."""

import pytest

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.response import SteroidDose
from PseudoProgressionAnalyzerLib.response.exploring import Variants
from PseudoProgressionAnalyzerLib.response.steroids import change_of_dose, replacement_only

from .simple import codes, course, lesion, provisional, verdicts, visit


@pytest.mark.parametrize(
    ("factors", "expected"), [("equivalent_doses", 6.0), ("potency", 5.33), ("cortisol_equivalents", 6.4)]
)
def test_forty_milligrams_of_prednisone(factors, expected):
    """8.9 (S16), 8.10 (S15), 8.11: 40 mg prednisone are 6.0, 5.3 or 6.4 mg dexamethasone."""
    assert SteroidDose(40, "prednisone").dexamethasone(factors) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("drug", "mg"), [("hydrocortisone", 20), ("prednisolone", 5), ("methylprednisolone", 4)])
def test_equivalent_doses(drug, mg):
    """8.9 (S16): each equals 0.75 mg dexamethasone."""
    assert SteroidDose(mg, drug).dexamethasone("equivalent_doses") == pytest.approx(0.75)


def test_changes_of_dose():
    assert change_of_dose(SteroidDose(2), SteroidDose(6)) == "higher"
    assert change_of_dose(SteroidDose(2), SteroidDose(2)) == "same"
    assert change_of_dose(SteroidDose(2), SteroidDose(0)) == "lower"
    assert change_of_dose(SteroidDose(30, "prednisone"), SteroidDose(30, "prednisone")) == "same"
    assert change_of_dose(None, SteroidDose(6)) is None
    assert change_of_dose(SteroidDose(6), None) is None


def test_a_tolerance_holds_only_where_the_user_enters_one():
    """8.14 (recalled): no source gives a numeric tolerance, so that any rise is a rise until the user says more."""
    assert change_of_dose(SteroidDose(2), SteroidDose(2.5)) == "higher"
    assert change_of_dose(SteroidDose(2), SteroidDose(2.5), tolerance=0.5) == "same"


def test_a_verdict_that_changes_with_the_conversion_is_flagged():
    """10.13: 6 mg dexamethasone, then 40 mg prednisone: the same, less or more."""
    found = change_of_dose(SteroidDose(6), SteroidDose(40, "prednisone"))
    assert found == Variants(
        "steroid_factors", {"equivalent_doses": "same", "potency": "lower", "cortisol_equivalents": "higher"}
    )
    patient = course(
        visit("baseline", 4, lesion("A", 20), steroid=SteroidDose(6)),
        visit("later", 20, lesion("A", 20), steroid=SteroidDose(40, "prednisone")),
    )
    verdict = verdicts(patient, "RANO_2.0")["later"]
    assert verdict.possible == ("SD", "not_assignable_steroid")
    assert "response_depends_on_steroid_factors" in codes(verdict)
    assert provisional(patient, "RANO_2.0", steroid_factors="potency")["later"] == ("SD",)


@pytest.mark.parametrize(
    ("dose", "expected"),
    [
        (SteroidDose(0), True),
        (SteroidDose(20, "hydrocortisone"), True),
        (SteroidDose(30, "hydrocortisone"), True),
        (SteroidDose(31, "hydrocortisone"), False),
        (SteroidDose(4), False),
        (None, None),
    ],
)
def test_replacement(dose, expected):
    """1.9 (S4), 8.12 (S15): physiologic replacement, up to 30 mg hydrocortisone a day."""
    assert replacement_only(dose) is expected


def test_bad_doses():
    for given, expected in (((4, "aspirin"), "response_steroid_drug"), ((-1,), "response_steroid_dose"),
                            ((float("nan"),), "response_steroid_dose")):  # fmt: skip
        with pytest.raises(InputError) as error:
            SteroidDose(*given)
        assert error.value.message.code == expected


def test_a_rise_alone_is_never_progression():
    """1.22 (S4), 3.30 (S2): a steroid increase alone is not PD."""
    patient = course(
        visit("baseline", 4, lesion("A", 20), steroid=SteroidDose(0)),
        visit("later", 20, lesion("A", 20), steroid=SteroidDose(16)),
    )
    for criterion in ("RANO_2.0", "mRANO", "RANO_2010"):
        assert provisional(patient, criterion, baseline="baseline")["later"] == ("not_assignable_steroid",)


def test_an_unknown_dose_forbids_nothing_and_allows_nothing():
    """10.15, 10.20: the dose is unknown: complete response is not assignable, but still possible."""
    patient = course(visit("baseline", 4, lesion("A", 20)), visit("gone", 20, steroid=None))
    verdict = verdicts(patient, "RANO_2.0")["gone"]
    assert verdict.possible == ("CR", "not_assignable_steroid")
    assert "response_unknown_replacement_only" in codes(verdict)
