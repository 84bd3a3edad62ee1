"""Published numbers beside the criteria."""

import math

import pytest

from PseudoProgressionAnalyzerLib.assessment.published import patients_of_interval, repeatability, table, wilson


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    [
        # Published test cases of the Wilson interval, made with z = 1.96 and not 1.95996.
        (0, 1, 0.0, 0.7934567085261071),
        (1, 1, 0.20654329147389294, 1.0),
        (10, 11, 0.6226353745137962, 0.9837682477371741),
        (25, 100, 0.17545094003724265, 0.3430464637007583),
        (100, 100, 0.9630051925239981, 1.0),
    ],
)
def test_wilson_interval(hits, number, low, high):
    assert wilson(hits / number, number) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize(("hits", "number"), [(4, 4), (10, 20), (30, 32), (150, 200)])
def test_patients_of_an_interval_are_those_that_it_was_made_of(hits, number):
    low, high = wilson(hits / number, number)
    assert abs(patients_of_interval(hits / number, low - 1e-9, high + 1e-9) - number) <= 1


@pytest.mark.parametrize(
    ("fact", "percent"),
    [("rCBV", 31.0), ("Cho_NAA", 11.5), ("ADC", 2.89), ("CBF", 17.0), ("PET", 18.0), ("NAA_Cr", 9.5)],
)
def test_repeatability(fact, percent):
    # ADC: 8 % is 1.96 sqrt 2 wCV. Cho/NAA: sqrt(9.7^2 + 6.2^2) = 11.5.
    assert 100 * repeatability()[fact] == pytest.approx(percent, abs=0.05)


# Share of pseudoprogression with its Wilson interval in per cent, as printed in the table of priors.
SHARES = {
    (12, 22): (55, 35, 73),
    (18, 42): (43, 29, 58),
    (30, 93): (32, 24, 42),
    (15, 35): (43, 28, 59),
    (61, 149): (41, 33, 49),
    (11, 22): (50, 31, 69),
    (12, 32): (38, 23, 55),
    (28, 62): (45, 33, 57),
    (37, 79): (47, 36, 58),
    (10, 42): (24, 13, 39),
    (2, 15): (13, 4, 38),
    (31, 66): (47, 35, 59),
    (21, 83): (25, 17, 36),
    (7, 26): (27, 14, 46),
    (16, 50): (32, 21, 46),
    (430, 1068): (40, 37, 43),
}


def test_prior_rows_are_the_printed_ones():
    rows = [(row["pseudoprogression"], row["lesions"]) for row in table("prior")["rows"]]
    assert sorted(rows) == sorted(SHARES)
    for (found, lesions), (share, low, high) in SHARES.items():
        limits = wilson(found / lesions, lesions)
        assert [100 * x for x in (found / lesions, *limits)] == pytest.approx([share, low, high], abs=1.0)


def test_prior_rows_that_do_not_count_say_why():
    for row in table("prior")["rows"]:
        assert row["bands"] or row["why"]


def test_pooled_results_keep_their_order_and_ranges():
    rows = table("pooled")["rows"]
    assert len(rows) >= 15
    for row in rows:
        for share, low, high in (row["sensitivity"], row["specificity"]):
            assert 0 <= low <= share <= high <= 100
    ranges = {row["measure"]: row["cut_offs"] for row in rows if "measure" in row}
    assert ranges == {"rCBV_ratio_mean": [0.9, 2.15], "rCBV_ratio_p95": [1.49, 3.1]}


def test_the_reviews_odds_ratio_does_not_fit_its_own_shares():
    # 84 and 78 %: LR+ 3.82, LR- 0.205, odds ratio 18.6 by hand; the review says 57.
    pooled = next(row for row in table("pooled")["rows"] if row["test"] == "DSC rCBV")
    sensitivity, specificity = pooled["sensitivity"][0] / 100, pooled["specificity"][0] / 100
    positive, negative = sensitivity / (1 - specificity), (1 - sensitivity) / specificity
    assert (positive, negative, positive / negative) == pytest.approx((3.82, 0.205, 18.6), rel=0.005)
    review = [row for row in table("review_numbers")["rows"] if "57" in row["number"]]
    assert "18.6" in review[0]["verdict"] and not math.isclose(positive / negative, 57, rel_tol=0.5)
