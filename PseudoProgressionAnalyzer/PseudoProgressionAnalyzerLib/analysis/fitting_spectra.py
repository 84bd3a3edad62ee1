"""Spectra of each visit: fitted voxel by voxel, as maps, and as mean spectra of the regions."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

import numpy as np

from ..formats.series import SPECTRA
from ..formats.spectra import load, water_beside
from ..formats.spectra_geometry import UNLOCALISED
from ..imaging.resampling import overlap_weights
from ..measures import Image, InputError, Map, Message, Series, Spectra
from ..patient.shown_path import shown_path
from ..spectroscopy import Fit, fit
from ..spectroscopy.regions import mean_spectrum
from . import Analysis
from .aligning import visit_to_visit
from .correcting import JUDGING, MEASURED
from .mapping import GIVEN_MAPS
from .reading import lesion_of, warn

IN_BRAIN = 0.5  # share of a voxel of a grid that must lie in the brain to be fitted
REFERENCE = ""  # name of the reference tissue among the regions' mean spectra

RATIO_MAPS = {
    "Cho_NAA_molar": ("tCho", "tNAA"),
    "Cho_Cr_molar": ("tCho", "tCr"),
    "NAA_Cr_molar": ("tNAA", "tCr"),
}
INDEX = "Cho_index_molar"


def fit_spectra(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Fits the visit's spectra and makes maps of their ratios. What cannot be read or fitted is a warning."""
    for series in analysis.patient.visit(visit_id).series:
        if series.role not in SPECTRA:
            continue
        analysis.spectra_fits.pop((visit_id, series.role), None)
        analysis.series_to_visit[visit_id, series.role] = np.eye(4)
        try:
            spectra = read_spectra(series)
            mask = _wanted(analysis, visit_id, series, spectra)
            found = fit(spectra, mask=mask, progress=progress, cancelled=cancelled, **_stated(series))
        except InputError as error:
            parameters = {"file": str(series.path), **error.message.parameters}
            warn(analysis, visit_id, Message(error.message.code, parameters))
            continue
        analysis.spectra_fits[visit_id, series.role] = found
        warn(analysis, visit_id, *found.flags)
        if series.role == "MRSI":
            _add_maps(analysis, visit_id, found)


def read_spectra(series: Series) -> Spectra:
    """The spectra of a series with the water reference that lies beside them. Raises InputError as ``load``.

    Their remarks go wherever their numbers go, so they name the file without folders that may name the patient. That a
    single voxel has no water reference is one: uncorrected eddy currents bend its lines more than its noise tells.
    """
    spectra = load(series.path, None if series.files else water_beside(series.path))
    short = shown_path(series.path)
    flags = [Message(flag.code, {**flag.parameters, "file": short}) for flag in spectra.flags]
    if spectra.water is None and max(spectra.shape) == 1:
        flags.append(Message("spectra_no_water", {"file": short}))
    return replace(spectra, flags=tuple(flags))


def grid_of(found: Fit) -> Image:
    """The voxels of a fit as an empty image."""
    return Image(np.broadcast_to(np.zeros((), np.uint8), found.shape), found.affine)


def overlap_with(analysis: Analysis, visit_id: str, role: str, mask: Image, drawn_in: str) -> np.ndarray:
    """Share of each voxel of the visit's spectra ``(k, j, i)`` that lies in a region; all 0 where their place is
    unknown. drawn_in: the visit whose T1CE the mask lies on."""
    found = analysis.spectra_fits[visit_id, role]
    if np.linalg.norm(found.affine[:3, 0]) >= UNLOCALISED:
        return np.zeros(found.shape)
    to_spectra = np.linalg.inv(analysis.series_to_visit[visit_id, role]) @ visit_to_visit(analysis, drawn_in, visit_id)
    return overlap_weights(_cut(mask), grid_of(found), to_spectra)


def _cut(mask: Image) -> Image:
    """A mask cut to what it holds, so that the empty rest is not walked through again and again."""
    low, array = [], mask.array
    for axis in range(3):
        held = np.flatnonzero(array.any(axis=tuple({0, 1, 2} - {axis})))
        if not len(held):
            return mask
        low.append(int(held[0]))
        array = array[tuple(slice(held[0], held[-1] + 1) if each == axis else slice(None) for each in range(3))]
    affine = mask.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ low[::-1]
    return Image(array, affine)


