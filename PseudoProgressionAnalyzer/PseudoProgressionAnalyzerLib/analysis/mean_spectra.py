"""The mean spectra of regions that a stroke changed: fitted again when the pen rests, with the numbers that follow."""

from __future__ import annotations

from collections.abc import Callable

from ..measures import InputError
from . import Analysis
from .fitting_spectra import fit_means, read_spectra
from .measuring import put_values
from .measuring_spectra import MEAN_SPECTRUM, WAITING, mean_spectrum_rows

STEP = "step_region_spectra"


def waiting(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Mean spectra that are to be fitted again, as keys of ``region_spectra``: their rows say so."""
    rows = (row for row in analysis.measurements if row.name.endswith(MEAN_SPECTRUM) and not row.compared_to)
    found = ((row.visit, row.drawn_in, row.region) for row in rows if WAITING in (flag.code for flag in row.flags))
    return list(dict.fromkeys(found))


def follow_mean_spectra(analysis: Analysis, cancelled: Callable[[], bool] | None = None) -> bool:
    """Fits the mean spectra that are missing since regions changed, and measures them; whether there were any.

    Where a visit's spectra cannot be read (a scene that was opened elsewhere) its rows go on waiting. Raises
    concurrent.futures.CancelledError when cancelled() is true: then nothing is changed.
    """
    fitted = {}
    for visit_id in analysis.visit_to_reference:
        if (visit_id, "MRSI") not in analysis.spectra_fits or (STEP, visit_id) in analysis.finished:
            continue
        try:
            spectra = read_spectra(analysis.patient.visit(visit_id).of_role("MRSI"))
        except InputError:
            continue
        fitted[visit_id] = fit_means(analysis, visit_id, spectra, known=analysis.region_spectra, cancelled=cancelled)
    if not fitted:
        return False
    for visit_id, found in fitted.items():
        analysis.region_spectra |= found
        analysis.finished.add((STEP, visit_id))
    rows, renewed = [], set()
    for row in analysis.measurements:
        if row.compared_to or row.visit not in fitted or not row.name.endswith(MEAN_SPECTRUM):
            rows += [] if row.compared_to else [row]
            continue
        place = row.visit, row.drawn_in, row.region, row.kind
        if place not in renewed:
            renewed.add(place)
            drawn = [r for r in analysis.patient.regions if (r.visit, r.name) == (row.drawn_in, row.region)]
            rows += [new for region in drawn for new in mean_spectrum_rows(analysis, row.visit, region, row.kind)]
    put_values(analysis, rows)
    return True
