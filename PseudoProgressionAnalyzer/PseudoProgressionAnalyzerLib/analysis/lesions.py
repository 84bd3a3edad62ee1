"""Every lesion of every visit with a stable identity: measured in its own visit, followed over all of them.

The regions of a visit that were drawn as lesion fall into connected lesions; ``lesion.matching`` says which is which
over time. Outlines that did not change since they were measured are not measured again, so that this follows an edit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..imaging.resampling import resample
from ..lesion.change import change_per_month, doubling_time, within_error
from ..lesion.diameters import RULES, Diameters, diameters
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion, Outline
from ..lesion.matching import TrackedLesion, VisitLesions, label_lesions, track
from ..lesion.shape import shape, sphere_shape
from ..lesion.subtraction import supported_fraction
from ..lesion.surroundings import contact_area, distance, necrotic_fraction, share_inside
from ..lesion.volume import volume_estimate
from ..measures import Image, Visit
from . import Analysis
from .aligning import failed_alignments, unchecked_alignments, visit_to_visit
from .dose import high_dose_within, remark
from .enhancement import uptake_of
from .reading import drawn_as

COMPONENTS = {"lesion": "enhancing", "non_enhancing": "non_enhancing"}
"""Purpose of a region to the component that its lesions are."""
PARTS = {
    "lesion": "enhancement", "non_enhancing": "non_enhancing", "necrosis": "necrosis", "oedema": "oedema",
    "cavity": "cavity",
}  # fmt: skip
MOST_UNKNOWN = 0.01
"""Share of a lesion that may lie beyond the grid of the dose: then how much lies in the high-dose region is unknown."""
TOLERANCE = 1.0
"""mm by which lesions of two visits may miss each other: the largest error that the alignment had on the built-in case.
One number for all visits, so that a later visit never changes an earlier identity."""


@dataclass
class Measured:
    """The lesions of one purpose in one visit, with their outlines by number, and the fingerprint of what was drawn."""

    key: str
    lesions: VisitLesions
    outlines: dict[int, Outline]


def follow_lesions(analysis: Analysis) -> None:
    """``analysis.lesions`` and ``analysis.parts`` of all aligned visits."""
    visits = [visit for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    remark(analysis)
    analysis.parts = {visit.id: _parts(analysis, visit.id) for visit in visits}
    followed = []
    for purpose, component in COMPONENTS.items():
        measured = [_measured(analysis, visit, purpose) for visit in visits]
        there = {found.lesions.visit: found for found in measured if found is not None}
        tracked = track([found.lesions for found in there.values()], TOLERANCE)
        if component != "enhancing":  # identities of their own
            tracked = [_renamed(record, "N") for record in tracked]
        before = {later: earlier for earlier, later in itertools.pairwise(there)}
        tracked = [
            record
            if record.change is None
            else dataclasses.replace(
                record, change=_doubted(analysis, record.change, before[record.visit], record.visit)
            )
            for record in tracked
        ]
        followed += [
            _with_outline(analysis, record, there[record.visit].outlines.get(record.number)) for record in tracked
        ]
    order = {visit.id: number for number, visit in enumerate(visits)}
    followed.sort(key=lambda lesion: order[lesion.visit])
    analysis.lesions = _with_rates(analysis, followed)


def lines_of(lesion: FollowedLesion, rule: str) -> Diameters | None:
    """The two diameters of a lesion by a rule, the reader's where the reader drew them."""
    return None if lesion.outline is None else lesion.outline.lines[rule]


def _parts(analysis: Analysis, visit_id: str) -> dict[str, Estimate]:
    found = {}
    for purpose, name in PARTS.items():
        mask = drawn_as(analysis, visit_id, purpose)
        if mask is not None:
            found[name] = volume_estimate(mask, analysis.images[visit_id, "T1CE"].affine)
    return found


