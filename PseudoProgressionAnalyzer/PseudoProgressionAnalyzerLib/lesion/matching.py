"""Lesions followed over visits: which lesion is which, and what has become of it.

Lesions are matched by where they lie after registration, never by their size or number. Two lesions of neighbouring
visits belong together when they overlap and one of them is the other's largest overlap; a lesion that overlaps nothing
may also meet one that overlaps nothing within the uncertainty of the registration. An identity once given stays: a
lesion that vanished and returns at its place, or comes out of a merger again, has its old identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..imaging.resampling import held_block
from .change import percent_change, within_error
from .estimate import Estimate, checked_mask, cropped
from .volume import banded

EVENTS = ("first", "new", "reappeared", "split", "merged", "vanished")
GROWTHS = ("growing", "shrinking", "within_error", "unknown")

SMALLEST = 0.02
"""mL from which a piece counts as a lesion: 20 voxels of 1 mm (prateekkarkare/lumiere-rano, where lesions were counted
on 1773 segmentations; smaller pieces are mostly noise of the segmentation)."""
FEWEST_VOXELS = 20
"""Voxels from which a piece counts, on coarse grids too: 0.02 mL are four voxels of 6 mm slices, on which drawn masks
fray."""


@dataclass(frozen=True)
class VisitLesions:
    """The lesions of a visit on its own grid.

    labels: int ``(k, j, i)``, 0 outside and the number of the lesion inside; affine: 4x4 to RAS mm of the visit;
    to_reference: 4x4 ``moving_to_fixed`` from RAS mm of the visit to those of the reference visit.
    """

    visit: str
    labels: np.ndarray
    affine: np.ndarray
    to_reference: np.ndarray

    def volume(self, numbers: Sequence[int]) -> Estimate:
        """Volume in mL of some lesions together, with its 95 % interval."""
        voxel = abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000
        voxels = int(np.count_nonzero(np.isin(self.labels, list(numbers))))
        return banded(voxels * voxel, np.linalg.norm(self.affine[:3, :3], axis=0))


@dataclass(frozen=True)
class TrackedLesion:
    """One lesion at one visit.

    lesion: its identity over all visits; number: its number in the visit's labels, None once it has vanished; events:
    of ``EVENTS``, since compared_to (the visit before, or the last that showed a lesion that reappears); relatives:
    the identities that it merged or split with. change: % of volume since then and growth, one of ``GROWTHS``: growing
    or shrinking where the interval of the change leaves out zero; both compare all lesions that merged or split
    together before and after, and are None where there is nothing to compare.
    """

    visit: str
    lesion: str
    number: int | None
    volume: Estimate
    events: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    change: Estimate | None = None
    growth: str | None = None


def label_lesions(
    mask: np.ndarray, affine: np.ndarray, smallest: float = SMALLEST, fewest: int = FEWEST_VOXELS
) -> np.ndarray:
    """Lesions of a mask, int32 ``(k, j, i)``: pieces that touch by face, edge or corner, 1 for the largest.

    Pieces below smallest (mL) are left out, and those of fewer voxels than fewest unless nothing is larger. Errors as
    ``volume.volume``.
    """
    pieces, count = ndimage.label(checked_mask(mask, affine), structure=np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    numbers = np.zeros(count + 1, np.int32)
    order = np.argsort(-sizes, kind="stable")
    numbers[order + 1] = np.arange(1, count + 1)
    left_out = (sizes * voxel < smallest) | ((sizes < fewest) & (sizes < sizes.max(initial=0)))
    numbers[1:][left_out] = 0
    return numbers[pieces]


def track(visits: Sequence[VisitLesions], tolerance: float) -> list[TrackedLesion]:
    """Every lesion of every visit with its identity, visits in order of date.

    tolerance: uncertainty of the registration in mm. A visit whose lesions are not drawn does not belong in the list;
    one without lesions does (labels all 0). Returned by visit, there by number; a lesion is listed once more, last and
    without a number, at the visit at which it has vanished or merged into another.
    """
    tracked: list[TrackedLesion] = []
    last_seen: dict[str, tuple[VisitLesions, int]] = {}
    previous, names = None, {}
    for visit in map(_cropped, visits):
        links = _links(previous, visit, tolerance) if previous else []
        old_names, names = names, _inherited(links, names)
        returned = set()
        for number in _numbers(visit):
            if number not in names:
                taken = {*names.values(), *old_names.values()}
                dormant = {name: seen for name, seen in last_seen.items() if name not in taken}
                name = _returning(visit, number, dormant, tolerance)
                if name:
                    returned.add(name)
                names[number] = name or f"L{len(last_seen) + 1}"
            last_seen[names[number]] = (visit, number)
        records = []
        for olds, news in _families(links, list(old_names), list(names)):
            records += _family_records(previous, visit, olds, news, old_names, names, returned)
        tracked += sorted(records, key=lambda record: (record.number is None, record.number or 0))
        previous = visit
    return tracked


def _cropped(visit: VisitLesions) -> VisitLesions:
    """The visit on the part of its grid that holds lesions (one voxel where there are none)."""
    box = held_block(visit.labels) or (slice(0, 1),) * 3
    affine = visit.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in reversed(box)]
    return VisitLesions(visit.visit, visit.labels[box], affine, visit.to_reference)


def _numbers(visit: VisitLesions) -> list[int]:
    return [int(number) for number in np.unique(visit.labels) if number > 0]


def _links(previous: VisitLesions, visit: VisitLesions, tolerance: float) -> list[tuple[float, int, int]]:
    """(overlap in mL, old number, new number) of the lesions that belong together, the largest overlap first."""
    overlap, near = _overlaps(previous, visit, tolerance)
    # Nearness joins only what has no overlap of its own.
    joined = np.where((overlap.any(axis=1)[:, None] | overlap.any(axis=0)), overlap, near)
    main = np.zeros(joined.shape, bool)
    main[np.arange(len(joined)), joined.argmax(axis=1)] = True
    main[joined.argmax(axis=0), np.arange(joined.shape[1])] = True
    olds, news = np.nonzero(main & (joined > 0))
    return sorted(
        ((float(joined[old, new]), int(old), int(new)) for old, new in zip(olds, news, strict=True)), reverse=True
    )


def _overlaps(first: VisitLesions, second: VisitLesions, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """mL that each lesion of first (row, its number) shares with each of second (column): where they overlap, and where
    they lie within tolerance of each other.

    Counted on the voxels of both visits, the larger count taken: the voxels of one may miss a lesion of the other.
    """
    there, back = _nearest(first, second, tolerance), _nearest(second, first, tolerance)
    return tuple(np.maximum(one, other.T) for one, other in zip(there, back, strict=True))


def _nearest(first: VisitLesions, second: VisitLesions, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """As ``_overlaps``, on the voxels of second: each belongs to the lesion of first that is nearest to it."""
    voxels = np.argwhere(second.labels)
    to_first = np.linalg.inv(first.to_reference @ first.affine) @ second.to_reference @ second.affine
    indices = np.rint(voxels[:, ::-1] @ to_first[:3, :3].T + to_first[:3, 3]).astype(int)[:, ::-1]
    spacing = np.linalg.norm(first.affine[:3, :3], axis=0)[::-1]
    margin = np.ceil(tolerance / spacing).astype(int)
    best = np.full(len(voxels), np.inf)
    owner = np.zeros(len(voxels), int)
    for number in _numbers(first):
        box, corner = cropped(first.labels == number)
        box, corner = np.pad(box, [(step, step) for step in margin]), corner - margin
        distance = ndimage.distance_transform_edt(~box, sampling=spacing)
        inside = np.all((indices >= corner) & (indices < corner + box.shape), axis=1)
        found = np.full(len(voxels), np.inf)
        found[inside] = distance[tuple((indices[inside] - corner).T)]
        closer = (found <= tolerance) & (found < best)
        best[closer], owner[closer] = found[closer], number
    size = (int(first.labels.max(initial=0)) + 1, int(second.labels.max(initial=0)) + 1)
    place = np.ravel_multi_index((owner, second.labels[tuple(voxels.T)]), size)
    voxel = abs(float(np.linalg.det(second.affine[:3, :3]))) / 1000
    tables = []
    for counted in (best == 0, best <= tolerance):
        table = np.bincount(place[counted], minlength=size[0] * size[1]).reshape(size) * voxel
        tables.append(table)
    return tables[0], tables[1]


def _inherited(links: list[tuple[float, int, int]], names: dict[int, str]) -> dict[int, str]:
    """New number to identity: each identity goes to its largest overlap that has none yet."""
    inherited: dict[int, str] = {}
    for _, old, new in links:
        if new not in inherited and names[old] not in inherited.values():
            inherited[new] = names[old]
    return inherited


def _returning(
    visit: VisitLesions, number: int, dormant: dict[str, tuple[VisitLesions, int]], tolerance: float
) -> str | None:
    """The identity that was last seen where this lesion lies, or None."""
    alone = VisitLesions(visit.visit, np.where(visit.labels == number, 1, 0), visit.affine, visit.to_reference)
    best, returning = 0.0, None
    for name, (seen, old) in dormant.items():
        place = VisitLesions(seen.visit, np.where(seen.labels == old, 1, 0), seen.affine, seen.to_reference)
        shared = float(_overlaps(place, alone, tolerance)[1][1, 1])
        if shared > best:
            best, returning = shared, name
    return returning


def _families(
    links: list[tuple[float, int, int]], olds: list[int], news: list[int]
) -> list[tuple[list[int], list[int]]]:
    """Lesions before and after that hang together by links; either side may be empty."""
    families = [({old}, set()) for old in olds] + [(set(), {new}) for new in news]
    for _, old, new in links:
        before = next(family for family in families if old in family[0])
        after = next(family for family in families if new in family[1])
        if before is not after:
            families.remove(after)
            before[0].update(after[0])
            before[1].update(after[1])
    return [(sorted(before), sorted(after)) for before, after in families]


def _family_records(
    previous: VisitLesions | None,
    visit: VisitLesions,
    olds: list[int],
    news: list[int],
    old_names: dict[int, str],
    names: dict[int, str],
    returned: set[str],
) -> list[TrackedLesion]:
    """What became of lesions that hang together."""
    members = {old_names[old] for old in olds} | {names[new] for new in news}
    change = within_error(percent_change(previous.volume(olds), visit.volume(news))) if olds else None
    growth = _growth(change) if olds and news else None
    shared = ("merged",) * (len(olds) > 1) + ("split",) * (len(news) > 1)
    records = []
    for new in news:
        name = names[new]
        appeared = ("first",) if previous is None else ("new",) if not olds else ()
        events = (*shared, "reappeared") if name in returned else shared or appeared
        relatives = tuple(sorted(members - {name}))
        records.append(TrackedLesion(visit.visit, name, new, visit.volume([new]), events, relatives, change, growth))
    for name in sorted({old_names[old] for old in olds} - {names[new] for new in news}):
        events = ("merged",) if news else ("vanished",)
        relatives = tuple(sorted(members - {name}))
        records.append(TrackedLesion(visit.visit, name, None, Estimate(0.0, "mL"), events, relatives, change, growth))
    return records


def _growth(change: Estimate) -> str:
    if change.low is not None and change.low > 0:
        return "growing"
    if change.high is not None and change.high < 0:
        return "shrinking"
    return "unknown" if change.low is None or change.high is None else "within_error"
