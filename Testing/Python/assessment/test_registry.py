"""Each fact enters once."""

import pytest

from PseudoProgressionAnalyzerLib.analysis.map_estimates import MEASURED_MAPS, measures_of
from PseudoProgressionAnalyzerLib.analysis.measuring_spectra import NAMES
from PseudoProgressionAnalyzerLib.assessment import registry
from PseudoProgressionAnalyzerLib.assessment.criteria_set import criteria_schema, default_criteria
from PseudoProgressionAnalyzerLib.measures import EVENT_KINDS

CRITERIA = default_criteria().criteria


def test_every_input_has_one_place():
    assert registry.places() == registry.PLACES
    inputs = [*registry.PRIOR, *registry.CONTEXT]
    inputs += [name for facts in registry.GROUPS.values() for names in facts.values() for name in names]
    assert len(inputs) == len(set(inputs)) == len(registry.PLACES)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("CONTEXT", (*registry.CONTEXT, "ADC_mean")),
        ("PRIOR", (*registry.PRIOR, "MGMT")),
        ("GROUPS", registry.GROUPS | {"clinical_course": {"growth": ("volume",)}}),
        ("GROUPS", registry.GROUPS | {"clinical_course": {"again": ("rCBV_ratio_mean",)}}),
    ],
)
def test_a_second_use_is_an_error(monkeypatch, attribute, value):
    monkeypatch.setattr(registry, attribute, value)
    with pytest.raises(ValueError, match="two places"):
        registry.places()


def test_every_criterion_has_a_measure_with_that_place():
    for criterion in CRITERIA:
        assert registry.PLACES[criterion.measure][0] == criterion.group, criterion.id


def test_every_measure_that_the_product_writes_has_a_place():
    written = [name for map_name in MEASURED_MAPS for name in measures_of(map_name)] + list(NAMES)
    written += ["volume", "longest_diameter", "perpendicular_diameter", "sphericity"]
    assert [name for name in written if name not in registry.PLACES] == []


def test_every_measure_of_the_product_meets_the_criteria_of_its_name():
    # A criterion whose measure is never written can only be a missing test: these are known.
    written = {name for map_name in MEASURED_MAPS for name in measures_of(map_name)} | set(NAMES)
    never = {c.id for c in CRITERIA if c.measure not in written}
    assert never == {
        "MRS-02", "MRS-04", "MRS-05", "APT-02", "MRI-01", "ADC-03", "RADS-01", "CCA-01", "DSC-18", "ASL-03", "FDG-01",
        "FET-01", "FET-02", "MET-01", *(f"DOPA-0{n}" for n in range(1, 6)), *(f"DCE-0{n}" for n in range(1, 10)),
    }  # fmt: skip


def test_every_event_has_a_place():
    # Radiotherapy itself is the time in the prior.
    for kind in set(EVENT_KINDS) - {"radiotherapy"}:
        assert registry.PLACES[kind][0] == "context", kind


def test_response_categories_and_growth_never_weigh():
    for name in ("BT_RADS", "volume", "longest_diameter"):
        assert registry.PLACES[name][0] == "context"
    assert not [c for c in CRITERIA if registry.PLACES[c.measure][0] == "context" and not c.shown_only]


def test_groups_are_those_of_the_schema():
    named = criteria_schema()["$defs"]["criterion"]["properties"]["group"]["enum"]
    assert set(named) == {*registry.GROUPS, "context"}


@pytest.mark.parametrize(
    ("measure", "quantity"),
    [
        ("rCBV_ratio_mean", "rCBV_ratio"),
        ("rCBV_ratio_p95", "rCBV_ratio"),
        ("TBRmax", "TBR"),
        ("Cho_NAA_molar", "Cho_NAA_molar"),
        ("Ktrans_median", "Ktrans"),
    ],
)
def test_quantity_is_the_measure_without_its_statistic(measure, quantity):
    assert registry.quantity_of(measure) == quantity


def test_statistics_of_one_map_are_one_fact():
    assert {registry.fact_of(f"rCBV_ratio_{name}") for name in ("mean", "median", "p95")} == {"rCBV"}
    assert registry.fact_of("a_measure_of_a_site") == "a_measure_of_a_site"
