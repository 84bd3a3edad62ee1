"""One series for each role of a visit: the clearly better one of several, with the reason; else none until somebody
chooses.

A role that several series could play is **open**: none of them is used, all of them stand in ``Visit.set_aside`` with
the reason ``series_role_open``, and the visit has the warning ``role_open``. Only what needs that role waits for it. It
is settled by ``editing.set_role`` (the panel's table of series), by ``roles`` in patient.json, or by moving a study
into a visit of its own. ``open_roles`` tells which roles of a visit are open, with the series to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..measures import Image, InputError, Message, Series, Visit

OPEN = "series_role_open"
NOT_USED = ""
"""The role of a series that is set aside."""
TIME_SERIES = ("DSC", "ASL")
NEEDED_FIELDS = {"DSC": ("EchoTime", "RepetitionTime")}

# Own choices: what counts as clearly more of the head, and as clearly finer.
_COVERS = 0.8  # of the largest shortest side of the imaged blocks
_AS_FINE = 1.1  # times the smallest longest voxel edge
_FACTS = ("stated", "surer", "drawn_on", "with_t1ce", "echo_time", "original", "coverage", "finer", "later")
"""What decides between two series, the first that tells them apart; see ``Facts``."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Facts:
    """What is known of a series that could play a role; the more, the better suited.

    grid: its voxels. stated: by the user. surer: the role is no mere guess. drawn_on: a region of the visit lies on its
    voxels. with_t1ce: it is from the study that has the T1CE. echo_time: minus the distance in s from the best one.
    original: not derived from other images. later: when it was acquired, in anything that can be compared; None where
    that is not known. look: a study with a T1CE of its own that it is from, else empty.
    """

    grid: Image
    stated: bool = False
    surer: bool = True
    drawn_on: bool = False
    with_t1ce: bool = True
    echo_time: float = 0.0
    original: bool = True
    later: Any = None
    look: str = ""


def choose(items: Sequence[tuple[Item, Facts]]) -> tuple[Item | None, dict[int, str]]:
    """The one of several that is clearly better than every other, with what decided against each other one (by its
    place in ``items``); None where no fact tells the best ones apart, or where they are two looks at the lesion, from
    two studies that each have a T1CE.
    """
    left, why = list(range(len(items))), {}
    for fact in _FACTS:
        values = _values(fact, [items[number][1] for number in left])
        why |= {number: fact for number, value in zip(left, values, strict=True) if value != max(values)}
        left = [number for number, value in zip(left, values, strict=True) if value == max(values)]
    if len(left) > 1:
        return None, {}
    chosen, facts = items[left[0]]
    for other, fact in why.items():
        looks = {facts.look, items[other][1].look}
        if fact not in ("stated", "surer") and "" not in looks and len(looks) > 1:
            return None, {}
    return chosen, why


def _values(fact: str, every: list[Facts]) -> list[Any]:
    """A fact of each as values to be compared: the larger, the better."""
    if fact == "coverage":
        sides = [float((np.array(facts.grid.shape)[::-1] * facts.grid.spacing).min()) for facts in every]
        return [side >= _COVERS * max(sides) for side in sides]
    if fact == "finer":
        edges = [float(facts.grid.spacing.max()) for facts in every]
        return [edge <= _AS_FINE * min(edges) for edge in edges]
    if fact == "later" and any(facts.later is None for facts in every):
        return [0] * len(every)
    return [getattr(facts, fact) for facts in every]


def set_open(visit: Visit, role: str, several: Sequence[Series]) -> None:
    """Leaves a role of the visit open: the series are set aside with the reason."""
    names = names_of(several)
    for number, series in enumerate(several):
        others = ", ".join(name for other, name in enumerate(names) if other != number)
        reason = Message(OPEN, {"series": names[number], "role": role, "others": others})
        visit.set_aside.append(replace(series, role=NOT_USED, confidence=0.0, reason=reason))


def another_chosen(series: Series, role: str, chosen: str, why: str) -> Series:
    """A series that is set aside because another one is clearly better suited for its role; why: of ``_FACTS``."""
    reason = Message(f"series_another_{why}", {"series": name_of(series), "role": role, "chosen": chosen})
    return replace(series, role=NOT_USED, reason=reason)


