"""Followed lesions as rows of measurements.csv: kind ``followed``, the region is the identity of the lesion.

Rows of the kind ``own`` stay those of what was drawn as one region; a program that sums own lesions never counts a
lesion twice.
"""

from __future__ import annotations

from ..lesion.change import total
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Measurement, Message
from ..response import Lesion
from ..response.measurability import measurable_2010
from ..response.published import limit
from . import Analysis
from .responding import course
from .rows import row_of

KIND = "followed"
ALL = "all lesions"
SHAPES = ("sphericity", "solidity", "elongation", "flatness", "surface_to_volume", "maximum_3d_diameter")
UNITS = {
    "surface_to_volume": "1/mm",
    "maximum_3d_diameter": "mm",
    "distance_to_cavity": "mm",
    "ventricle_contact": "mm2",
}
RULE_WORDS = {
    "reader": "longest diameter on the acquisition plane and the longest one perpendicular to it",
    "product": "perpendicular diameters of the largest product on the acquisition plane",
}


def lesion_rows(analysis: Analysis) -> list[Measurement]:
    """Every followed lesion, then what all lesions of each visit are together."""
    rows = [row for lesion in analysis.lesions for row in _rows(lesion)]
    for visit in course(analysis).visits:
        if any(lesion.visit == visit.visit for lesion in analysis.lesions):
            rule = RULE_WORDS[analysis.choices.rule]
            rows.append(_row(visit.visit, ALL, "sum_of_products", sum_of_products(visit.lesions), rule))
        for part, estimate in analysis.parts.get(visit.visit, {}).items():
            rows.append(_row(visit.visit, ALL, f"{part}_volume", estimate, "voxels counted"))
    return rows


def sum_of_products(lesions: tuple[Lesion, ...]) -> Estimate:
    """mm2 over the measurable enhancing lesions of a visit, at most the five largest (RANO 2010, rules 1.1 and 1.6)."""
    measurable = [
        lesion.size("area").value
        for lesion in lesions
        if lesion.component == "enhancing" and not lesion.not_tumour and measurable_2010(lesion, "area")
    ]
    if not measurable:
        return Estimate(None, "mm2", flags=(Message("lesion_none_measurable"),))
    largest = sorted(measurable, reverse=True)[: int(limit("most_targets_2010"))]
    return total([Estimate(size, "mm2") for size in largest])


def _rows(lesion: FollowedLesion) -> list[Measurement]:
    def row(name: str, estimate: Estimate, method: str = "", compared_to: str = "") -> Measurement:
        return _row(lesion.visit, lesion.lesion, name, estimate, method, compared_to)

    rows = [row("volume", lesion.tracked.volume, "voxels counted")]
    outline = lesion.outline
    if outline is None:
        return rows
    for rule, prefix in (("reader", ""), ("product", "product_rule_")):
        lines = outline.lines[rule]
        method = "drawn by the reader" if rule in lesion.by_reader else RULE_WORDS[rule]
        rows += [
            row(f"{prefix}longest_diameter", Estimate(lines.longest, "mm"), method),
            row(f"{prefix}perpendicular_diameter", Estimate(lines.perpendicular, "mm"), method),
            row(f"{prefix}product_of_diameters", Estimate(lines.product, "mm2"), method),
        ]
    for name in SHAPES:
        unit = UNITS.get(name, "1")
        rows.append(row(name, Estimate(getattr(outline.shape, name), unit), "mesh, as pyradiomics"))
        sphere = Estimate(getattr(outline.sphere, name), unit)
        rows.append(row(f"{name}_of_sphere", sphere, "a perfect sphere of this volume on this grid"))
    rows += [row(name, Estimate(value, UNITS.get(name, "1"))) for name, value in sorted(outline.beside.items())]
    if lesion.since:
        rows.append(row("volume_per_month", lesion.change_per_month, "difference over time", lesion.since))
        rows.append(row("doubling_time", lesion.doubling_time, "exponential growth", lesion.since))
    return rows


def _row(
    visit: str, region: str, name: str, estimate: Estimate, method: str = "", compared_to: str = ""
) -> Measurement:
    return row_of(
        estimate,
        visit=visit,
        region=region,
        kind=KIND,
        drawn_in=visit,
        name=name,
        compared_to=compared_to,
        method=method,
    )