def _measured(analysis: Analysis, visit: Visit, purpose: str) -> Measured | None:
    """The visit's lesions of a purpose, measured again only where something that they rest on changed; None where
    nobody drew any or said that there are none."""
    mask = drawn_as(analysis, visit.id, purpose)
    to_reference = analysis.visit_to_reference[visit.id]
    if mask is None:
        if purpose != "lesion" or not _all_drawn(analysis, visit):
            return None
        return Measured("", VisitLesions(visit.id, np.zeros((1, 1, 1), np.int32), np.eye(4), to_reference), {})
    affine = analysis.images[visit.id, "T1CE"].affine
    beside = {name: drawn_as(analysis, visit.id, name) for name in ("necrosis", "cavity", "ventricles")}
    beside["high_dose"], beside["dose_known"] = _high_dose(analysis, visit.id, mask)
    key = _fingerprint(affine, analysis.uptake_noise.get(visit.id), mask, *beside.values())
    known = analysis.outlines.get((visit.id, purpose))
    if known is not None and known.key == key:
        return dataclasses.replace(known, lesions=dataclasses.replace(known.lesions, to_reference=to_reference))
    labels = label_lesions(mask, affine)
    outlines = {
        number: _outline(analysis, visit.id, COMPONENTS[purpose], labels == number, affine, beside)
        for number in range(1, int(labels.max(initial=0)) + 1)
    }
    found = Measured(key, VisitLesions(visit.id, labels, affine, to_reference), outlines)
    analysis.outlines[visit.id, purpose] = found
    return found


def _outline(
    analysis: Analysis,
    visit_id: str,
    component: str,
    mask: np.ndarray,
    affine: np.ndarray,
    drawn: dict[str, np.ndarray | None],
) -> Outline:
    cavity, necrosis = drawn["cavity"], drawn["necrosis"]
    beside = {
        "high_dose_fraction": _share_of_known(mask, drawn["high_dose"], drawn["dose_known"]),
        "distance_to_cavity": None if cavity is None else distance(mask, cavity, affine),
        "ventricle_contact": None if drawn["ventricles"] is None else contact_area(mask, drawn["ventricles"], affine),
        "necrotic_fraction": None if necrosis is None else necrotic_fraction(mask, _touching(necrosis, mask)),
    }
    uptake = uptake_of(analysis, visit_id)
    if uptake is not None and component == "enhancing":
        beside["contrast_uptake_fraction"] = supported_fraction(mask, uptake)
    return Outline(
        component,
        centre=_centre(mask, affine),
        lines={rule: diameters(mask, affine, rule, avoid=cavity) for rule in RULES},
        shape=shape(mask, affine),
        sphere=sphere_shape(mask, affine),
        beside={name: value for name, value in beside.items() if value is not None},
    )


def _touching(necrosis: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The pieces of necrosis that touch a lesion: its own necrosis."""
    pieces, _ = ndimage.label(necrosis, structure=np.ones((3, 3, 3)))
    met = np.unique(pieces[ndimage.binary_dilation(mask, structure=np.ones((3, 3, 3)))])
    return np.isin(pieces, met[met > 0])


def _centre(mask: np.ndarray, affine: np.ndarray) -> tuple[float, float, float]:
    """RAS mm of the voxel of a lesion that is nearest to its centre of mass, so that a ring's lies in the ring."""
    voxels = np.argwhere(mask)[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    nearest = voxels[np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))]
    return tuple(float(round(one, 3)) for one in nearest)


