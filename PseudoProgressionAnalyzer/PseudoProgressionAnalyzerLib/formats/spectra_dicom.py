"""Spectroscopy in DICOM: MR Spectroscopy Storage (Siemens, Philips) and classic Siemens files.

Source: DICOM PS3.3 A.36.3 (MR Spectroscopy IOD), C.8.14.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from ..measures import InputError, Spectra
from .spectra_fields import needed
from .spectra_geometry import from_angles, from_slabs, from_vectors, nowhere
from .spectra_siemens import CLASSIC, read_classic, sequence_of

STORAGE = "1.2.840.10008.5.1.4.1.1.4.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
BROKEN = (
    BytesLengthException, InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, IndexError,
    NotImplementedError,
)  # fmt: skip
"""What pydicom and numbers raise of a file that is damaged somewhere in its header."""
AS_READ = {"DataRepresentation": "COMPLEX", "SignalDomainColumns": "TIME", "DataPointRows": "1"}
"""What other values than these mean (PS3.3 C.8.14.1): no phase, spectra instead of decays, a second dimension."""
LOCALISATIONS = {"PRESS": "PRESS", "PRIME": "PRESS", "STEAM": "STEAM"}


def read(path: Path) -> Spectra:
    """The spectra of a DICOM file; of two Philips frames the second is the water reference.

    Raises InputError ``spectra_unreadable``, ``spectra_secondary_capture``, ``spectra_dicom_kind``, ``spectra_fields``,
    ``spectra_field``, ``spectra_dicom_grid``, ``file_truncated``.
    """
    try:
        return _read(path)
    except BROKEN as error:
        raise InputError("spectra_unreadable", file=str(path), detail=f"DICOM, {type(error).__name__}") from error


def is_spectroscopy(path: Path) -> bool:
    """Whether a DICOM file says that it holds spectra; of its header alone."""
    try:
        dataset = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
        return str(dataset.get("SOPClassUID", "")) in (STORAGE, CLASSIC)
    except BROKEN:
        return False


def _read(path: Path) -> Spectra:
    dataset = pydicom.dcmread(path, force=True)
    kind = str(dataset.get("SOPClassUID", dataset.file_meta.get("MediaStorageSOPClassUID", "")))
    if kind == CLASSIC or ((0x7FE1, 0x1010) in dataset and (0x0029, 0x1110) in dataset):
        return read_classic(dataset, path)
    if kind.startswith(SECONDARY_CAPTURE):
        raise InputError("spectra_secondary_capture", file=str(path))
    if kind != STORAGE:
        raise InputError("spectra_dicom_kind", file=str(path))
    return _enhanced(dataset, path)


def _enhanced(dataset: Dataset, path: Path) -> Spectra:
    sizes = ("NumberOfFrames", "Rows", "Columns", "DataPointColumns")
    said = {name: _one(dataset.get(name)) for name in (*sizes, "SpectralWidth", "TransmitterFrequency")}
    shape = tuple(needed(path, said, name, int) for name in sizes)
    for name, wanted in AS_READ.items():
        found = str(_one(dataset.get(name)) or wanted).strip()
        if found != wanted:
            raise InputError("spectra_field", file=str(path), field=name, value=found)
    width, frequency = needed(path, said, "SpectralWidth"), needed(path, said, "TransmitterFrequency")
    content = dataset[0x5600, 0x0020].value if (0x5600, 0x0020) in dataset else None
    if content is None:
        raise InputError("spectra_fields", file=str(path), fields="SpectroscopyData")
    if not width > 0:
        raise InputError("spectra_field", file=str(path), field="SpectralWidth", value=f"{width:g}")
    if isinstance(content, bytes):
        content = np.frombuffer(content[: len(content) // 4 * 4], "<f4")
    values, count = np.asarray(content, np.float32), math.prod(shape)
    if min(shape) < 1 or values.size < 2 * count:
        raise InputError("file_truncated", file=str(path))
    # Conjugate: NIfTI-MRS counts frequencies the other way.
    fid = (values[: 2 * count].reshape(*shape, 2) @ np.array([1, -1j], np.complex64)).astype(np.complex64)
    philips = "philips" in str(dataset.get("Manufacturer", "")).lower()
    water = None
    if philips and (shape[1:3] != (1, 1) or shape[0] > 2):  # they describe the excited box, not a grid in it
        raise InputError("spectra_dicom_grid", file=str(path))
    if philips and shape[0] == 2:
        fid, water = fid[:1], fid[1:]
    echo_time = _inside(dataset, "MREchoSequence", "EffectiveEchoTime")
    repetition_time = _inside(dataset, "MRTimingAndRelatedParametersSequence", "RepetitionTime")
    sequence = LOCALISATIONS.get(str(dataset.get("VolumeLocalizationTechnique", "")), "")
    return Spectra(
        fid,
        1 / width,
        frequency,
        None if echo_time is None else float(echo_time) * 1e-3,
        str(_one(dataset.get("ResonantNucleus", "1H"))),
        _philips_place(dataset) if philips else _place(dataset, shape[:3]),
        water=water,
        sequence=sequence or sequence_of(str(dataset.get("PulseSequenceName", ""))),
        repetition_time=None if repetition_time is None else float(repetition_time) * 1e-3,
    )


def _place(dataset: Dataset, shape: tuple[int, ...]) -> np.ndarray:
    slabs = dataset.get("VolumeLocalizationSequence") or []
    if max(shape) == 1 and len(slabs) == 3:
        normals = [slab.SlabOrientation for slab in slabs]
        return from_slabs(slabs[0].MidSlabPosition, normals, [float(slab.SlabThickness) for slab in slabs])
    position = _inside(dataset, "PlanePositionSequence", "ImagePositionPatient")
    directions = _inside(dataset, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _inside(dataset, "PixelMeasuresSequence", "PixelSpacing")
    thickness = _inside(dataset, "PixelMeasuresSequence", "SliceThickness")
    if position is None or directions is None or spacing is None or thickness is None:
        return nowhere()
    directions = np.array(directions, float)
    step = float(thickness)
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    places = [
        frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames if "PlanePositionSequence" in frame
    ]
    if len(places) > 1:
        normal = np.cross(directions[:3], directions[3:])
        step = float(np.subtract(np.array(places[1], float), np.array(places[0], float)) @ normal)
    return from_vectors(
        np.array(position, float), directions[:3], directions[3:], (float(spacing[1]), float(spacing[0]), step)
    )


def _philips_place(dataset: Dataset) -> np.ndarray:
    """From the private description of the volume: angles, sizes and offsets, each along AP, FH, RL."""
    for element in dataset.iterall():
        if element.tag == (0x2005, 0x1085) and element.value:
            volume = element.value[0]
            try:
                numbers = [float(volume[0x2005, 0x1054 + number].value) for number in range(9)]
            except (KeyError, TypeError, ValueError):
                return nowhere()
            degrees, size, offset = (np.array(part)[[2, 0, 1]] for part in (numbers[:3], numbers[3:6], numbers[6:]))
            return from_angles(offset, size, degrees)
    return nowhere()


def _inside(dataset: Dataset, sequence: str, name: str) -> object | None:
    """A value of the first frame's functional groups, or of those that all frames share."""
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for group in (dataset.get(groups) or [])[:1]:
            for item in (group.get(sequence) or [])[:1]:
                if item.get(name) is not None:
                    return item.get(name)
    return None


def _one(value: object) -> object:
    return value[0] if isinstance(value, (list, pydicom.multival.MultiValue)) else value
