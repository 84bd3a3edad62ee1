"""The criteria as data: against the table they were taken from, and against files that are broken."""

import copy
import csv
import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from PseudoProgressionAnalyzerLib import assessment
from PseudoProgressionAnalyzerLib.assessment.criteria_set import criteria_schema, default_criteria
from PseudoProgressionAnalyzerLib.assessment.rules import Rules
from PseudoProgressionAnalyzerLib.assessment.schema import fault
from PseudoProgressionAnalyzerLib.measures import InputError

# id, cut-off, sensitivity and specificity in per cent, with counts and 95 % limits where they were given.
PRINTED = list(csv.DictReader((Path(__file__).parent / "criteria_as_printed.csv").open(encoding="utf-8")))
FOLDER = resources.files(assessment).joinpath("criteria")
CRITERIA = {criterion.id: criterion for criterion in default_criteria().criteria}
# Printed with radiation necrosis as the positive class; turned round in the data.
TURNED = ("ADC-03",)


def entries():
    for file in sorted(FOLDER.iterdir(), key=lambda file: file.name):
        yield from json.loads(file.read_text(encoding="utf-8"))["criteria"]


ENTRIES = {entry["id"]: entry for entry in entries()}


def test_all_rows_of_the_table_are_there():
    assert len(PRINTED) == len(CRITERIA) == len(ENTRIES) == 54
    assert {row["id"] for row in PRINTED} == set(CRITERIA)


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: row["id"])
def test_cut_off_is_the_printed_one(row):
    criterion = CRITERIA[row["id"]]
    assert criterion.cut_off_printed == row["cut_off"]
    numbers = re.findall(r"\d+\.?\d*", row["cut_off"])
    if criterion.scale != "category":
        assert criterion.cut_off == float(numbers[0])
    first = row["cut_off"][0]
    if first in "<>":
        assert criterion.direction == ("high" if first == ">" else "low")


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: row["id"])
@pytest.mark.parametrize("name", ["sensitivity", "specificity"])
def test_share_counts_and_interval_are_the_printed_ones(row, name):
    criterion = CRITERIA[row["id"]]
    column = {"sensitivity": "specificity", "specificity": "sensitivity"}[name] if row["id"] in TURNED else name
    share, group, interval = (
        getattr(criterion, name),
        criterion.positives if name == "sensitivity" else criterion.negatives,
        getattr(criterion, f"{name}_interval"),
    )
    if share is None:
        assert row["id"] == "RADS-01"
        return
    assert round(100 * share, 1) == float(row[f"{column}_percent"])
    if not row[f"{column}_k"]:
        return
    hits, size = int(row[f"{column}_k"]), int(row[f"{column}_n"])
    assert ENTRIES[row["id"]][name]["count"] == [hits, size]
    assert group == size
    # The percentage is that of the counts, to the digits printed: 77 for 13/17 is 0.5 off.
    assert 100 * hits / size == pytest.approx(float(row[f"{column}_percent"]), abs=0.55)
    assert [round(100 * limit) for limit in interval] == pytest.approx(
        [int(row[f"{column}_low"]), int(row[f"{column}_high"])], abs=1
    )


def test_every_criterion_is_verified_and_cited():
    for criterion in CRITERIA.values():
        assert criterion.verified and criterion.citation and criterion.population and criterion.window_printed


def test_what_weighs_has_everything_that_a_weight_needs():
    weighing = [criterion for criterion in CRITERIA.values() if not criterion.shown_only]
    assert len(weighing) >= 15
    for criterion in weighing:
        assert "not in text read" not in (criterion.statistic, criterion.unit)
        assert criterion.positives and criterion.negatives


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ("DSC-04", "statistic_not_read"),  # 100/100 in 24 cases, no leakage correction
        ("DSC-12", "sampled_not_lesion"),
        ("DSC-17", "group_sizes_not_read"),
        ("MRS-06", "ratio_kind_not_read"),  # neither area nor concentration was read
        ("DCE-01", "unit_not_read"),
        ("RADS-01", "category_uses_other_inputs"),
    ],
)
def test_what_is_not_known_is_shown_and_does_not_weigh(known, reason):
    assert reason in CRITERIA[known].shown_only


def test_no_fact_stands_twice():
    """What ``leakage_correction`` says is no reason in ``shown_only``; what was turned round is told in the notes."""
    for criterion in CRITERIA.values():
        assert not (criterion.leakage_correction and "without_leakage_correction" in criterion.shown_only)
        assert "as positive" not in criterion.population
        sentences = criterion.notes.split("; ")
        assert len(sentences) == len({sentence.partition(">")[0] for sentence in sentences}), criterion.id


def test_what_is_said_of_ratios_is_said_of_ratios_alone():
    for criterion in CRITERIA.values():
        if "molar ratio" in criterion.notes:
            assert criterion.statistic == "ratio of concentrations", criterion.id


def test_molar_and_area_ratios_are_never_one_measure():
    assert CRITERIA["MRS-01"].measure == "Cho_NAA_molar"
    assert not [c for c in CRITERIA.values() if c.measure == "Cho_NAA_area"]