def _high_dose(analysis: Analysis, visit_id: str, mask: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The high-dose region on the visit's T1CE grid, and where it is known (None: everywhere).

    Drawn in one visit, it holds in all later ones too, never in an earlier one; where nobody drew it, it is that of the
    radiotherapy dose, told within the mask alone.
    """
    anatomy = analysis.images[visit_id, "T1CE"]
    for region in analysis.patient.regions:
        drawn = analysis.regions.get((region.visit, region.name))
        if region.purpose != "high_dose" or drawn is None or region.visit not in analysis.visit_to_reference:
            continue
        if not analysis.patient.was_there(region.visit, visit_id):
            continue
        to_here = visit_to_visit(analysis, region.visit, visit_id)
        return resample(Image(drawn.array, drawn.affine), anatomy, to_here, interpolation="nearest").array > 0, None
    return high_dose_within(analysis, visit_id, mask) or (None, None)


def _share_of_known(mask: np.ndarray, inside: np.ndarray | None, known: np.ndarray | None) -> float | None:
    """Share of a lesion in the high-dose region; None where too much of it is unknown."""
    if inside is None or (known is not None and share_inside(mask, ~known) > MOST_UNKNOWN):
        return None
    return share_inside(mask if known is None else mask & known, inside)


def _all_drawn(analysis: Analysis, visit: Visit) -> bool:
    """Whether a reader said that every lesion of the visit was drawn."""
    readings = (event for event in analysis.patient.events if event.kind == "reading" and event.date is not None)
    return any(event.date == visit.date and event.details.get("all_lesions_drawn") is True for event in readings)


def _fingerprint(affine: np.ndarray, noise: float | None, *masks: np.ndarray | None) -> str:
    """A short text that tells what the outlines rest on from anything else."""
    digest = hashlib.sha256(affine.tobytes() + repr(noise).encode())
    for mask in masks:
        digest.update(b"none" if mask is None else np.packbits(mask).tobytes())
    return digest.hexdigest()


def _renamed(record: TrackedLesion, letter: str) -> TrackedLesion:
    names = tuple(letter + name[1:] for name in record.relatives)
    return dataclasses.replace(record, lesion=letter + record.lesion[1:], relatives=names)


def _with_outline(analysis: Analysis, record: TrackedLesion, outline: Outline | None) -> FollowedLesion:
    """The lesion with its outline, whose diameters are the reader's where the reader drew them on this lesion.

    Lines that lie elsewhere were drawn on another one that had its identity before an edit: they do not count.
    """
    if outline is None:
        return FollowedLesion(record)
    lines = {
        rule: _as_drawn(outline.lines[rule], ends)
        for rule in RULES
        if (ends := analysis.reader_lines.get((record.visit, record.lesion, rule))) is not None
        and np.linalg.norm(ends.mean(axis=(0, 1)) - outline.centre) <= outline.lines[rule].longest
    }
    return FollowedLesion(record, dataclasses.replace(outline, lines={**outline.lines, **lines}), tuple(lines))


def _as_drawn(measured: Diameters, ends: np.ndarray) -> Diameters:
    """The measured diameters with other ends ``(2, 2, 3)``; the longer one is the longest."""
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    longer = int(np.argmax(lengths))
    return dataclasses.replace(
        measured,
        longest=float(lengths[longer]),
        perpendicular=float(lengths[1 - longer]),
        longest_ends=ends[longer],
        perpendicular_ends=ends[1 - longer],
    )


def _doubted(analysis: Analysis, change: Estimate, *visits: str) -> Estimate:
    """The change with a remark where it is in doubt whether both visits show the same place and so the same lesion."""
    remarks = (*failed_alignments(analysis, visits), *unchecked_alignments(analysis, visits, "identity"))
    return dataclasses.replace(change, flags=(*change.flags, *remarks))


def _with_rates(analysis: Analysis, followed: list[FollowedLesion]) -> list[FollowedLesion]:
    """Change per month and doubling time since the last visit that showed the lesion, where it is comparable."""
    dates = {visit.id: visit.date for visit in analysis.patient.visits}
    before: dict[str, FollowedLesion] = {}
    found = []
    for lesion in followed:
        earlier = before.get(lesion.lesion)
        apart = not {"merged", "split"} & set(lesion.tracked.events)
        if earlier is not None and lesion.outline is not None and apart:
            days = None
            if dates[earlier.visit] is not None and dates[lesion.visit] is not None:
                days = (dates[lesion.visit] - dates[earlier.visit]).days
            if days is not None and days > 0:
                then, now = earlier.tracked.volume, lesion.tracked.volume
                both = earlier.visit, lesion.visit
                lesion = dataclasses.replace(
                    lesion,
                    since=earlier.visit,
                    change_per_month=_doubted(analysis, within_error(change_per_month(then, now, days)), *both),
                    doubling_time=_doubted(analysis, doubling_time(then, now, days), *both),
                )
        if lesion.outline is not None:
            before[lesion.lesion] = lesion
        found.append(lesion)
    return found
