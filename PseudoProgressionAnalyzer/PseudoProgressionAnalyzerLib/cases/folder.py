"""A case as a patient folder on disk, with its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..formats.images import write_image
from ..measures import DISCLAIMER, Event, Image
from . import bolus, disease, drawing, grids, in_voxels, metabolites, scans, spectra, structural
from .anatomy import Head, make_head
from .plans import Case, Lesion, VisitPlan
from .template import read_template

Progress = Callable[[float], None]

CENTRE = (0.0, -16.0, 8.0)
PRESCRIPTIONS = {
    "T1": scans.Prescription((150, 240, 192), (1.0, 1.0, 1.2), CENTRE),
    "FLAIR": scans.Prescription((52, 240, 200), (1.0, 1.0, 3.0), (0.0, -16.0, 6.0), (-7.0, 0.0, 0.0), (1, 1, 3)),
    "DSC": scans.Prescription((26, 116, 104), (1.9, 1.9, 5.0), (0.0, -18.0, 14.0), (-9.0, 1.0, 0.0), (2, 2, 3)),
    "MRSI": scans.Prescription((3, 18, 18), (6.0, 6.0, 10.0), (6.0, -18.0, 30.0), (-9.0, 0.0, 0.0), (3, 3, 4)),
}
T1_SCALE, T1_NOISE = 1900.0, 14.0
FLAIR_SCALE, FLAIR_NOISE = 3200.0, 14.0
DSC_SCALE, DSC_NOISE = 3600.0, 18.0
"""Units of the stored images per unit of signal, and the noise's standard deviation in those units."""

SCANNER = {"Manufacturer": "simulated", "MagneticFieldStrength": 3.0}
AGENT = {"ContrastBolusAgent": "gadobutrol"}
MIDLINE_MARGIN = 5.0
"""Millimetres from the mid-plane within which white matter does not count as the other side's."""
UNITS = {
    **dict.fromkeys(("volume", "necrosis_volume", "oedema_volume"), "mL"),
    "rCBV_ratio": "1",
    **dict.fromkeys(("Cho_NAA", "Cho_Cr"), "1, molar"),
}


def write_case(case: Case, directory: Path, progress: Progress) -> None:
    """Writes a case into an existing, empty folder. Raises InputError as ``template.read_template``."""
    progress(0.0)
    rng = np.random.default_rng([case.seed, 0])
    head = make_head(read_template(), rng)
    centre = head.head_point(case.centre)
    disease.biopsied(head, centre)
    pattern = disease.make_pattern(rng, Image(head.depth, head.affine))
    answers = []
    for number, visit in enumerate(case.visits):
        begin, part = 0.2 + 0.8 * number / len(case.visits), 0.8 / len(case.visits)
        progress(begin)
        state = disease.diseased(head, centre, visit.lesion, pattern)
        answers.append(_truth(head, centre, visit, state))
        folder = directory / str(visit.date)
        folder.mkdir()
        rng = np.random.default_rng([case.seed, 1 + number])
        for share in write_visit(visit, state, head, folder, rng):
            progress(begin + part * share)
    _write_json(directory / "patient.json", patient_record(case))
    _write_json(directory / "truth.json", truth_record(case, answers))
    progress(1.0)


def write_visit(
    visit: VisitPlan, state: disease.State, head: Head, folder: Path, rng: np.random.Generator
) -> Iterator[float]:
    """Writes one visit's images, sidecars and drawn lesion into its folder; yields the share done, 0 to 1."""
    yield 0.3  # of which making the state was the first part
    pose = grids.pose_matrix(visit.rotation, visit.shift)
    lesion, affine = visit.lesion, state.affine
    for role, contrast, agent in (("T1", False, {}), ("T1CE", True, AGENT)):
        signal = Image(structural.t1_weighted(state, lesion, contrast), affine)
        image = scans.acquired(signal, pose, PRESCRIPTIONS["T1"], T1_SCALE, T1_NOISE, rng)
        _write(folder, role, image, {**sequence_sidecar(structural.T1_WEIGHTED, 9.0), **agent})
    yield 0.6
    signal = Image(structural.flair(state), affine)
    image = scans.acquired(signal, pose, PRESCRIPTIONS["FLAIR"], FLAIR_SCALE, FLAIR_NOISE, rng)
    _write(folder, "FLAIR", image, sequence_sidecar(structural.FLAIR, 90.0))
    shape, grid = PRESCRIPTIONS["T1"].shape, PRESCRIPTIONS["T1"].affine(pose)
    write_image(Image(drawing.drawn(state, pose, shape, grid, rng), grid), folder / "lesion.nii.gz")
    yield 0.7
    protocol = bolus.Protocol()
    _write(folder, "DSC", dsc_image(state, lesion, protocol, pose, rng), dsc_sidecar(protocol))
    yield 0.85
    suppressed, water, grid = spectra.simulated(state, lesion, pose, PRESCRIPTIONS["MRSI"], rng)
    spectra.write(folder / "MRSI.nii.gz", suppressed, grid, True)
    spectra.write(folder / "MRSI_water.nii.gz", water, grid, False)
    _write_json(folder / "MRSI.json", MRSI_SIDECAR)
    yield 1.0


