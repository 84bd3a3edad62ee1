"""mRANO, as far as it was read (section 2)."""

import pytest

from .simple import codes, course, final, of_area, postoperative, provisional, verdicts, visit

NAME = "mRANO"


def grown(*later):
    return course(
        postoperative(of_area("A", 100)), visit("baseline", 4, of_area("A", 400)),
        *(visit(name, week, of_area("A", area, field="inside")) for name, week, area in later),
    )  # fmt: skip


def test_baseline_and_limits():
    """2.1 (S11), 2.2 (S1), 2.9 (S19): growth against the scan after radiotherapy, not the post-operative one."""
    patient = grown(("later", 20, 440))
    assert verdicts(patient, NAME)["later"].baseline == "baseline"
    assert provisional(patient, NAME)["later"] == ("SD",)
    assert provisional(grown(("later", 20, 520)), NAME)["later"] == ("preliminary_PD",)


@pytest.mark.parametrize(("volume", "expected"), [(1.35, ("SD",)), (1.45, ("preliminary_PD",))])
def test_volume(volume, expected):
    """2.3 (S11), 9.1 (S10): +40 % of volume."""
    patient = grown(("later", 20, 400 * volume ** (2 / 3)))
    assert provisional(patient, NAME, "volume")["later"] == expected


def test_flair_is_left_out():
    """2.4 (S11): qualitative non-enhancing assessment is removed."""
    patient = course(visit("baseline", 4, of_area("A", 400)), visit("later", 20, of_area("A", 400), flair_worse=True))
    assert provisional(patient, NAME)["later"] == ("SD",)


def test_any_progression_on_images_is_preliminary():
    """2.5 (S11): one rubric for all treatments, at any time; the rest is as in RANO 2010 and says so."""
    patient = course(visit("baseline", 4), visit("later", 60, of_area("B", 300)))
    verdict = verdicts(patient, NAME)["later"]
    assert verdict.category == "preliminary_PD"
    assert "response_as_rano_2010" in codes(verdict)


def test_how_it_is_confirmed_is_recalled_and_off():
    """2.8 (recalled): off; what it would say is shown as not verified; the user can switch it on."""
    patient = grown(("first", 20, 600), ("second", 26, 620), ("third", 32, 410))
    verdict = verdicts(patient, NAME)["first"]
    assert verdict.final_category == "preliminary_PD"
    assert {"response_confirmation_not_read", "response_recalled"} <= codes(verdict)
    recalled = next(message for message in verdict.notes if message.code == "response_recalled")
    assert recalled.parameters == {"rule": "2.8", "categories": "PD"}
    on = verdicts(patient, NAME, recalled=frozenset({"2.8"}))
    assert (on["first"].final_category, on["first"].final[0].dated) == ("PD", "first")
    assert "response_recalled_on" in codes(on["first"])
    assert final(patient, NAME, recalled=frozenset({"2.8"}))["second"] == ("pseudoprogression",)
