"""Spectroscopy in regions: ratios of sums over their voxels, and their mean spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..measures import Image, InputError, Measurement, Message, Region
from ..spectroscopy import Fit, regions
from ..spectroscopy.regions import RegionRatio, Sums
from . import Analysis
from .fitting_spectra import INDEX, overlap_with
from .map_estimates import WHOLE

# Measurement -> (numerator, denominator, kind).
RATIOS = {
    "Cho_NAA_molar": ("tCho", "tNAA", "molar"),
    "Cho_NAA_area": ("tCho", "tNAA", "area"),
    "Cho_Cr_molar": ("tCho", "tCr", "molar"),
    "Cho_Cr_area": ("tCho", "tCr", "area"),
    "NAA_Cr_molar": ("tNAA", "tCr", "molar"),
    "Ins_Cr_molar": ("Ins", "tCr", "molar"),
    "Glx_Cr_molar": ("Glx", "tCr", "molar"),
    "Lac_Cr_molar": ("Lac", "tCr", "molar"),
    "Lip13Lac_Cr_molar": ("LipLac", "tCr", "molar"),
}
OF_MEAN_SPECTRUM = ("Cho_NAA_molar", "Cho_Cr_molar", "NAA_Cr_molar")
MEAN_SPECTRUM = "_mean_spectrum"
TO_REFERENCE = "Cho_NAA_ratio"
NORMAL_CREATINE = "Cho_nCr_area"
NAMES = (*RATIOS, INDEX, TO_REFERENCE, NORMAL_CREATINE, *(name + MEAN_SPECTRUM for name in OF_MEAN_SPECTRUM))
WAITING = "spectra_mean_waiting"
"""Code of rows whose mean spectrum is to be fitted again."""
LEAST_BOX = 0.5  # share of a single voxel's box that must lie in a region to stand for it


def measured_role(analysis: Analysis, visit_id: str) -> str | None:
    """Which of the visit's spectra its regions are measured in: the grid where there is one; None without a fit."""
    return next((role for role in ("MRSI", "MRS") if (visit_id, role) in analysis.spectra_fits), None)


def measure_spectra(
    analysis: Analysis, visit_id: str, region: Region, mask: Image, kind: str, reference: str
) -> list[Measurement]:
    """All ratios of a region in the visit's spectra; none without a fit. reference: name of the reference tissue.

    Of a single voxel its own box is measured, where most of it lies in the region.
    """
    role = measured_role(analysis, visit_id)
    if role is None:
        return []
    found = analysis.spectra_fits[visit_id, role]
    overlap = overlap_with(analysis, visit_id, role, mask, region.visit)
    said, trouble, here = (), None, None
    if max(found.shape) == 1:
        said, trouble = _box(found, overlap.item(), mask)
    else:
        said = _beyond(found, overlap, mask)
    if trouble is None:
        try:
            here = regions.sums(found, overlap)
        except InputError as error:
            trouble = error.message
    row = _rows_of(found, visit_id, region, kind, said)
    over = "one box" if max(found.shape) == 1 else "ratio of sums over voxels in the region"

    rows = []
    for name, (numerator, denominator, ratio_kind) in RATIOS.items():
        if not found.holds(numerator):
            continue
        why_not = (trouble,) if trouble else tuple(regions.unsuited(numerator, found.protocol))
        if why_not:
            rows.append(row(name, None, over, why_not))
        else:
            rows.append(row(name, regions.ratio_of(here, numerator, denominator, ratio_kind), over))
    if trouble:
        normal = role == "MRSI" and visit_id in analysis.references
        names = (INDEX, TO_REFERENCE, NORMAL_CREATINE) if normal else (INDEX,)
        return rows + [row(name, None, over, (trouble,), "" if name == INDEX else reference) for name in names]
    rows.append(row(INDEX, regions.share_of(here, "tCho", "tNAA"), over))
    if role == "MRSI":
        rows += _against_reference(analysis, visit_id, here, over, reference, row)
        rows += mean_spectrum_rows(analysis, visit_id, region, kind)
    return rows


