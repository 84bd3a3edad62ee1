"""Perfusion compared between visits: where rCBV rose or fell voxel by voxel, and the band of its repeatability."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ..assessment.published import log_spread
from ..imaging.resampling import overlap_weights, resample, transform_points, voxel_centres
from ..lesion.change import within_error
from ..lesion.estimate import Estimate, widened
from ..measures import Image, InputError, Map, Message
from ..perfusion.regions import NORMAL_95, NORMAL_RANGE, REPEATABILITY, response_map
from . import Analysis
from .aligning import by_voxel, visit_to_visit
from .reading import lesion_of, unsay, warn

RATIO, RESPONSE = "rCBV_ratio", "rCBV_response"
OF_VOXELS = re.compile(r"_(mean|median|p\d+|hotspot)$")  # statistics whose interval is the spread of voxels
FROM_MIDLINE = 5.0  # mm that the opposite half of the brain keeps from the mid-sagittal plane: own choice
MOST_OF_A_VOXEL = 0.5  # share of an interpolated voxel that trusted voxels must make up; weights likewise


def make_response_maps(analysis: Analysis, only: Collection[str] | None = None) -> None:
    """A response map for every visit (of these only, where they are given) whose rCBV can be compared with that of the
    visit before; else the reason why not.

    Values: 0 unchanged, 1 decreased, 2 increased, on the later visit's grid. Limits come from the brain on the side
    opposite to the lesion (``perfusion.regions.response_map``).
    """
    for visit_id in waiting_response_maps(analysis):  # also of one that nothing stands before any more
        if only is None or visit_id in only:
            del analysis.absent[visit_id, RESPONSE]
    for earlier, later in _compared(analysis):
        if only is not None and later not in only:
            continue
        analysis.maps.pop((later, RESPONSE), None)
        analysis.absent.pop((later, RESPONSE), None)
        unsay(analysis, later, "response_map_alignment", "response_map_normal")
        if (earlier, RATIO) not in analysis.maps or (later, RATIO) not in analysis.maps:
            continue  # what is missing there is said there
        doubts = alignment_doubts(analysis, earlier, later)
        try:
            if not doubts:
                analysis.maps[later, RESPONSE] = _response(analysis, earlier, later)
                analysis.series_to_visit[later, RESPONSE] = analysis.series_to_visit[later, RATIO]
        except InputError as error:
            doubts = (error.message,)
        if doubts:
            analysis.absent[later, RESPONSE] = doubts
            warn(analysis, later, *doubts)


WAITING = "response_map_waiting"


def postpone_response_maps(analysis: Analysis, visit_id: str) -> list[str]:
    """Takes away the response maps in which a visit takes part, with the reason that they are made again later, and
    returns their visits: they take longer than a number that follows a stroke may."""
    waiting = [later for earlier, later in _compared(analysis) if visit_id in (earlier, later)]
    for later in waiting:
        analysis.maps.pop((later, RESPONSE), None)
        analysis.absent[later, RESPONSE] = (Message(WAITING),)
    return waiting


def waiting_response_maps(analysis: Analysis) -> list[str]:
    """The visits whose response map was postponed."""
    return [
        visit_id
        for (visit_id, name), reasons in analysis.absent.items()
        if name == RESPONSE and WAITING in [reason.code for reason in reasons]
    ]


def _compared(analysis: Analysis) -> list[tuple[str, str]]:
    """Earlier and later visit of each pair whose rCBV is compared."""
    visits = [visit.id for visit in analysis.patient.visits if (visit.id, "rCBV") in analysis.maps]
    return list(itertools.pairwise(visits))


def alignment_doubts(analysis: Analysis, *visits: str) -> tuple[Message, ...]:
    """Why visits must not be compared voxel by voxel; empty where nothing speaks against it."""
    others = (visit_id for visit_id in visits if visit_id != analysis.reference_visit)
    return tuple(Message("response_map_alignment", {"visit": one}) for one in others if not by_voxel(analysis, one))


def _response(analysis: Analysis, earlier: str, later: str) -> Map:
    """Raises InputError ``response_map_normal``."""
    after = analysis.maps[later, RATIO]
    to_visit = analysis.series_to_visit[later, RATIO]
    to_grid = np.linalg.inv(to_visit) @ visit_to_visit(analysis, earlier, later)
    before, seen = _on_grid(analysis.maps[earlier, RATIO], after, to_grid @ analysis.series_to_visit[earlier, RATIO])
    trusted = seen & (np.isfinite(after.array) if after.quality is None else after.quality)
    normal, tissue = _normal_brain(analysis, later, after, np.linalg.inv(to_visit))
    for visit_id, to_map in ((later, np.linalg.inv(to_visit)), (earlier, to_grid)):
        lesion = lesion_of(analysis, visit_id)
        if lesion is not None:
            anatomy = analysis.images[visit_id, "T1CE"]
            normal &= ~resample(Image(lesion, anatomy.affine), after, to_map, interpolation="nearest").array
    found = response_map(before, after.array, normal, trusted)
    low, high = NORMAL_RANGE
    return Map(
        np.where(found.trusted, found.classes, np.nan).astype(np.float32),
        after.affine,
        name=RESPONSE,
        unit="1",
        method=f"change of rCBV_ratio in each voxel since {earlier}: 1 where it fell by more than {-found.low:.2f}, 2 "
        f"where it rose by more than {found.high:.2f}, else 0 ({low:g} to {high:g} % of its change in {tissue})",
        quality=found.trusted,
        flags=(Message("response_map_rigid"), *after.flags),
    )


def _normal_brain(analysis: Analysis, visit_id: str, grid: Image, to_grid: np.ndarray) -> tuple[np.ndarray, str]:
    """The brain of the side on which the reference tissue lies, bool ``(k, j, i)`` of the grid, and what it is called;
    the reference tissue itself where no mid-sagittal plane is known."""
    tissue, plane = analysis.references[visit_id], analysis.midlines.get(visit_id)
    if plane is None:
        return overlap_weights(tissue, grid, to_grid) > MOST_OF_A_VOXEL, "the reference tissue"
    brain = Image(analysis.brains[visit_id].astype(bool), analysis.images[visit_id, "T1CE"].affine)
    inside = resample(brain, grid, to_grid, interpolation="nearest").array
    some = np.argwhere(tissue.array[::2, ::2, ::2]) * 2  # enough to tell on which side it lies
    some = some if len(some) else np.argwhere(tissue.array)
    side = np.sign(np.median(plane.distance(transform_points(tissue.affine, some[:, ::-1].astype(float)))))
    from_grid = np.linalg.inv(to_grid)
    points = transform_points(from_grid, voxel_centres(inside, grid.affine))
    normal = np.zeros(grid.shape, bool)
    normal[inside] = side * plane.distance(points) > FROM_MIDLINE
    return normal, "the opposite half of the brain"


def _on_grid(values: Map, grid: Image, to_grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A map on another grid, interpolated from its trusted voxels alone, and where there are enough of them."""
    trusted = np.isfinite(values.array) if values.quality is None else values.quality & np.isfinite(values.array)
    share = resample(Image(trusted.astype(np.float32), values.affine), grid, to_grid).array
    total = resample(Image(np.where(trusted, values.array, 0), values.affine), grid, to_grid).array
    seen = share > MOST_OF_A_VOXEL
    return np.where(seen, total / np.where(seen, share, 1), np.nan), seen