def fit_region_spectra(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The mean spectrum of every region and of the reference tissue on the visit's grid, aligned and fitted."""
    if (visit_id, "MRSI") not in analysis.spectra_fits:
        return
    series = analysis.patient.visit(visit_id).of_role("MRSI")
    try:
        spectra = read_spectra(series)
    except InputError as error:  # a scene that was opened where the files are not
        warn(analysis, visit_id, error.message)
        return
    for key in [key for key in analysis.region_spectra if key[0] == visit_id]:
        del analysis.region_spectra[key]
    analysis.region_spectra |= fit_means(analysis, visit_id, spectra, progress=progress, cancelled=cancelled)
    analysis.finished -= {(step, "") for step in (MEASURED, *JUDGING)}  # they read what is new here


def fit_means(
    analysis: Analysis,
    visit_id: str,
    spectra: Spectra,
    *,
    known: Container[tuple[str, str, str]] = (),
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[tuple[str, str, str], Fit]:
    """Fits of the mean spectra of the regions that are measured in a visit's grid, by visit, visit drawn in, and name;
    those that are known already are left out. Changes nothing."""
    series, grid = analysis.patient.visit(visit_id).of_role("MRSI"), analysis.spectra_fits[visit_id, "MRSI"]
    wanted = {
        (region.visit, region.name): analysis.regions.get((region.visit, region.name))
        for region in analysis.patient.regions
        if region.visit == visit_id or region.carried or region.purpose == "free"
    }
    wanted[visit_id, REFERENCE] = analysis.references.get(visit_id)
    means = {}
    for number, ((drawn_in, name), mask) in enumerate(wanted.items()):
        if mask is None or drawn_in not in analysis.visit_to_reference or (visit_id, drawn_in, name) in known:
            continue
        overlap = overlap_with(analysis, visit_id, "MRSI", mask, drawn_in)
        try:
            mean = mean_spectrum(spectra, grid, overlap)
            learned = {"widths": grid.widths, "width_errors": grid.width_errors} if grid.widths else {}
            found = fit(mean, cancelled=cancelled, **learned, **_stated(series))
        except InputError:
            continue  # no accepted voxel in it: its measurements say so
        means[visit_id, drawn_in, name] = found
        if progress is not None:
            progress((number + 1) / len(wanted))
    return means


def _stated(series: Series) -> dict:
    """What the sidecar says of the acquisition: it counts before what the file says."""
    sequence = str(series.acquisition.get("PulseSequenceType", ""))
    known = {"press": "PRESS", "steam": "STEAM", "slaser": "sLASER", "semi-laser": "sLASER", "spin_echo": "spin_echo"}
    echo_time = series.acquisition.get("EchoTime")  # of several none is that of these spectra
    return {
        "echo_time": echo_time if isinstance(echo_time, int | float) else None,
        "sequence": known.get(sequence.lower()),
    }


def _wanted(analysis: Analysis, visit_id: str, series: Series, spectra: Spectra) -> np.ndarray | None:
    """Voxels ``(k, j, i)`` in the brain or a lesion, and in the box that was excited; None for a single voxel."""
    if max(spectra.shape) == 1:
        return None
    anatomy = analysis.images[visit_id, "T1CE"]
    lesion = lesion_of(analysis, visit_id)  # a lesion at the surface may lie outside of the brain that was found
    brain = analysis.brains[visit_id] if lesion is None else analysis.brains[visit_id] | lesion
    brain = Image(brain, anatomy.affine)
    to_spectra = np.linalg.inv(analysis.series_to_visit[visit_id, series.role])
    inside = overlap_weights(brain, Image(np.zeros(spectra.shape, bool), spectra.affine), to_spectra) >= IN_BRAIN
    if spectra.excited is not None:
        index = np.indices(spectra.shape)[::-1].reshape(3, -1)
        centres = spectra.affine @ np.vstack([index, np.ones((1, index.shape[1]))])
        box = np.linalg.inv(spectra.excited) @ centres
        inside &= (np.abs(box[:3]) <= 0.5).all(axis=0).reshape(spectra.shape)
    if not inside.any():
        raise InputError("spectra_outside_brain", file=str(series.path))
    return inside


def _add_maps(analysis: Analysis, visit_id: str, found: Fit) -> None:
    """Ratio maps and the bounded index, trusted in accepted voxels.

    Where one of the two was not detected a ratio map holds the end of its interval that is known, the lower one without
    a denominator, the upper one without a numerator, and says so: a hole in the map would hide the voxels that have
    lost most. Where neither was it holds nothing. Regions are never measured in these maps.
    """
    protocol = found.protocol
    method = (
        f"linear combination of simulated spectra, {protocol.sequence}, TE {1000 * protocol.echo_time:.0f} ms, "
        f"{protocol.frequency:.1f} MHz, without correction for relaxation"
    )
    share = found.share("tCho", "tNAA").value
    nowhere = np.zeros(found.shape, bool)
    maps = {INDEX: (share, (nowhere, nowhere), f"{method}; choline over choline and NAA")}
    for name, (numerator, denominator) in RATIO_MAPS.items():
        values, bounds = shown_ratio(found, numerator, denominator)
        maps[name] = values, bounds, method
    for name, (values, (least, most), how) in maps.items():
        if (visit_id, name) in analysis.maps and name in GIVEN_MAPS:
            warn(analysis, visit_id, Message("spectra_and_map", {"name": name}))
        quality = found.accepted & np.isfinite(values)
        said = [
            Message(code, {"count": int(bound.sum()), "name": name})
            for code, bound in (("spectra_bounds_in_map", least), ("spectra_upper_bounds_in_map", most))
            if bound.any()
        ]
        analysis.maps[visit_id, name] = Map(
            np.where(quality, values, np.nan).astype(np.float32),
            found.affine,
            name=name,
            unit="1",
            method=how,
            quality=quality,
            flags=(*found.flags, *said),
        )
        analysis.series_to_visit[visit_id, name] = analysis.series_to_visit[visit_id, "MRSI"]


def shown_ratio(found: Fit, numerator: str, denominator: str) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """What a map of a ratio shows in every voxel ``(k, j, i)``, and in which accepted voxels that is a lower, in which
    an upper bound (bool)."""
    value, low, high = found.ratio(numerator, denominator)
    least = found.accepted & (low > 0) & np.isinf(high)
    most = found.accepted & (low == 0) & np.isfinite(high)
    return np.where(least, low, np.where(most, high, value)), (least, most)