def mean_spectrum_rows(analysis: Analysis, visit_id: str, region: Region, kind: str) -> list[Measurement]:
    """Ratios of the fit of the region's mean spectrum in the visit's grid; waiting where the region changed since."""
    row = _rows_of(analysis.spectra_fits[visit_id, "MRSI"], visit_id, region, kind)
    mean = analysis.region_spectra.get((visit_id, region.visit, region.name))
    method = "fit of the aligned mean spectrum"
    names = [name + MEAN_SPECTRUM for name in OF_MEAN_SPECTRUM]
    if mean is None:
        if ("step_region_spectra", visit_id) in analysis.finished:
            return []
        return [row(name, None, method, (Message(WAITING),)) for name in names]
    try:
        one = regions.sums(mean, np.ones(mean.shape))
    except InputError as error:
        return [row(name, None, method, (error.message,)) for name in names]
    return [row(name + MEAN_SPECTRUM, regions.ratio_of(one, *RATIOS[name][:2]), method) for name in OF_MEAN_SPECTRUM]


def _rows_of(
    found: Fit, visit_id: str, region: Region, kind: str, said: tuple[Message, ...] = ()
) -> Callable[..., Measurement]:
    """What makes rows of a region in a visit's fit; said: of each of them."""
    protocol = found.protocol
    how = f"{protocol.sequence}, TE {1000 * protocol.echo_time:.0f} ms, {protocol.frequency:.1f} MHz"

    def row(
        name: str, of: RegionRatio | None, method: str, flags: tuple[Message, ...] = (), against: str = ""
    ) -> Measurement:
        return Measurement(
            visit=visit_id,
            region=region.name,
            kind=kind,
            drawn_in=region.visit,
            name=name,
            value=None if of is None else of.value,
            unit="1",
            low=None if of is None or (of.value is None and of.low <= 0) else of.low,
            high=None if of is None or not np.isfinite(of.high) else of.high,
            reference=against,
            method=f"{method}; {how}",
            flags=(*(of.flags if of else ()), *flags, *said),
        )

    return row


def _box(found: Fit, share: float, mask: Image) -> tuple[tuple[Message, ...], Message | None]:
    """What is said of a single voxel over a region, and why it does not stand for the region."""
    volume = abs(np.linalg.det(found.affine[:3, :3])) / 1000
    drawn = float(mask.array.sum()) * mask.voxel_volume
    numbers = {
        "volume": round(float(volume), 1),
        "percent": round(100 * share),
        "share": round(100 * share * volume / drawn) if drawn else 0,
    }
    outside = None if share >= LEAST_BOX else Message("spectra_box_outside", {"percent": numbers["percent"]})
    return (Message("spectra_box", numbers),), outside


def _beyond(found: Fit, overlap: np.ndarray, mask: Image) -> tuple[Message, ...]:
    """That a region reaches beyond the grid, which is a slab as a rule: its ratios are those of the part inside."""
    drawn = float(mask.array.sum()) * mask.voxel_volume
    share = float(overlap.sum()) * abs(np.linalg.det(found.affine[:3, :3])) / 1000 / drawn
    return (Message("spectra_region_beyond", {"percent": round(100 * share)}),) if share < WHOLE else ()


def _against_reference(
    analysis: Analysis, visit_id: str, here: Sums, over: str, reference: str, row
) -> list[Measurement]:
    """Cho/NAA over that of the reference tissue, and choline over the reference tissue's creatine."""
    tissue = analysis.references.get(visit_id)
    if tissue is None:
        return []
    try:
        there = _normal(analysis, visit_id, here.fit, tissue)
    except InputError:
        none = (Message("spectra_no_reference"),)
        return [row(name, None, over, none, reference) for name in (TO_REFERENCE, NORMAL_CREATINE)]
    own, normal = regions.ratio_of(here, "tCho", "tNAA"), regions.ratio_of(there, "tCho", "tNAA")
    against = regions.to_contralateral(own, normal)
    creatine = regions.ratio_of(here, "tCho", "tCr", "area", there)
    return [
        row(TO_REFERENCE, against, f"{over}, over the same of the reference tissue", (), reference),
        row(NORMAL_CREATINE, creatine, "mean choline over mean creatine of the reference tissue", (), reference),
    ]


def _normal(analysis: Analysis, visit_id: str, found: Fit, tissue: Image) -> Sums:
    """Sums over the reference tissue, remembered as long as it is the same."""
    known = found.remembered.get("reference")
    if known is None or known[0] is not tissue.array:
        known = tissue.array, regions.sums(found, overlap_with(analysis, visit_id, "MRSI", tissue, visit_id))
        found.remembered["reference"] = known
    return known[1]
