"""Writes RT dose, RT plan and spatial registration files with known content, for tests."""

import dicom_writing as write
import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

SCALING = 0.002  # Gy of a stored one


def dose_file(
    path, gray, *, orientation=write.AXIAL, position=(0, 0, 0), spacing=(2, 2), step=3.0, frame="head", **tags
):
    """An RT dose of values (planes, rows, columns) in Gy; step: mm between planes; tags as ``dicom_writing``."""
    stored = np.round(np.asarray(gray) / SCALING).astype(np.uint32)
    defaults = {
        "series": "dose", "SOPClassUID": uid.RTDoseStorage, "Modality": "RTDOSE", "SeriesDescription": "plan dose",
        "NumberOfFrames": len(stored), "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN",
        "DoseGridScaling": SCALING, "GridFrameOffsetVector": [step * n for n in range(len(stored))],
        "FrameOfReferenceUID": write.unique("frame", frame), "ImageOrientationPatient": list(orientation),
        "ImagePositionPatient": list(position), "PixelSpacing": list(spacing), "SliceThickness": step,
        "EchoTime": None, "RepetitionTime": None,
    }  # fmt: skip
    return write.save(write.instance(stored, **{**defaults, **tags}), path)


def plan_file(path, prescribed, *, name="plan"):
    """An RT plan that prescribes these doses (Gy) to its targets, and one to an organ at risk."""
    plan = write.instance(np.zeros((1, 1), np.uint16), series="plan", SOPClassUID=uid.RTPlanStorage, Modality="RTPLAN")
    del plan.PixelData
    plan.SOPInstanceUID = write.unique("plan", name)
    plan.DoseReferenceSequence = []
    for kind, dose in [("TARGET", dose) for dose in prescribed] + [("ORGAN_AT_RISK", 20)]:
        reference = Dataset()
        reference.DoseReferenceType, reference.TargetPrescriptionDose = kind, dose
        plan.DoseReferenceSequence.append(reference)
    return write.save(plan, path)


def of_plan(name="plan"):
    """The element with which a dose names its plan."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = uid.RTPlanStorage, write.unique("plan", name)
    return [item]


def registration_file(path, matrices, *, frame="head"):
    """A spatial registration: frame to 4x4 that brings its LPS mm to those of the registered frame."""
    file = write.instance(np.zeros((1, 1), np.uint16), series="reg", Modality="REG")
    file.SOPClassUID = uid.SpatialRegistrationStorage
    del file.PixelData
    file.FrameOfReferenceUID = write.unique("frame", frame)
    file.RegistrationSequence = []
    for name, matrix in matrices.items():
        one, step, item = Dataset(), Dataset(), Dataset()
        one.FrameOfReferenceTransformationMatrix = [float(f"{v:.10g}") for v in np.asarray(matrix, float).ravel()]
        one.FrameOfReferenceTransformationMatrixType = "RIGID"
        step.MatrixSequence = [one]
        item.FrameOfReferenceUID = write.unique("frame", name)
        item.MatrixRegistrationSequence = [step]
        file.RegistrationSequence.append(item)
    return write.save(file, path)
