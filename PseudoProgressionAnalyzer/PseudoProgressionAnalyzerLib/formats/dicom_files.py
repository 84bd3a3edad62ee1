"""DICOM files below a folder, each with its header as plain values; one ``Frame`` for every image in it.

Classic files hold one frame, enhanced ones many: the rest of the library sees frames only. Sources: DICOM PS3.3
(C.7.6.2 image plane, C.7.6.16 functional groups, C.8.13 enhanced MR) and, for Philips, the private elements that the
published reference conversion dcm2niix reads: (2005,100E) scale slope and (2005,1429) label or control.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import math
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ..measures import InputError
from .dicom_mosaic import Mosaic, mosaic_of
from .images import SUFFIXES
from .sidecars import PLAUSIBLE

PHILIPS_SCALE = ("Philips MR Imaging DD 001", 0x0E)
PHILIPS_LABEL = ("Philips MR Imaging DD 005", 0x29)
# DICOM PS3.3 C.8.13.5.14 (ASL Context) and the values of Philips, as BIDS names them.
LABELS = {"LABEL": "label", "CONTROL": "control", "M_ZERO_SCAN": "m0scan"}
DEFLATED = b"1.2.840.10008.1.2.1.99"
TOP = (
    "AcquisitionContrast", "AcquisitionDate", "AcquisitionNumber", "AcquisitionTime", "ComplexImageComponent",
    "Columns", "DiffusionBValue", "EchoPlanarPulseSequence", "EchoPulseSequence", "EchoTime", "FlipAngle",
    "ImageOrientationPatient", "ImagePositionPatient", "ImageType", "InstanceNumber", "InversionRecovery",
    "InversionTime", "MagneticFieldStrength", "PixelPaddingRangeLimit", "PixelPaddingValue", "PixelSpacing",
    "RepetitionTime", "RescaleIntercept", "RescaleSlope", "Rows", "SliceThickness", "SpacingBetweenSlices",
    "TemporalPositionIdentifier", "TriggerTime",
)  # fmt: skip
DAY, UNDATED = 86400, 1
"""s of a day, and the day since 1970 on which times without a date are taken to be."""
MILLISECONDS = ("EchoTime", "RepetitionTime", "InversionTime")


@dataclass(frozen=True)
class Frame:
    """One image of a DICOM file.

    number: its place in the file from 0. position (mm, LPS) and orientation (row and column direction cosines, LPS) as
    in the header; spacing: mm between rows, between columns; gap: mm between the centres of slices as the header says
    it; step: that, or the slice thickness. slope, intercept: stored value to output units; scale_slope: Philips, output
    units to signal; real: (slope, intercept, unit) to the real-world value; padding: lowest and highest stored value
    that stand for none. acquired: s since 1970. label: control,
    label, m0scan or empty.
    """

    file: Path
    number: int
    rows: int
    columns: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    step: float | None
    gap: float | None
    slope: float
    intercept: float
    scale_slope: float | None
    real: tuple[float, float, str] | None
    padding: tuple[int, int] | None
    image_type: tuple[str, ...]
    component: str
    instance: int
    temporal: int | None
    acquisition: int | None
    acquired: float | None
    trigger: float | None
    echo_time: float | None
    b_value: float | None
    label: str
    segment: int | None
    mosaic: Mosaic | None


@dataclass(frozen=True)
class DicomFile:
    """One DICOM file: who, what and how, with its frames; nothing in it is a DICOM object any more.

    person: the patient id, or a short hash of name and birth date where the id is empty. name: short hashes of the
    words of the name; sex: as in the header; empty where not said. date: of the study, None when unknown; acquired: of
    the image itself, None where not said. times in s. acquisition: BIDS names and units. implausible: names of fields
    that a head scanner cannot do. frame_of_reference: UID of the space that positions are told in, empty where not
    said.
    """

    path: Path
    sop_class: str
    sop_uid: str
    modality: str
    person: str
    name: frozenset[str]
    sex: str
    birth: str
    study_uid: str
    study_description: str
    date: datetime.date | None
    acquired: datetime.date | None
    dates_removed: bool
    day_offset: float | None
    series_uid: str
    series_number: int
    description: str
    protocol: str
    started: float | None
    contrast: str | None
    tracer: str
    acquisition_contrast: str
    inversion: bool
    echo_planar: bool
    gradient_echo: bool
    colour: bool
    temporal_positions: int | None
    interval: float | None
    references: tuple[str, ...]
    frame_of_reference: str
    segments: tuple[tuple[int, str], ...]
    acquisition: dict[str, Any]
    implausible: tuple[tuple[str, float], ...]
    pixel_bytes: int
    frames: tuple[Frame, ...] = field(repr=False)


def dicom_paths(folder: Path) -> Iterator[Path]:
    """DICOM files anywhere below a folder in the order of their names; links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and name.upper() != "DICOMDIR" and is_dicom(path):
                yield path


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: with its preamble, or (old files) at once with group 0008."""
    if not path.is_file() or path.name.lower().endswith((*SUFFIXES, ".json")):
        return False
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    named = path.suffix.lower() in (".dcm", ".ima")
    return start[128:] == b"DICM" or named or (start[:2] == b"\x08\x00" and start[3:4] == b"\x00" and len(start) == 132)


def read_dicom_file(path: Path) -> DicomFile:
    """The header of a DICOM file as plain values.

    Raises InputError ``file_missing``, ``dicom_unreadable`` (not DICOM, or damaged), ``dicom_deflated``,
    ``dicom_tag_missing``, ``dicom_tag_wrong`` (a number that is none or not finite).
    """
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    state = path.stat()
    return _read_once(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=20_000)  # six visits with a DSC series each; a file that changed is read again
def _read_once(path: Path, size: int, changed: int) -> DicomFile:
    dataset = read_dataset(path, pixels=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # values off the standard are judged here, one by one
            return _file(path, dataset)
    except InputError:
        raise
    except Exception as error:  # damaged bytes make the parser raise almost anything, also late, at first access
        raise InputError("dicom_unreadable", file=str(path), detail=type(error).__name__) from error


def read_dataset(path: Path, pixels: bool) -> Dataset:
    """The data set of a DICOM file, with or without what holds pixels; errors as ``read_dicom_file``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _is_deflated(path):  # would be inflated whole, however large, before anything can be checked
                raise InputError("dicom_deflated", file=str(path))
            return pydicom.dcmread(path, stop_before_pixels=not pixels, force=True)
    except InputError:
        raise
    except Exception as error:
        raise InputError("dicom_unreadable", file=str(path), detail=type(error).__name__) from error


