"""Writes DICOM series with known values in known places, classic and enhanced, for tests."""

from pathlib import Path

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

AXIAL = (1, 0, 0, 0, 1, 0)


def unique(*words) -> str:
    """The same UID for the same words."""
    return uid.generate_uid(entropy_srcs=[str(word) for word in words])


def instance(values, *, patient="P1", study="A", series="S", number=1, date="20230110", **tags) -> Dataset:
    """One classic MR image; values: (rows, columns). tags: keyword to value, None leaves the element out."""
    dataset = Dataset()
    dataset.SOPClassUID = tags.pop("SOPClassUID", uid.MRImageStorage)
    dataset.SOPInstanceUID = unique(patient, study, series, number, tags.get("EchoTime"))
    dataset.StudyInstanceUID = unique(patient, study)
    dataset.SeriesInstanceUID = unique(patient, study, series)
    dataset.PatientID = patient
    dataset.PatientName = "Never^Shown"
    dataset.PatientBirthDate = "19600101"
    dataset.StudyDate = date
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.Modality = "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.Manufacturer = "Maker"
    dataset.ManufacturerModelName = "Model"
    dataset.MagneticFieldStrength = 3
    dataset.EchoTime = 3
    dataset.RepetitionTime = 8
    dataset.FlipAngle = 12
    dataset.ScanningSequence = "GR"
    dataset.SliceThickness = 2
    dataset.ImageOrientationPatient = list(AXIAL)
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.PixelSpacing = [1, 1]
    pixels(dataset, values)
    set_tags(dataset, tags)
    return dataset


def pixels(dataset, values) -> None:
    """Stored values (rows, columns) or (frames, rows, columns) of 8 or 16 bit integers."""
    values = np.asarray(values)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()


def set_tags(dataset, tags) -> None:
    for keyword, value in tags.items():
        if value is None:
            if keyword in dataset:
                del dataset[keyword]
        else:
            setattr(dataset, keyword, value)


def save(dataset, path: Path, syntax=uid.ExplicitVRLittleEndian) -> Path:
    """Writes a data set as DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def volume(folder: Path, values, *, step=2.0, description="T1 MPRAGE post KM", **tags) -> list[Path]:
    """A classic series of one volume (k, j, i), slices along z from 0; returns its files."""
    series = tags.pop("series", description)
    return [
        save(
            instance(
                plane,
                series=series,
                number=k + 1,
                SeriesDescription=description,
                **{"ImagePositionPatient": [0, 0, k * step], **tags},
            ),
            folder / f"{k + 1:03d}.dcm",
        )
        for k, plane in enumerate(np.asarray(values))
    ]


def time_series(folder: Path, values, *, order="time", interval=1.5, clock="AcquisitionTime", **tags) -> list[Path]:
    """A classic EPI series over time (time, k, j, i), numbered time by time or slice by slice."""
    times, slices = values.shape[:2]
    places = [(t, k) for t in range(times) for k in range(slices)]
    if order == "slice":
        places.sort(key=lambda place: (place[1], place[0]))
    files = []
    for number, (t, k) in enumerate(places, 1):
        moment = t * interval
        when = {
            "AcquisitionTime": {"AcquisitionTime": f"12{int(moment // 60):02d}{moment % 60:09.6f}"},
            "TriggerTime": {"TriggerTime": moment * 1000},
            "TemporalPositionIdentifier": {"TemporalPositionIdentifier": t + 1},
            "none": {},
        }[clock]
        defaults = {
            "series": "DSC", "SeriesDescription": "ep2d_perf", "ScanningSequence": "EP", "EchoTime": 30,
            "RepetitionTime": 1500, "FlipAngle": 90, "ContrastBolusAgent": "Gadobutrol",
            "ImagePositionPatient": [0, 0, 2 * k],
        }  # fmt: skip
        files.append(
            save(instance(values[t, k], number=number, **{**defaults, **when, **tags}), folder / f"{number:05d}.dcm")
        )
    return files


def enhanced(values, frames, **tags) -> Dataset:
    """An enhanced MR image; frames: per frame a dict of functional group to dict of its elements."""
    dataset = instance(np.zeros((2, 2), np.uint16), SOPClassUID=uid.EnhancedMRImageStorage, **tags)
    for keyword in ("EchoTime", "RepetitionTime", "FlipAngle", "SliceThickness", "ImageOrientationPatient",
                    "ImagePositionPatient", "PixelSpacing"):  # fmt: skip
        del dataset[keyword]
    pixels(dataset, values)
    dataset.NumberOfFrames = len(values)
    shared = groups(
        {
            "PlaneOrientationSequence": {"ImageOrientationPatient": list(AXIAL)},
            "PixelMeasuresSequence": {"PixelSpacing": [1, 1], "SliceThickness": 2},
            "MRTimingAndRelatedParametersSequence": {"RepetitionTime": 1500, "FlipAngle": 60},
        }
    )
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [groups(frame) for frame in frames]
    return dataset


def groups(content) -> Dataset:
    """Functional groups from a dict of sequence to dict of elements."""
    item = Dataset()
    for sequence, elements in content.items():
        inner = Dataset()
        set_tags(inner, elements)
        setattr(item, sequence, [inner])
    return item


def segmentation(path: Path, masks, positions, *, labels, reference, **tags) -> Path:
    """A binary SEG; masks: (frames, rows, columns) bool; positions: per frame (segment number, position)."""
    dataset = instance(np.zeros((2, 2), np.uint16), SOPClassUID=uid.SegmentationStorage, series="SEG", **tags)
    dataset.Modality = "SEG"
    masks = np.asarray(masks)
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "SliceThickness"):
        del dataset[keyword]
    dataset.Rows, dataset.Columns = masks.shape[1:]
    dataset.NumberOfFrames = len(masks)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.SegmentationType = "BINARY"
    packed = np.packbits(masks.ravel(), bitorder="little").tobytes()
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    dataset.SegmentSequence = []
    for number, label in enumerate(labels, 1):
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel = number, label
        dataset.SegmentSequence.append(item)
    item = Dataset()
    item.SeriesInstanceUID = reference
    dataset.ReferencedSeriesSequence = [item]
    dataset.SharedFunctionalGroupsSequence = [
        groups(
            {
                "PlaneOrientationSequence": {"ImageOrientationPatient": list(AXIAL)},
                "PixelMeasuresSequence": {"PixelSpacing": [1, 1], "SliceThickness": 2},
            }
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        groups(
            {
                "PlanePositionSequence": {"ImagePositionPatient": list(position)},
                "SegmentIdentificationSequence": {"ReferencedSegmentNumber": number},
            }
        )
        for number, position in positions
    ]
    return save(dataset, path)
