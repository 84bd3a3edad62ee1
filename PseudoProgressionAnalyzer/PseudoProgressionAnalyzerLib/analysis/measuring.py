"""Numbers in regions: each visit's own lesion in that visit, and carried regions in every visit, never confused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..lesion.change import difference, percent_change
from ..lesion.diameters import diameters
from ..lesion.estimate import Estimate, estimate_of
from ..lesion.pieces import remark_on_pieces
from ..lesion.shape import sphericity
from ..lesion.volume import volume_estimate
from ..measures import Image, Measurement, Message, Patient, Region
from ..spectroscopy.result import Fit
from . import Analysis
from .aligning import failed_alignments, unchecked_alignments, visit_to_visit
from .map_estimates import (
    MEASURED_MAPS,
    OUTSIDE,
    WEIGHED_BY,
    WITHOUT_UNIT,
    estimates,
    first_measure,
    measures_of,
    place_of,
    under,
)
from .mapping import TO_REFERENCE, UNIT_UNKNOWN
from .measuring_spectra import NAMES, measure_spectra
from .overlaps import TISSUE, RegionOverlaps, overlaps_of
from .perfusion_changes import (
    RESPONSE,
    make_response_maps,
    postpone_response_maps,
    waiting_response_maps,
    within_repeatability,
)  # fmt: skip
from .rows import row_of
from .spectra_changes import REFUSED, Stated, change_of, compared, not_compared, protocols

SIGNED = ("K2_", "Tmax_")
PERCENT = "_percent"
"""Ends the name of a change that is in per cent of the earlier value."""
ORIGIN_UNSAID = ("ratio_map_origin_unknown", "ratio_map_kind_differs")  # without weight, and so is what follows
PASSED_ON = (*ORIGIN_UNSAID, "region_partly_outside", "spectra_region_beyond")
"""Flags of a value that are said of its changes too."""
RATIOS = tuple(ratio.name for ratio in TO_REFERENCE.values())
RESPONSES = tuple(measures_of(RESPONSE))


def measure_visits(analysis: Analysis) -> None:
    """All measurements: values per visit and region, then changes from each visit to the next that has the value."""
    analysis.overlaps = {key: tissue for key, tissue in analysis.overlaps.items() if key[1] == TISSUE}
    analysis.measurements = []
    visits = measured_visits(analysis)
    values = [region_values(analysis, region, mask, visits) for region, mask in drawn(analysis)]
    put_values(analysis, list(itertools.chain.from_iterable(values)))


def measured_visits(analysis: Analysis) -> list[str]:
    """Ids of the visits that are aligned, in their order."""
    return [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]


def drawn(analysis: Analysis) -> list[tuple[Region, Image]]:
    """The regions that are measured with their masks; reference tissue is not."""
    masks = [(region, analysis.regions.get((region.visit, region.name))) for region in analysis.patient.regions]
    return [(region, mask) for region, mask in masks if region.purpose != "reference" and mask is not None]


def measure_ratios(analysis: Analysis, visit_id: str) -> None:
    """Measures again, in all regions, what is measured against the reference tissue of this visit. Response maps in
    which it takes part wait from then on, and what was measured in them (``measure_waiting``)."""

    def concerned(row: Measurement) -> bool:
        return row.visit == visit_id and bool(row.reference) and row.name not in RESPONSES

    waiting = postpone_response_maps(analysis, visit_id)
    rows = [
        replace(row, value=None, low=None, high=None, flags=analysis.absent[row.visit, RESPONSE])
        for row in values_of(analysis)
        if row.visit in waiting and row.name in RESPONSES
    ]
    for region, mask in drawn(analysis):
        rows += filter(concerned, region_values(analysis, region, mask, [visit_id], RATIOS, shape=False))
    replace_values(analysis, lambda row: concerned(row) or (row.visit in waiting and row.name in RESPONSES), rows)


def measure_waiting(analysis: Analysis) -> list[str]:
    """Makes the response maps that wait, and measures all regions in them; returns their visits."""

    def concerned(row: Measurement) -> bool:
        return row.visit in waiting and row.name in RESPONSES

    waiting = waiting_response_maps(analysis)
    if not waiting:
        return []
    make_response_maps(analysis, waiting)
    rows: list[Measurement] = []
    for region, mask in drawn(analysis):
        rows += filter(concerned, region_values(analysis, region, mask, waiting, (RESPONSE,), shape=False))
    replace_values(analysis, concerned, rows)
    return waiting


def region_values(
    analysis: Analysis,
    region: Region,
    mask: Image,
    visits: Sequence[str],
    maps: Sequence[str] = tuple(MEASURED_MAPS),
    *,
    shape: bool = True,
) -> list[Measurement]:
    """All values of one region in those of these visits that are aligned, of maps those of these names; mask: bool
    image, cropped or not. shape: whether size and shape of an own lesion are among them."""
    if not mask.array.any():
        analysis.overlaps.pop((region.visit, region.name), None)
        return [_empty(region)] if region.visit in visits else []
    overlaps = overlaps_of(analysis, region.visit, region.name, mask)
    found = []
    for visit_id in [visit_id for visit_id in visits if visit_id in analysis.visit_to_reference]:
        own = region.visit == visit_id and region.purpose == "lesion"
        fixed = (region.carried or region.purpose == "free") and region.visit in analysis.visit_to_reference
        if own and shape:
            found += measure_shape(visit_id, region, overlaps.mask)
        rows = measure_maps(analysis, visit_id, region, overlaps, maps) if own or fixed else []
        # own and fixed are the same voxels in the visit where a region was drawn
        found += rows if own else []
        found += [replace(row, kind="fixed") for row in rows] if fixed else []
    return found


def put_values(analysis: Analysis, values: list[Measurement]) -> None:
    """Makes these the measurements, with the changes over time that follow from them."""
    analysis.measurements = []
    replace_values(analysis, lambda row: False, values)


def replace_values(analysis: Analysis, gone: Callable[[Measurement], bool], new: list[Measurement]) -> None:
    """Puts new values in the place of those that are gone; changes over time of other measures stay as they are. The
    order is the same whatever was measured again."""
    kept, touched = [], {_measure(row) for row in new}
    for row in values_of(analysis):
        if gone(row):
            touched.add(_measure(row))
        else:
            kept.append(row)
    values = in_order([*kept, *new], analysis.patient)
    known = _by_measure([row for row in analysis.measurements if row.compared_to])
    visits, acquired, found = measured_visits(analysis), protocols(analysis), []
    doubted = [*failed_alignments(analysis, visits), *unchecked_alignments(analysis, visits, "carried")]
    for measure, rows in _by_measure(values).items():
        if measure in touched:
            found += changes(rows, visits, acquired, doubted)
        else:
            found += known.get(measure, [])
    analysis.measurements = values + found


def values_of(analysis: Analysis) -> list[Measurement]:
    """The measurements without the changes over time."""
    return [row for row in analysis.measurements if not row.compared_to]


def _measure(row: Measurement) -> tuple[str, str, str, str]:
    """What is one measure over time: of a visit's own lesion, which is the same lesion in every visit where it has the
    same name, or of one carried region."""
    name = row.name.removesuffix(PERCENT) if row.compared_to else row.name
    return row.region, row.kind, row.drawn_in if row.kind == "fixed" else "", name


def _by_measure(rows: list[Measurement]) -> dict[tuple[str, str, str, str], list[Measurement]]:
    found: dict[tuple[str, str, str, str], list[Measurement]] = {}
    for row in rows:
        found.setdefault(_measure(row), []).append(row)
    return found


def in_order(values: list[Measurement], patient: Patient) -> list[Measurement]:
    """Values by visit, region, own before fixed, and measure."""
    visits = {visit.id: number for number, visit in enumerate(patient.visits)}
    regions = {(region.visit, region.name): number for number, region in enumerate(patient.regions)}

    def place(row: Measurement) -> tuple:
        return visits[row.visit], regions[row.drawn_in, row.region], row.kind != "own", place_of(row.name), row.name

    return sorted(values, key=place)


def _empty(region: Region) -> Measurement:
    """The one row, without a value, of a region that holds no voxel."""
    flag = Message("region_empty", {"name": region.name})
    return Measurement(region.visit, region.name, "own", region.visit, "volume", None, "mL", flags=(flag,))


def measure_shape(visit_id: str, region: Region, mask: Image) -> list[Measurement]:
    """Volume (mL), diameters (mm) and sphericity of a visit's own lesion, in its native grid."""
    where = {"visit": visit_id, "region": region.name, "kind": "own", "drawn_in": region.visit}
    lines = diameters(mask.array, mask.affine)
    volume = volume_estimate(mask.array, mask.affine)
    volume = replace(volume, flags=(*volume.flags, *remark_on_pieces(mask.array)))
    found = {
        "volume": (volume, "voxels counted"),
        "longest_diameter": (Estimate(lines.longest, "mm"), "longest chord in the acquisition plane"),
        "perpendicular_diameter": (Estimate(lines.perpendicular, "mm"), "longest chord perpendicular to it"),
        "sphericity": (Estimate(sphericity(mask.array, mask.affine), "1"), "mesh surface and volume"),
    }
    return [row_of(estimate, name=name, method=method, **where) for name, (estimate, method) in found.items()]


