"""Categories as people read them in a sentence."""

from PseudoProgressionAnalyzerLib.response.categories import BT_RADS, CATEGORIES, in_words


def test_a_sentence_holds_no_code():
    assert in_words(("SD", "PD", "not_assignable_steroid")) == (
        "stable disease (SD) or progressive disease (PD) or not assignable because of the steroid dose"
    )
    for category in CATEGORIES:
        said = in_words([category])
        assert "_" not in said and said not in ("CR", "PR", "MR", "PR/MR", "SD", "PD"), category
    assert in_words(BT_RADS[4:6]) == "3a or 3b"  # scores are called so