def test_package_data_fit_the_schema():
    jsonschema.Draft202012Validator.check_schema(criteria_schema())
    for file in FOLDER.iterdir():
        jsonschema.validate(json.loads(file.read_text(encoding="utf-8")), criteria_schema())


def site_entry(**changes):
    """A valid criterion of a site."""
    entry = copy.deepcopy(ENTRIES["MRS-01"]) | {"id": "SITE-01"}
    return entry | changes


def with_site_criteria(path):
    return Rules().with_criteria(path).criteria_set()


def write(tmp_path, *found):
    path = tmp_path / "site.json"
    path.write_text(json.dumps({"criteria": list(found)}), encoding="utf-8")
    return path


def test_a_site_adds_its_own_and_the_name_says_so(tmp_path):
    both = with_site_criteria(write(tmp_path, site_entry()))
    assert len(both.criteria) == 55
    assert both.name.startswith(default_criteria().name) and "site.json (1 criteria" in both.name
    other = with_site_criteria(write(tmp_path, site_entry(cut_off=1.5)))
    assert other.name != both.name


def test_an_unverified_criterion_does_not_weigh(tmp_path):
    found = with_site_criteria(write(tmp_path, site_entry(verified=""))).criteria[-1]
    assert found.shown_only == ("not_verified",)


def test_broken_syntax_names_the_line(tmp_path):
    path = tmp_path / "site.json"
    path.write_text('{\n  "criteria": [\n    {"id": "A",,}\n  ]\n}', encoding="utf-8")
    with pytest.raises(InputError) as error:
        with_site_criteria(path)
    assert error.value.message.code == "json_syntax"
    assert error.value.message.parameters["line"] == 3


def without(entry, key):
    return {name: value for name, value in entry.items() if name != key}


BROKEN = [
    (site_entry(direction="up"), "criteria[0].direction"),
    (without(site_entry(), "citation"), "criteria[0].citation"),
    (site_entry(cutoff=1.2), "criteria[0].cutoff"),
    (site_entry(cut_off="1.2"), "criteria[0].cut_off"),
    (site_entry(cut_off=True), "criteria[0].cut_off"),
    (site_entry(sensitivity={"value": 91.7, "count": [11, 12]}), "criteria[0].sensitivity.value"),
    (site_entry(sensitivity={"value": 0.5, "count": [11, 12]}), "criteria[0].sensitivity.value"),
    (site_entry(sensitivity={"value": 0.9, "count": [13, 12]}), "criteria[0].sensitivity.count"),
    (site_entry(sensitivity={"value": 0.9, "count": [11]}), "criteria[0].sensitivity.count"),
    (site_entry(sensitivity={"value": 0.9, "interval": [0.95, 1.0]}), "criteria[0].sensitivity.interval"),
    (site_entry(sensitivity={"value": 0.9, "count": [9, 10], "of": 10}), "criteria[0].sensitivity"),
    (site_entry(specificity={"value": 0.9}), "criteria[0].specificity"),
    (site_entry(specificity={}), "criteria[0].specificity.value"),
    (site_entry(sensitivity={"value": 0.5, "of": 9}, specificity={"value": 0.5, "of": 9}), "criteria[0].specificity"),
    (site_entry(window=[90, 10]), "criteria[0].window"),
    (site_entry(window=[90]), "criteria[0].window"),
    (site_entry(group="perfusion"), "criteria[0].group"),
    (site_entry(measure="volume"), "criteria[0].group"),
    (site_entry(cut_off=0), "criteria[0].cut_off"),
    (site_entry(cut_off=None), "criteria[0].cut_off"),
    (site_entry(shown_only=["because"]), "criteria[0].shown_only[0]"),
    (site_entry(id=""), "criteria[0].id"),
]


@pytest.mark.parametrize(("entry", "where"), BROKEN, ids=[f"{n}-{where}" for n, (_, where) in enumerate(BROKEN)])
def test_a_broken_field_is_named_by_its_path(tmp_path, entry, where):
    with pytest.raises(InputError) as error:
        with_site_criteria(write(tmp_path, entry))
    assert error.value.message.code == "criteria_field"
    assert error.value.message.parameters["field"] == where
    assert error.value.message.parameters["file"].endswith("site.json")


def test_the_second_criterion_is_named_as_the_second(tmp_path):
    with pytest.raises(InputError) as error:
        with_site_criteria(write(tmp_path, site_entry(), site_entry(id="SITE-02", unit="")))
    assert error.value.message.parameters["field"] == "criteria[1].unit"


def test_an_id_is_used_once(tmp_path):
    with pytest.raises(InputError) as error:
        with_site_criteria(write(tmp_path, site_entry(id="MRS-01")))
    assert error.value.message.code == "criteria_twice"


@pytest.mark.parametrize("entry", [entry for entry, _ in BROKEN] + [site_entry()], ids=str)
def test_the_checker_and_a_schema_library_agree(entry):
    content = {"criteria": [entry]}
    valid = jsonschema.Draft202012Validator(criteria_schema()).is_valid(content)
    assert (fault(content, criteria_schema(), criteria_schema()) is None) == valid


def test_a_keyword_that_is_not_checked_is_refused():
    with pytest.raises(ValueError, match="pattern"):
        fault("a", {"type": "string", "pattern": "b"}, {})