def measure_maps(
    analysis: Analysis, visit_id: str, region: Region, overlaps: RegionOverlaps, maps: Sequence[str]
) -> list[Measurement]:
    """Measures, as of an own lesion, of the visit's maps of these names in a region, on the map's own grid with overlap
    weights, and the ratios of its spectra: ratios of sums, never the mean of a ratio map that was made from them.

    A map that could not be made from its series has one row without a value that says why.
    """
    where = {"visit": visit_id, "region": region.name, "kind": "own", "drawn_in": region.visit}
    region_to_visit = visit_to_visit(analysis, region.visit, visit_id)
    rows = measure_spectra(analysis, visit_id, region, overlaps.mask, "own", _tissue_name(analysis, visit_id))
    from_spectra = {row.name for row in rows}
    for name in maps:
        values = analysis.maps.get((visit_id, name))
        if name in from_spectra:
            continue
        where["reference"] = _reference_name(analysis, visit_id, name)
        if values is None:
            if (visit_id, name) in analysis.absent:
                missing = Estimate(None, "", flags=analysis.absent[visit_id, name])
                rows.append(row_of(missing, name=first_measure(name), **where))
            continue
        region_to_map = np.linalg.inv(analysis.series_to_visit[visit_id, name]) @ region_to_visit
        touched = overlaps.on(values, region_to_map)
        weigh = analysis.maps.get((visit_id, WEIGHED_BY.get(name, "")))
        weigh = None if weigh is None else under(weigh, touched.index)
        there = under(values, touched.index)
        for measure, estimate in estimates(name, there, touched.weights, weigh, overlaps.volume):
            rows.append(row_of(estimate, name=measure, method=values.method, **where))
    return rows