def _is_deflated(path: Path) -> bool:
    """Whether the meta header, the first part of a file, names the deflated transfer syntax."""
    with path.open("rb") as file:
        start = file.read(144)
        length = int.from_bytes(start[140:144], "little") if start[128:132] == b"DICM" else 0
        return DEFLATED in file.read(min(length, 1 << 20))


def _file(path: Path, dataset: Dataset) -> DicomFile:
    sop_class = str(dataset.get("SOPClassUID") or "")
    if not sop_class:
        raise InputError("dicom_tag_missing", file=str(path), tag="SOPClassUID")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if not _text(dataset, keyword):
            raise InputError("dicom_tag_missing", file=str(path), tag=keyword)
    top = _top(dataset)
    shared, each = _functional_groups(dataset)
    acquisition, implausible = _acquisition(dataset, {**top, **shared, **(each[0] if each else {})})
    frames = _frames(path, dataset, top, shared, each)
    rows, columns = _whole(path, dataset, "Rows") or 0, _whole(path, dataset, "Columns") or 0
    bits = (_whole(path, dataset, "BitsAllocated") or 0) * (_whole(path, dataset, "SamplesPerPixel") or 1)
    sequences = [*_words(dataset, "ScanningSequence")]
    scanned = {**shared, **top}
    echo = str(scanned.get("EchoPulseSequence", ""))
    return DicomFile(
        path=path,
        sop_class=pydicom.uid.UID(sop_class).name,
        sop_uid=_text(dataset, "SOPInstanceUID"),
        modality=_text(dataset, "Modality"),
        person=_person(dataset),
        name=frozenset(_short_hash(word) for word in re.findall(r"\w+", _text(dataset, "PatientName").lower())),
        sex=_text(dataset, "PatientSex").upper(),
        birth=_text(dataset, "PatientBirthDate"),
        study_uid=_text(dataset, "StudyInstanceUID"),
        study_description=_text(dataset, "StudyDescription"),
        date=_date(dataset, "StudyDate", "AcquisitionDate", "SeriesDate", "ContentDate"),
        acquired=_date(dataset, "AcquisitionDate", "AcquisitionDateTime"),
        dates_removed=_text(dataset, "LongitudinalTemporalInformationModified") == "REMOVED",
        day_offset=_number(path, dataset, "LongitudinalTemporalOffsetFromEvent"),
        series_uid=_text(dataset, "SeriesInstanceUID"),
        series_number=_whole(path, dataset, "SeriesNumber") or 0,
        description=_text(dataset, "SeriesDescription"),
        protocol=_text(dataset, "ProtocolName"),
        started=_moment(dataset, "Acquisition") or _moment(dataset, "Series"),
        contrast=_contrast(dataset),
        tracer=_tracer(dataset),
        acquisition_contrast=str(scanned.get("AcquisitionContrast", "")),
        inversion="IR" in sequences or str(scanned.get("InversionRecovery", "")) == "YES",
        echo_planar="EP" in sequences or str(scanned.get("EchoPlanarPulseSequence", "")) == "YES",
        gradient_echo="GR" in sequences or echo == "GRADIENT",
        colour=(_whole(path, dataset, "SamplesPerPixel") or 1) != 1
        or _text(dataset, "PhotometricInterpretation") == "PALETTE COLOR",  # numbers of colours, not values
        temporal_positions=_whole(path, dataset, "NumberOfTemporalPositions"),
        interval=_seconds(_number(path, dataset, "TemporalResolution")),
        references=tuple(_text(item, "SeriesInstanceUID") for item in dataset.get("ReferencedSeriesSequence") or []),
        frame_of_reference=_text(dataset, "FrameOfReferenceUID"),
        segments=tuple(
            (int(item.SegmentNumber), _text(item, "SegmentLabel")) for item in dataset.get("SegmentSequence") or []
        ),
        acquisition=acquisition,
        implausible=implausible,
        pixel_bytes=rows * columns * max(len(frames), 1) * bits // 8,
        frames=frames,
    )


