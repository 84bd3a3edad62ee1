"""Spectra of any vendor into ``Spectra``, with the frequency axis checked against the lines of a brain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..measures import Image, InputError, Message, Spectra
from . import spectra_dicom, spectra_ge, spectra_lcmodel, spectra_nifti, spectra_philips, spectra_siemens
from .sidecars import read_sidecar, sidecar_path
from .spectra_axis import CLEAR, SPECTRUM_LIKE, TURN, scores
from .spectra_fields import needed
from .spectra_geometry import UNLOCALISED

ENDINGS = (".nii.gz", ".nii", ".rda", ".spar", ".sdat", ".7", ".raw", ".ima", ".dcm")
"""File endings that hold spectra in a patient folder; of a SPAR/SDAT pair the SPAR stands for both."""
WATER = "_water"
"""What the name of a water reference has more than that of its spectra."""
DWELL_TIMES = (1 / 20000, 1 / 500)  # s: what spectrometers for heads use
FREQUENCIES, ECHO_TIMES = (20.0, 500.0), (0.002, 0.7)  # MHz, s: out of reach of a head scanner beyond (basis.check)
FEWEST_POINTS = 64  # of a decay, below which no lines can be told apart


def load(
    path: Path,
    water: Path | None = None,
    *,
    dwell_time: float | None = None,
    spectrometer_frequency: float | None = None,
) -> Spectra:
    """The spectra of a file: NIfTI-MRS, DICOM, RDA, SPAR/SDAT, GE P-file or LCModel RAW.

    water: file of the unsuppressed water reference, where it is a file of its own; that of a Philips pair is found by
    its name. dwell_time (s) and spectrometer_frequency (MHz) are for LCModel RAW files, which seldom state them; else
    they are looked for in a sidecar (``SpectralWidth`` in Hz, ``SpectrometerFrequency`` in MHz).
    Raises InputError: ``file_missing``, ``spectra_unreadable``, ``file_truncated``, ``spectra_fields``,
    ``spectra_field``, ``spectra_dwell_time_range``, ``spectra_frequency_range``, ``spectra_echo_time_range``,
    ``spectra_few_points``, ``spectra_no_signal``, ``spectra_nucleus``, ``spectra_water_differs``, those of
    ``read_sidecar``, and those of the single formats.
    """
    path = Path(path)
    spectra = _read(path, dwell_time, spectrometer_frequency)
    _check(spectra, path)
    if water is None and path.name.lower().endswith(spectra_philips.ENDINGS):
        water = spectra_philips.water_reference(path)
    if water is not None:
        reference = _read(Path(water), dwell_time, spectrometer_frequency)
        _check(reference, Path(water))
        alike = reference.fid.shape[-1] == spectra.fid.shape[-1] and reference.shape in (spectra.shape, (1, 1, 1))
        if not alike or not np.isclose(reference.dwell_time, spectra.dwell_time):
            raise InputError("spectra_water_differs", file=str(water), other=str(path))
        spectra = replace(spectra, water=reference.fid)
    return _turned(spectra, path)


def water_beside(path: Path) -> Path | None:
    """The water reference that lies beside spectra in a patient folder, or None.

    ``MRSI_water.nii.gz`` of ``MRSI.nii.gz``, and ``sub-1_mrsref.nii.gz`` of ``sub-1_mrsi.nii.gz`` as in BIDS.
    """
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            stem = path.name[: -len(ending)]
            start, _, suffix = stem.rpartition("_")
            names = [stem + WATER, *([f"{start}_mrsref"] if suffix in ("mrsi", "svs") else [])]
            beside = (path.with_name(name + other) for name in names for other in (path.name[len(stem) :], *ENDINGS))
            return next((other for other in beside if other.is_file()), None)
    return None


def read_spectra_header(path: Path) -> tuple[Image, dict[str, float | str]]:
    """Grid of spectra (an empty image) and what the file says of their acquisition, in BIDS names and units.

    Raises InputError as ``load``.
    """
    spectra = _read(Path(path), None, None)
    _check(spectra, Path(path))
    said = {
        "EchoTime": spectra.echo_time,
        "RepetitionTime": spectra.repetition_time,
        "MixingTime": spectra.mixing_time,
        "SpectrometerFrequency": spectra.spectrometer_frequency,
        "PulseSequenceType": spectra.sequence or None,
    }
    grid = Image(np.broadcast_to(np.zeros((), np.uint8), spectra.shape), spectra.affine)
    return grid, {name: value for name, value in said.items() if value is not None}


def _read(path: Path, dwell_time: float | None, frequency: float | None) -> Spectra:
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return spectra_nifti.read(path)
    if name.endswith(".rda"):
        return spectra_siemens.read_rda(path)
    if name.endswith(spectra_philips.ENDINGS):
        return spectra_philips.read(path)
    with path.open("rb") as file:
        start = file.read(4096)
    if b"$NMID" in start.upper() and start[128:132] != b"DICM":
        said = {} if dwell_time and frequency else read_sidecar(path)
        if dwell_time is None and "SpectralWidth" in said:
            width = needed(sidecar_path(path), said, "SpectralWidth")
            dwell_time = 1 / width if width > 0 else None
        if frequency is None and "SpectrometerFrequency" in said:
            frequency = needed(sidecar_path(path), said, "SpectrometerFrequency")
        return spectra_lcmodel.read(path, dwell_time=dwell_time, frequency=frequency)
    if name.endswith(".7"):
        return spectra_ge.read(path)
    return spectra_dicom.read(path)


def _check(spectra: Spectra, path: Path) -> None:
    if not DWELL_TIMES[0] <= spectra.dwell_time <= DWELL_TIMES[1]:
        raise InputError("spectra_dwell_time_range", file=str(path), value=spectra.dwell_time)
    if not FREQUENCIES[0] <= spectra.spectrometer_frequency <= FREQUENCIES[1]:
        raise InputError("spectra_frequency_range", file=str(path), value=f"{spectra.spectrometer_frequency:g}")
    if spectra.echo_time is not None and not ECHO_TIMES[0] <= spectra.echo_time <= ECHO_TIMES[1]:
        raise InputError("spectra_echo_time_range", file=str(path), value=f"{spectra.echo_time:g}")
    if spectra.fid.shape[-1] < FEWEST_POINTS:
        raise InputError("spectra_few_points", file=str(path), points=spectra.fid.shape[-1], fewest=FEWEST_POINTS)
    if spectra.nucleus != "1H":
        raise InputError("spectra_nucleus", file=str(path), nucleus=spectra.nucleus)
    if not np.isfinite(spectra.fid).all() or not spectra.fid.any():
        raise InputError("spectra_no_signal", file=str(path))
    if not np.isfinite(spectra.affine).all() or abs(np.linalg.det(spectra.affine[:3, :3])) < 1e-3:
        raise InputError("image_geometry", file=str(path))


def _turned(spectra: Spectra, path: Path) -> Spectra:
    """The frequency axis the right way round, said where it had to be turned or cannot be known."""
    flags = list(spectra.flags)
    as_is, turned = scores(spectra.fid, spectra.dwell_time, spectra.spectrometer_frequency)
    if turned > TURN * as_is and turned > SPECTRUM_LIKE:
        spectra = replace(
            spectra, fid=spectra.fid.conj(), water=None if spectra.water is None else spectra.water.conj()
        )
        flags.append(Message("spectra_axis_turned", {"file": str(path)}))
    elif as_is <= CLEAR * turned or as_is <= SPECTRUM_LIKE:
        flags.append(Message("spectra_axis_unknown", {"file": str(path)}))
    if np.linalg.norm(spectra.affine[:3, 0]) >= UNLOCALISED:
        flags.append(Message("spectra_unlocalised", {"file": str(path)}))
    if spectra.echo_time is None:
        flags.append(Message("spectra_echo_time_unknown", {"file": str(path)}))
    return replace(spectra, flags=tuple(flags))
