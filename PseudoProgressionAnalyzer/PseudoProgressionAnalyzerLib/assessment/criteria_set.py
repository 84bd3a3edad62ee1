"""Criteria from their files: the default set of the package, and a site's own file beside it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..measures import Criterion, InputError
from . import registry
from .published import patients_of_interval, wilson
from .schema import fault

ROUNDING = 0.01
"""Largest distance between a printed share and its counts: percentages are often printed without decimals."""

PLAIN_FIELDS = (
    "id", "modality", "group", "measure", "statistic", "unit", "scale", "direction", "cut_off", "cut_off_printed",
    "window_printed", "population", "population_kind", "samples_per_patient", "optimistic", "tracer",
    "leakage_correction", "citation", "verified", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class CriteriaSet:
    """Criteria and the name under which results say that they were used."""

    name: str
    criteria: tuple[Criterion, ...]


@functools.cache
def default_criteria() -> CriteriaSet:
    """The criteria that come with the package."""
    contents = _default_contents()
    criteria = tuple(criterion for name, content in contents.items() for criterion in _criteria(content, name))
    _demand_unique(criteria, "default criteria")
    return CriteriaSet(_name("default", criteria, contents), criteria)


def site_criteria(content: Mapping[str, Any], file: str) -> CriteriaSet:
    """The default criteria, without those that the site leaves out, and those of the site's own file.

    content: of the file; file: its name, for errors and for the name of the set. ``leave_out`` lists ids of default
    criteria, or ``*`` for all of them. Raises InputError ``criteria_field`` (naming the JSON path) and
    ``criteria_twice``.
    """
    criteria = _criteria(content, file)
    default = default_criteria()
    left_out = content.get("leave_out", [])
    known = {criterion.id for criterion in default.criteria} | {"*"}
    for number, name in enumerate(left_out):
        _demand(name in known, file, f"leave_out[{number}]", "the id of a default criterion, or * for all")
    kept = tuple(c for c in default.criteria if "*" not in left_out and c.id not in left_out)
    both = kept + criteria
    _demand_unique(both, file)
    own = _name(Path(file).name, criteria, content)
    if not kept:
        return CriteriaSet(own, both)
    without = f" without {', '.join(sorted(set(left_out)))}" if left_out else ""
    return CriteriaSet(f"{default.name}{without} and {own}", both)


def editable_criteria() -> dict[str, Any]:
    """The content of a criteria file that says the same as the default set: a beginning for a site's own."""
    return {
        "leave_out": ["*"],
        "criteria": [entry for file in _default_contents().values() for entry in file["criteria"]],
    }


def _default_contents() -> dict[str, dict[str, Any]]:
    folder = resources.files(__package__).joinpath("criteria")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


@functools.cache
def criteria_schema() -> dict[str, Any]:
    """The JSON schema of criteria files."""
    return json.loads(resources.files(__package__).joinpath("criteria.schema.json").read_text(encoding="utf-8"))


def _name(what: str, criteria: tuple[Criterion, ...], content: Any) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return f"{what} ({len(criteria)} criteria, {digest})"


def _demand_unique(criteria: tuple[Criterion, ...], file: str) -> None:
    ids = [criterion.id for criterion in criteria]
    for known in sorted({known for known in ids if ids.count(known) > 1}):
        raise InputError("criteria_twice", file=file, criterion=known)


def _criteria(content: Mapping[str, Any], file: str) -> tuple[Criterion, ...]:
    """The criteria of a file's content. Raises InputError ``criteria_field``."""
    schema = criteria_schema()
    found = fault(content, schema, schema)
    if found:
        raise InputError("criteria_field", file=file, field=found[0], wanted=found[1])
    return tuple(_criterion(entry, file, f"criteria[{n}]") for n, entry in enumerate(content["criteria"]))


def _demand(holds: bool, file: str, field: str, wanted: str) -> None:
    if not holds:
        raise InputError("criteria_field", file=file, field=field, wanted=wanted)


def _criterion(entry: Mapping[str, Any], file: str, path: str) -> Criterion:
    """One criterion, checked for what a schema cannot say: its place, its limits, its counts."""
    place = registry.PLACES.get(entry["measure"], (entry["group"], ""))[0]
    _demand(entry["group"] == place, file, f"{path}.group", f"{place}, the place of {entry['measure']}")
    window = entry["window"]
    ordered = window is None or None in window or window[0] <= window[1]
    _demand(ordered, file, f"{path}.window", "first and last day in this order")
    sensitivity, sensitivity_interval, positives = _share(entry["sensitivity"], file, f"{path}.sensitivity")
    specificity, specificity_interval, negatives = _share(entry["specificity"], file, f"{path}.specificity")
    shown_only = tuple(entry.get("shown_only", ()))
    if not entry["verified"] and "not_verified" not in shown_only:
        shown_only += ("not_verified",)
    if not shown_only:
        positive = entry["cut_off"] is not None and (entry["cut_off"] > 0 or entry["scale"] != "log")
        _demand(positive, file, f"{path}.cut_off", "a number (above zero on a log scale), or a reason in shown_only")
        for name, share, group in (("sensitivity", sensitivity, positives), ("specificity", specificity, negatives)):
            known = share is not None and group is not None
            _demand(known, file, f"{path}.{name}", "a value with count, of or interval, or a reason in shown_only")
        _demand(sensitivity + specificity > 1, file, f"{path}.specificity", "above 1 - sensitivity")
    given = {name: entry[name] for name in PLAIN_FIELDS if name in entry}
    return Criterion(
        **given,
        sensitivity=sensitivity,
        specificity=specificity,
        sensitivity_interval=sensitivity_interval,
        specificity_interval=specificity_interval,
        positives=positives,
        negatives=negatives,
        window=None if window is None else tuple(window),
        doi=entry.get("doi", ""),
        not_after=tuple(entry.get("not_after", ())),
        shown_only=shown_only,
    )


def _share(
    entry: Mapping[str, Any], file: str, path: str
) -> tuple[float | None, tuple[float, float] | None, int | None]:
    """(share, its 95 % interval, size of its group): the interval is the printed one, else Wilson's of the counts."""
    value = entry.get("value")
    _demand(value is not None or "readers" in entry, file, f"{path}.value", "given")
    known = {"count", "of", "interval", "readers"} & set(entry)
    _demand(len(known) <= 1, file, path, "only one of count, of, interval and readers")
    if "count" in entry:
        hits, group = entry["count"]
        _demand(group > 0 and hits <= group, file, f"{path}.count", "[hits, size of the group]")
        _demand(abs(hits / group - value) <= ROUNDING, file, f"{path}.value", f"{hits}/{group} as printed")
        return float(value), wilson(hits / group, group), group
    if "interval" in entry:
        low, high = entry["interval"]
        _demand(low <= value <= high and low < high, file, f"{path}.interval", "limits around the value")
        return float(value), (low, high), patients_of_interval(value, low, high)
    return None if value is None else float(value), None, entry.get("of")