def within_repeatability(name: str, change: Estimate, earlier: float, later: float, percent: bool = False) -> Estimate:
    """A change with the band that repeated measurements without a true change would fill, where one was published.

    name: of the measure; change: the difference of the values earlier and later, or (percent) its per cent of the
    earlier one. A difference has the repeatability coefficient as its band, per cent that of the log ratio,
    1.96 sqrt(2) sqrt(ln(1 + wCV^2)), which follows from the within-subject coefficient of variation where errors are
    log-normal (as ``assessment.spreads.repeat_spread``) and never ends below -100. Both are at least as wide as the
    change's own interval. A change inside either carries the flag ``change_within_repeatability``: whether the error
    grows with the value was not read. Source of the coefficients: ``perfusion.regions.REPEATABILITY``. Without one a
    statistic of voxels keeps its narrow interval, and the flag ``change_of_voxels_alone`` says what is not in it; any
    other change whose interval holds zero says so (``lesion_change_within_error``).
    """
    if change.value is None:
        return change
    if name not in REPEATABILITY:
        if OF_VOXELS.search(name) and (change.low, change.high) != (None, None):
            return replace(change, flags=(*change.flags, Message("change_of_voxels_alone")))
        return within_error(change)
    coefficient, variation = REPEATABILITY[name]
    factor = math.exp(NORMAL_95 * math.sqrt(2) * log_spread(variation))
    ratio = later / earlier if earlier > 0 and later > 0 else math.nan
    band = change.value - coefficient, change.value + coefficient
    if percent:
        band = 100 * (ratio / factor - 1), 100 * (ratio * factor - 1)
    if all(map(math.isfinite, band)):
        change = widened(change, *band)
    if abs(later - earlier) > coefficient and not 1 / factor <= ratio <= factor:
        return change
    shown = {"coefficient": f"{coefficient:g}, or a factor of {factor:.1f}", "source": "Prah 2015, AJNR"}
    return replace(change, flags=(*change.flags, Message("change_within_repeatability", shown)))