def dsc_image(
    state: disease.State, lesion: Lesion, protocol: bolus.Protocol, pose: np.ndarray, rng: np.random.Generator
) -> Image:
    """A visit's DSC series, int16 (time, k, j, i)."""
    scan = PRESCRIPTIONS["DSC"]
    grid = scan.affine(pose)

    def seen(array):
        return grids.scanned(Image(array, state.affine), pose, scan.shape, grid, scan.parts)

    shares = {name: seen(share) for name, share in state.tissues.items()}
    weight = np.maximum(shares["enhancing"], 1e-6)
    signal = bolus.series(
        protocol,
        shares,
        grids.resampled(Image(state.perfusion.array, pose @ state.perfusion.affine), scan.shape, grid, outside=1.0),
        seen(state.blood_volume * state.tissues["enhancing"]) / weight,
        seen(state.t2_star_share * state.tissues["enhancing"]) / weight,
        lesion.transfer,
    )
    signal *= DSC_SCALE * scans.sensitivity(scan.shape, rng) * _dropout(scan.shape, grid, pose)
    return Image(scans.with_noise(signal, DSC_NOISE, rng), grid)


def patient_record(case: Case) -> dict:
    """The content of patient.json: events, and the lesion of the visit to judge carried into every visit."""
    judged = str(case.visits[1].date)
    region = {"name": "lesion", "visit": judged, "purpose": "lesion", "file": f"{judged}/lesion.nii.gz", "label": 1}
    return {
        "patient": case.patient,
        "disclaimer": DISCLAIMER,
        "events": [_event_record(event) for event in case.events],
        "regions": [{**region, "carried": True}],
    }


def truth_record(case: Case, answers: list[dict]) -> dict:
    """The content of truth.json."""
    return {
        "disclaimer": DISCLAIMER,
        "case": case.name,
        "answer": case.answer,
        "units": UNITS,
        "visits": answers,
    }


def _truth(head: Head, centre: np.ndarray, visit: VisitPlan, state: disease.State) -> dict:
    contralateral = head.lateral * np.sign(centre[0]) < -MIDLINE_MARGIN
    pose = grids.pose_matrix(visit.rotation, visit.shift)
    seen = {
        "rCBV_ratio": in_voxels.rcbv_ratio(state, contralateral, pose, PRESCRIPTIONS["DSC"]),
        **in_voxels.metabolite_ratios(state, visit.lesion, pose, PRESCRIPTIONS["MRSI"]),
    }
    return {
        "id": str(visit.date),
        **disease.truth(state, contralateral),
        "Cho_NAA": visit.lesion.cho_naa,
        "Cho_Cr": metabolites.cho_cr(visit.lesion),
        "in_voxels": seen,
        "head_to_visit": pose.tolist(),
    }


def _event_record(event: Event) -> dict:
    record = {"kind": event.kind, "date": str(event.date)}
    if event.end:
        record["end"] = str(event.end)
    if event.details:
        record["details"] = event.details
    return record


def sequence_sidecar(sequence: structural.Sequence, flip_angle: float) -> dict:
    """Acquisition of a structural scan with its BIDS names and units."""
    return {
        **SCANNER,
        "RepetitionTime": sequence.repetition_time,
        "InversionTime": sequence.inversion_time,
        "EchoTime": sequence.echo_time,
        "FlipAngle": flip_angle,
    }


def dsc_sidecar(protocol: bolus.Protocol) -> dict:
    """DSC.json: acquisition with its BIDS names and units."""
    return {
        **SCANNER,
        "PulseSequenceType": "Gradient Echo EPI",
        "EchoTime": protocol.echo_time,
        "RepetitionTime": protocol.repetition_time,
        "FlipAngle": protocol.flip_angle,
        "NumberOfVolumesDiscardedByScanner": bolus.DUMMY_SCANS,
        "Preload": False,
        **AGENT,
    }


MRSI_SIDECAR = {
    **SCANNER,
    "PulseSequenceType": "PRESS",
    "EchoTime": spectra.SEQUENCE.echo_time,
    "RepetitionTime": spectra.SEQUENCE.repetition_time,
}


def _dropout(shape: tuple[int, int, int], grid: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Signal that echo-planar imaging keeps near the air of the sinuses and the ear, float32 (k, j, i)."""
    kept = np.ones(shape, np.float32)
    index = np.indices(shape, dtype=np.float32)[::-1].reshape(3, -1)
    to_head = np.linalg.inv(pose) @ grid
    points = to_head[:3, :3] @ index + to_head[:3, 3:]
    for x, y, z, reach in ((0, 32, -30, 16.0), (48, -20, -44, 11.0), (-48, -20, -44, 11.0)):
        squared = sum((points[axis] - c) ** 2 for axis, c in enumerate((x, y, z)))
        kept *= (1 - 0.85 * np.exp(-squared / (2 * reach**2))).reshape(shape)
    return kept


def _write(folder: Path, role: str, image: Image, sidecar: dict) -> None:
    write_image(image, folder / f"{role}.nii.gz")
    _write_json(folder / f"{role}.json", sidecar)


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