def _reference_name(analysis: Analysis, visit_id: str, map_name: str) -> str:
    """What a map's values are taken against; empty where they stand for themselves."""
    if map_name == RESPONSE:
        return "rCBV_ratio of the visit before"
    return _tissue_name(analysis, visit_id) if map_name in RATIOS else ""


def _tissue_name(analysis: Analysis, visit_id: str) -> str:
    drawn = any(region.visit == visit_id and region.purpose == "reference" for region in analysis.patient.regions)
    return "drawn reference tissue" if drawn else "contralateral white matter"


def changes(
    values: list[Measurement],
    visits: list[str],
    acquired: dict[tuple[str, str], Fit | Stated] | None = None,
    doubted: Sequence[Message] = (),
) -> list[Measurement]:
    """Changes of each measure from one visit to the next one that has a value, and bounds of them where a ratio of
    spectra has a bound alone.

    The change of a measure has its name and unit; ``<name>_percent`` is the same change in per cent of the earlier
    value. Both name the earlier visit in ``compared_to``. acquired: spectra, as ``spectra_changes.protocols``: visits
    with another echo time or field are not compared, and other differences of their protocols are said. doubted:
    ``failed_alignments``, said of every change to or from their visits, and ``unchecked_alignments``, said of those in
    carried regions alone.
    """
    order = {visit_id: number for number, visit_id in enumerate(visits)}
    found = []
    for rows in _by_measure(values).values():
        if rows[0].name.startswith("PRM_") or rows[0].name.endswith(f"_{OUTSIDE}"):  # a change already; no tissue's
            continue
        rows = sorted(rows, key=lambda row: order[row.visit])
        measured = [row for row in rows if row.value is not None]
        for earlier, later in (*itertools.pairwise(measured), *compared(rows)):
            if UNIT_UNKNOWN in (earlier.unit, later.unit):
                pairs = _not_known(earlier, later)
            elif earlier.unit != later.unit:
                continue
            else:
                pairs = _changes_of_spectra(earlier, later) if later.name in NAMES else _changes_of_one(earlier, later)
            reasons = not_compared(acquired or {}, earlier, later)
            refused = any(reason.code in REFUSED for reason in reasons)
            unsaid = {flag.code: flag for row in (earlier, later) for flag in row.flags if flag.code in PASSED_ON}
            between = {earlier.visit, later.visit, later.drawn_in}
            doubts = [
                remark
                for remark in doubted
                if remark.parameters["visit"] in between
                and (later.kind == "fixed" or remark.code == "alignment_failed")
            ]
            for name, change, words in pairs:
                method = f"{words}; {later.method}" if words and not refused else later.method
                if refused:
                    change = Estimate(None, change.unit, flags=change.flags)
                found.append(
                    row_of(
                        change,
                        visit=later.visit,
                        region=later.region,
                        kind=later.kind,
                        drawn_in=later.drawn_in,
                        name=name,
                        compared_to=earlier.visit,
                        reference=later.reference,
                        method=method,
                        flags=(*reasons, *unsaid.values(), *_made_otherwise(earlier, later), *doubts),
                    )
                )
    return found


