"""Every value of an unknown is tried, and nothing else."""

from PseudoProgressionAnalyzerLib.response.exploring import Variants, by_value, categories, decisive, explore

DOMAINS = {"rain": (True, False), "wind": ("calm", "storm"), "reading": ("one", "two")}


def stay(facts):
    """Stays in when it rains, or in a storm."""
    if facts.rain:
        return "in", ()
    return ("in" if facts.wind == "storm" else "out"), ()


def test_what_is_known_is_not_tried():
    (only,) = explore(stay, {"rain": False, "wind": "calm"}, DOMAINS)
    assert (only.category, only.tried) == ("out", {})


def test_an_unknown_that_is_not_asked_for_changes_nothing():
    (only,) = explore(stay, {"rain": True, "wind": None}, DOMAINS)
    assert only.category == "in"


def test_every_value_of_an_unknown_is_tried():
    found = explore(stay, {"rain": None, "wind": None}, DOMAINS)
    assert categories(found) == {"in", "out"}
    assert len(found) == 3
    assert by_value(found, "rain") == {True: {"in"}, False: {"in", "out"}}
    assert decisive(found) == ["rain", "wind"]


def test_an_unknown_without_consequence_is_not_decisive():
    def rule(facts):
        return ("same" if facts.rain or not facts.rain else "other"), ()

    found = explore(rule, {"rain": None}, DOMAINS)
    assert (categories(found), decisive(found)) == ({"same"}, [])


def test_unknowns_that_decide_only_together_are_all_named():
    def rule(facts):
        return ("even" if facts.rain == (facts.wind == "storm") else "odd"), ()

    assert decisive(explore(rule, {"rain": None, "wind": None}, DOMAINS)) == ["rain", "wind"]


def test_variants_follow_their_setting():
    facts = {"rain": Variants("reading", {"one": True, "two": False}), "wind": "calm", "reading": None}
    assert by_value(explore(stay, facts, DOMAINS), "reading") == {"one": {"in"}, "two": {"out"}}
    assert categories(explore(stay, {**facts, "reading": "two"}, DOMAINS)) == {"out"}
    unknown = {**facts, "rain": Variants("reading", {"one": True, "two": None})}
    assert by_value(explore(stay, unknown, DOMAINS), "reading") == {"one": {"in"}, "two": {"in", "out"}}