def open_roles(visit: Visit) -> dict[str, list[Series]]:
    """Roles of a visit that nobody has chosen a series for yet, with the series that could play each."""
    found: dict[str, list[Series]] = {}
    for series in visit.set_aside:
        if series.reason is not None and series.reason.code == OPEN:
            found.setdefault(str(series.reason.parameters["role"]), []).append(series)
    return {role: several for role, several in found.items() if visit.of_role(role) is None}


def check_role(series: Series, role: str, dimensions: int | None) -> None:
    """Raises InputError where a series cannot play a role, as ``editing.set_role``."""
    name = {"file": str(series.path), "role": role}
    if dimensions is not None and role in TIME_SERIES and dimensions != 4:
        raise InputError("not_a_time_series", **name)
    if dimensions == 4 and role not in (*TIME_SERIES, "M0", "MRS", "MRSI", "PET"):
        raise InputError("unexpected_time_series", **name, frames="several")
    needed = NEEDED_FIELDS.get(role, ())
    lacking = [field for field in needed if not isinstance(series.acquisition.get(field), int | float)]
    if lacking:
        raise InputError("edit_fields_missing", **name, fields=", ".join(lacking))


def settle_roles(visit: Visit) -> None:
    """After a correction: a series that is alone with its open role plays it, where it can; what lost to the chosen one
    says so, and is open again once that is gone; the warnings on open roles and a missing T1CE are said anew."""
    visit.warnings = [warning for warning in visit.warnings if warning.code != "edit_fields_missing"]
    _open_again(visit)
    for role, several in open_roles(visit).items():
        if len(several) == 1:
            try:
                check_role(several[0], role, None)
            except InputError as error:
                visit.warnings.append(error.message)
                continue
            reason = Message("role_alone", {"role": role})
            visit.set_aside.remove(several[0])
            visit.series.append(replace(several[0], role=role, confidence=0.9, reason=reason))
    for number, series in enumerate(visit.set_aside):
        chosen = None
        if series.reason is not None and series.reason.code == OPEN:
            chosen = visit.of_role(str(series.reason.parameters["role"]))
        if chosen is not None:
            told = {"series": name_of(series), "role": chosen.role, "chosen": name_of(chosen)}
            visit.set_aside[number] = replace(series, confidence=1.0, reason=Message("series_another_chosen", told))
    settled = ("role_open", "no_t1ce") if open_roles(visit) else ("role_open", "no_t1ce", "studies_on_one_date")
    visit.warnings = [warning for warning in visit.warnings if warning.code not in settled]
    warn_of_roles(visit)


def _open_again(visit: Visit) -> None:
    """Roles whose chosen series is gone are open for those that had lost to it."""
    lost: dict[str, list[Series]] = {}
    for series in visit.set_aside:
        if series.reason is not None and series.reason.code == "series_another_chosen":
            lost.setdefault(str(series.reason.parameters["role"]), []).append(series)
    for role, several in lost.items():
        if visit.of_role(role) is None:
            visit.set_aside = [series for series in visit.set_aside if series not in several]
            set_open(visit, role, several)


def warn_of_roles(visit: Visit) -> None:
    """Says which roles are open, and that there is no T1CE."""
    still = open_roles(visit)
    for role, several in still.items():
        told = {"visit": visit.id, "role": role, "series": ", ".join(names_of(several))}
        visit.warnings.append(Message("role_open", told))
    if visit.of_role("T1CE") is None and "T1CE" not in still:
        visit.warnings.append(Message("no_t1ce", {"visit": visit.id}))


def name_of(series: Series) -> str:
    """What a series is called on the screen: its description, else its file in its study."""
    path = Path(series.path)
    return series.description or (f"{series.study}/{path.name}" if series.study else path.name)


def names_of(several: Sequence[Series]) -> list[str]:
    """What each of several series is called, with its file or folder where another one has the same name. The folders
    above may name the patient, and are shown only as far as they are needed."""
    names = [name_of(series) for series in several]
    files = [Path(series.path).name for series in several]
    if len(set(files)) < len(files):
        files = ["/".join(Path(series.path).parts[-2:]) for series in several]
    return [name if names.count(name) == 1 else f"{name} ({file})" for name, file in zip(names, files, strict=True)]