def _made_otherwise(earlier: Measurement, later: Measurement) -> list[Message]:
    """That two values were made in different ways, with what of the ways differs; of spectra ``not_compared`` says
    it."""
    found = []
    if earlier.method != later.method and later.name not in NAMES:
        then, now = (row.method.split("; ") for row in (earlier, later))
        told = {"then": "; ".join(one for one in then if one not in now) or "-"}
        told |= {"now": "; ".join(one for one in now if one not in then) or "-"}
        found.append(Message("change_methods_differ", told))
    if earlier.reference != later.reference:
        found.append(Message("change_references_differ", {"then": earlier.reference, "now": later.reference}))
    return found


def _not_known(earlier: Measurement, later: Measurement) -> list[tuple[str, Estimate, str]]:
    """As ``_changes_of_one``, of values whose unit nobody said: it may differ, by a factor of 1000 too."""
    visits = [row.visit for row in (earlier, later) if row.unit == UNIT_UNKNOWN]
    reason = Message("change_unit_unknown", {"visits": ", ".join(visits)})
    return [(later.name, Estimate(None, later.unit, flags=(reason,)), "")]


def _changes_of_one(earlier: Measurement, later: Measurement) -> list[tuple[str, Estimate, str]]:
    """Name, change and words of its method, in the measure's unit and, where that means something, in per cent."""
    before, after = estimate_of(earlier), estimate_of(later)
    two = before.value, after.value
    found = [(later.name, within_repeatability(later.name, difference(before, after), *two), "")]
    if before.value > 0 and after.value >= 0 and has_percent(later):
        percent = within_repeatability(later.name, percent_change(before, after), *two, percent=True)
        found.append((later.name + PERCENT, percent, ""))
    return found


def _changes_of_spectra(earlier: Measurement, later: Measurement) -> list[tuple[str, Estimate, str]]:
    """As ``_changes_of_one``, of a ratio of spectra."""
    plain, percent, words = change_of(earlier, later)
    return [(later.name, plain, ""), *([(later.name + PERCENT, percent, words)] if percent is not None else [])]


def has_percent(row: Measurement) -> bool:
    """Whether a change in per cent of the earlier value means something: not of a percentage, nor of what can be below
    zero."""
    return row.unit != "%" and not row.name.startswith(SIGNED) and not row.name.endswith(WITHOUT_UNIT)