def _functional_groups(dataset: Dataset) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Values of the functional groups by keyword: shared ones, and those of each frame (empty for classic files)."""
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    return (_flat(shared[0]) if len(shared) else {}), [
        _flat(item) for item in dataset.get("PerFrameFunctionalGroupsSequence") or []
    ]


def _flat(groups: Dataset) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for group in groups:
        if group.VR != "SQ" or not len(group.value):
            continue
        if group.tag.is_private:
            values.update(_philips(group.value[0]))
            continue
        for element in group.value[0]:
            if element.VR != "SQ" or element.keyword == "MeasurementUnitsCodeSequence":
                values.setdefault(element.keyword, element.value)
    return values


def _philips(item: Dataset) -> dict[str, Any]:
    """The private elements of Philips that change values or their meaning."""
    found = {}
    for name, (creator, offset) in {"scale_slope": PHILIPS_SCALE, "label": PHILIPS_LABEL}.items():
        try:
            found[name] = item.get_private_item(0x2005, offset, creator).value
        except KeyError:
            continue
    return found


def _top(dataset: Dataset) -> dict[str, Any]:
    """Top-level values by keyword, of those that are used: to parse all of them takes most of the time."""
    return {keyword: dataset[keyword].value for keyword in TOP if keyword in dataset}


def _frames(path: Path, dataset: Dataset, top: dict, shared: dict, each: list[dict]) -> tuple[Frame, ...]:
    top = {**top, **_philips(dataset)}
    mapped = dataset.get("RealWorldValueMappingSequence") or []
    if len(mapped):
        top |= {element.keyword: element.value for element in mapped[0]}
    count = _whole(path, dataset, "NumberOfFrames") or 1
    if (each and len(each) != count) or count > path.stat().st_size:  # a frame takes a byte at the very least
        raise InputError("dicom_tag_wrong", file=str(path), tag="NumberOfFrames", value=count)
    if "Rows" not in dataset:
        return ()
    if not each and count > 1:
        each = [{} for _ in range(count)]
    mosaic, signed = mosaic_of(dataset, path), _whole(path, dataset, "PixelRepresentation") == 1
    return tuple(
        _frame(path, number, {**top, **shared, **own}, mosaic, bool(each), signed)
        for number, own in enumerate(each or [{}])
    )


def _frame(
    path: Path, number: int, values: dict[str, Any], mosaic: Mosaic | None, enhanced: bool, signed: bool
) -> Frame:
    def numbers(keyword: str, count: int) -> tuple[float, ...] | None:
        found = values.get(keyword)
        if found is None or found == "" or (isinstance(found, MultiValue) and not found):
            return None
        found = tuple(float(value) for value in found) if isinstance(found, (MultiValue, list)) else (float(found),)
        if len(found) != count or not all(math.isfinite(value) for value in found):
            raise InputError("dicom_tag_wrong", file=str(path), tag=keyword, value=str(values[keyword]))
        return found

    def number_of(keyword: str) -> float | None:
        found = numbers(keyword, 1)
        return None if found is None else found[0]

    def whole(keyword: str) -> int | None:
        found = number_of(keyword)
        return None if found is None else int(found)

    scale = values.get("scale_slope")
    scale = float(scale) if scale is not None and math.isfinite(float(scale)) and float(scale) > 0 else None
    slope = number_of("RescaleSlope")
    if slope == 0:
        raise InputError("dicom_tag_wrong", file=str(path), tag="RescaleSlope", value=0)
    label = str(values.get("ASLContext") or values.get("label") or "").strip().upper()
    kind = values.get("FrameType") or values.get("ImageType") or ()
    kind = tuple(str(word) for word in kind) if not isinstance(kind, str) else (kind,)
    echo = number_of("EffectiveEchoTime")
    return Frame(
        file=path,
        number=number,
        rows=whole("Rows") or 0,
        columns=whole("Columns") or 0,
        position=numbers("ImagePositionPatient", 3),
        orientation=numbers("ImageOrientationPatient", 6),
        spacing=numbers("PixelSpacing", 2),
        step=number_of("SpacingBetweenSlices") or number_of("SliceThickness"),
        gap=number_of("SpacingBetweenSlices"),
        slope=1.0 if slope is None else slope,
        intercept=number_of("RescaleIntercept") or 0.0,
        scale_slope=scale,
        real=_real_world(values, number_of),
        padding=_padding(values, signed),
        image_type=kind,
        component=_component(kind, str(values.get("ComplexImageComponent", ""))),
        instance=number if enhanced else whole("InstanceNumber") or 0,
        temporal=whole("TemporalPositionIndex") or whole("TemporalPositionIdentifier"),
        acquisition=None if enhanced else whole("AcquisitionNumber"),
        acquired=_time(str(values.get("FrameAcquisitionDateTime", "")))
        or (None if enhanced else _of_day(str(values.get("AcquisitionDate", "")), str(values.get("AcquisitionTime")))),
        trigger=_seconds(number_of("TriggerTime")),
        echo_time=_seconds(number_of("EchoTime") if echo is None else echo),
        b_value=number_of("DiffusionBValue"),
        label=LABELS.get(label, ""),
        segment=whole("ReferencedSegmentNumber"),
        mosaic=mosaic,
    )


def _padding(values: dict[str, Any], signed: bool) -> tuple[int, int] | None:
    """Lowest and highest stored value that stand for no value (PS3.3 C.7.5.1.1.2); signed: how values are stored."""

    def stored(keyword: str) -> int | None:
        found = values.get(keyword)
        if isinstance(found, bytes):  # where the file does not say whether it is signed
            return int.from_bytes(found, "little", signed=signed) if found else None
        return int(found) if isinstance(found, int | float) else None

    first, last = stored("PixelPaddingValue"), stored("PixelPaddingRangeLimit")
    if first is None:
        return None
    return (first, first) if last is None else (min(first, last), max(first, last))


def _real_world(values: dict[str, Any], number_of) -> tuple[float, float, str] | None:
    slope, intercept = number_of("RealWorldValueSlope"), number_of("RealWorldValueIntercept")
    if slope is None or slope == 0:
        return None
    units = values.get("MeasurementUnitsCodeSequence") or []
    return slope, intercept or 0.0, _text(units[0], "CodeValue") if len(units) else ""


def _component(kind: tuple[str, ...], stated: str) -> str:
    """M, P, R or I: magnitude, phase, real or imaginary part."""
    if stated in ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY"):
        return stated[0]
    words = {word.upper() for word in kind[2:]}
    for component, names in {"P": {"P", "PHASE", "PHASE MAP"}, "R": {"R", "REAL"}, "I": {"I", "IMAGINARY"}}.items():
        if words & names:
            return component
    return "M"


def _acquisition(dataset: Dataset, values: dict[str, Any]) -> tuple[dict[str, Any], tuple]:
    """Acquisition in BIDS names and units; numbers that no head scanner can do are left out and named."""
    found: dict[str, Any] = {}
    implausible: list[tuple[str, float]] = []
    sources = {
        "EchoTime": ("EffectiveEchoTime", "EchoTime"),
        "InversionTime": ("InversionTimes", "InversionTime"),
    }
    for name in ("EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "MagneticFieldStrength"):
        raw = next((values[key] for key in sources.get(name, (name,)) if values.get(key) not in (None, "")), None)
        if isinstance(raw, (MultiValue, list)):
            raw = raw[0] if len(raw) else None
        if raw is None:
            continue
        value = float(raw) / (1000.0 if name in MILLISECONDS else 1.0)
        if value == 0:
            continue  # written where the sequence has no such time
        low, high, _ = PLAUSIBLE[name]
        if not low <= value <= high:
            implausible.append((name, float(raw)))
            continue
        found[name] = value
    for name, keyword in {"SliceThickness": "SliceThickness", "SpacingBetweenSlices": "SpacingBetweenSlices"}.items():
        if values.get(keyword) not in (None, "") and math.isfinite(float(values[keyword])):
            found[name] = float(values[keyword])
    for name, keyword in {
        "Manufacturer": "Manufacturer",
        "ManufacturersModelName": "ManufacturerModelName",
        "MRAcquisitionType": "MRAcquisitionType",
        "PulseSequenceName": "PulseSequenceName",
    }.items():
        if text := _text(dataset, keyword):
            found[name] = text
    agent = _contrast(dataset)
    if agent:
        found["ContrastBolusIngredient"] = agent
    return found, tuple(implausible)


def _contrast(dataset: Dataset) -> str | None:
    """The contrast agent; empty when the header says that none was given, None when it says nothing."""
    for item in dataset.get("ContrastBolusAgentSequence") or []:
        if name := _text(item, "CodeMeaning"):
            return name
    for keyword in ("ContrastBolusIngredient", "ContrastBolusAgent"):
        if keyword in dataset and (text := _text(dataset, keyword)):
            said_none = text.lower().strip(" .-") in (
                "no",
                "none",
                "n",
                "0",
                "no contrast",
                "without",
                "ohne",
                "non",
                "",
            )
            return "" if said_none else text
    return None


def _tracer(dataset: Dataset) -> str:
    """The radiopharmaceutical of a PET series; empty when it is not said."""
    for item in dataset.get("RadiopharmaceuticalInformationSequence") or []:
        for code in item.get("RadiopharmaceuticalCodeSequence") or []:
            if name := _text(code, "CodeMeaning"):
                return name
        if name := _text(item, "Radiopharmaceutical"):
            return name
    return ""


def _person(dataset: Dataset) -> str:
    """The patient id, or a short hash where there is none: names are never shown."""
    if identity := _text(dataset, "PatientID"):
        return identity
    known = f"{_text(dataset, 'PatientName')}|{_text(dataset, 'PatientBirthDate')}"
    return "" if known == "|" else "#" + _short_hash(known)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _date(dataset: Dataset, *keywords: str) -> datetime.date | None:
    """The first date that these elements say."""
    for keyword in keywords:
        text = _text(dataset, keyword)
        try:
            return datetime.datetime.strptime(text[:8], "%Y%m%d").date()
        except ValueError:
            continue
    return None


def _moment(dataset: Dataset, what: str) -> float | None:
    date = _text(dataset, f"{what}Date") or _text(dataset, "StudyDate")
    return _time(_text(dataset, f"{what}DateTime")) or _of_day(date, _text(dataset, f"{what}Time"))


def _of_day(date: str, time: str) -> float | None:
    if not time or time == "None":
        return None
    day = datetime.date(1970, 1, 1 + UNDATED).strftime("%Y%m%d")
    return _time((date if len(date) == 8 else day) + time)


def _time(text: str) -> float | None:
    """A DICOM date-time as s since 1970, or None."""
    digits, _, fraction = text.replace(":", "").split("+")[0].split("-")[0].partition(".")
    try:
        whole = datetime.datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    seconds = (whole - datetime.datetime(1970, 1, 1)).total_seconds()
    return seconds + (float(f"0.{fraction}") if fraction.isdigit() else 0.0)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000.0


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, MultiValue):
        return " ".join(str(word) for word in value)
    return str(value).strip()


def _words(dataset: Dataset, keyword: str) -> list[str]:
    value = dataset.get(keyword)
    if value is None:
        return []
    return [str(word) for word in value] if isinstance(value, MultiValue) else [str(value)]


def _number(path: Path, dataset: Dataset, keyword: str) -> float | None:
    value = dataset.get(keyword)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError("dicom_tag_wrong", file=str(path), tag=keyword, value=str(value))
    return number


def _whole(path: Path, dataset: Dataset, keyword: str) -> int | None:
    number = _number(path, dataset, keyword)
    if number is not None and number < 0:
        raise InputError("dicom_tag_wrong", file=str(path), tag=keyword, value=number)
    return None if number is None else int(number)
