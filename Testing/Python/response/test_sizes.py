"""Targets, sums, nadir and merging lesions."""

import pytest

from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.response import Lesion
from PseudoProgressionAnalyzerLib.response.measurability import measurable_2010
from PseudoProgressionAnalyzerLib.response.published import limit
from PseudoProgressionAnalyzerLib.response.sizes import change, family, growth, summed, targets

from .simple import lesion, of_area, visit


def chosen(*lesions, most=5, **details):
    return targets(visit("V", 4, *lesions, **details), "enhancing", measurable_2010, "area", most)


def test_the_largest_measurable_lesions_are_the_targets():
    """1.6 (S7): at most 5, the largest; 3.12, 3.13 (S1): at most 3, and 2 of each part in mixed tumours."""
    many = [lesion(name, 12 + size) for size, name in enumerate("ABCDEFG")]
    found = chosen(*many, lesion("small", 8))
    assert found.names == set("CDEFG")
    assert [message.code for message in found.messages] == ["response_largest_targets"]
    assert [limit(name) for name in ("most_targets_2010", "most_targets", "most_targets_mixed")] == [5, 3, 2]
    assert chosen(*many, most=3).names == set("EFG")


def test_the_readers_targets_come_first():
    """3.14 (S1): growing lesions first, which only the reader can say at the baseline (10.10)."""
    found = chosen(lesion("A", 30), lesion("B", 15, target=True))
    assert (found.names, found.messages) == ({"B"}, ())


def test_nothing_measurable_is_known_only_when_all_is_drawn():
    assert chosen(lesion("A", 8)).measurable is False
    assert chosen(lesion("A", 8), all_drawn=False).measurable is None
    assert chosen(lesion("A", 20), all_drawn=False).measurable is True
    assert chosen().measurable is False


def test_a_lesion_that_may_be_measurable_leaves_the_targets_open():
    assert chosen(lesion("A", 20), lesion("B", 20, slices=None)).open is True
    assert chosen(lesion("B", 20, slices=None)).open is False
    assert chosen(lesion("A", 20), lesion("B", 8)).open is False


def test_a_lesion_that_is_not_listed_counts_only_when_all_is_drawn():
    """Unknown is never zero (10.20)."""
    both = frozenset("AB")
    assert summed(visit("V", 4, of_area("A", 400)), both, "area").value == pytest.approx(400)
    assert summed(visit("V", 4, of_area("A", 400), all_drawn=False), both, "area").value is None
    assert summed(visit("V", 4, of_area("A", 400), Lesion("B")), both, "area").value is None


def test_the_nadir_is_the_smallest_earlier_sum():
    """1.15 (S5), 3.23 (S1), 9.5 (S19): 1000, 400, 600 then 300: +... from 400; the current 300 is not its own nadir."""
    visits = [visit(f"V{place}", place, of_area("A", area)) for place, area in enumerate((1000, 400, 600, 300))]
    third = growth(visits, 0, 2, frozenset("A"), "area")
    assert (third.since, third.percent.value) == (1, pytest.approx(50))
    last = growth(visits, 0, 3, frozenset("A"), "area")
    assert (last.since, last.percent.value) == (1, pytest.approx(-25))
    assert growth(visits, 2, 3, frozenset("A"), "area").percent.value == pytest.approx(-50)


def test_an_unmeasured_scan_leaves_the_nadir_open():
    visits = [
        visit("V0", 0, of_area("A", 1000)), visit("V1", 1, Lesion("A")), visit("V2", 2, of_area("A", 1100)),
    ]  # fmt: skip
    found = growth(visits, 0, 2, frozenset("A"), "area")
    assert (found.since, found.open) == (0, True)
    assert growth(visits[1:], 0, 1, frozenset("A"), "area").percent.value is None


def test_from_zero_there_is_no_percentage():
    """9.7 (S19)."""
    visits = [visit("V0", 0), visit("V1", 1, of_area("A", 400))]
    found = growth(visits, 0, 1, frozenset("A"), "area")
    assert found.percent.value is None
    assert [flag.code for flag in found.percent.flags] == ["lesion_reference_zero"]


def test_lesions_that_merge_are_summed_together():
    """400 and 100 become one lesion of 520: +4 %, not +30 % of the larger one."""
    visits = [visit("V0", 0, of_area("A", 400), of_area("B", 100)), visit("V1", 1, of_area("A", 520, relatives=("B",)))]
    assert family(visits, frozenset("A")) == {"A", "B"}
    assert change(visits, 0, 1, frozenset("A"), "area").percent.value == pytest.approx(4)
    split = [visits[1], visit("V2", 2, of_area("A", 400, relatives=("C",)), of_area("C", 120, relatives=("A",)))]
    assert change(split, 0, 1, frozenset("A"), "area").percent.value == pytest.approx(0)


def test_volumes_keep_their_intervals():
    volumes = [Estimate(2.0, "mL", 1.6, 2.5), Estimate(3.0, "mL", 2.5, 3.6)]
    visits = [visit(f"V{place}", place, Lesion("A", volume=volume)) for place, volume in enumerate(volumes)]
    found = change(visits, 0, 1, frozenset("A"), "volume").percent
    assert found.value == pytest.approx(50)
    assert 0 < found.low < 50 < found.high
