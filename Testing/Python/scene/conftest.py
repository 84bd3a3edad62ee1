"""A small patient with three visits whose every number is different, and scenes to put it into."""

import datetime
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, DscChoices
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.perfusion_changes import make_response_maps
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.assessment import Rules, editable_criteria
from PseudoProgressionAnalyzerLib.imaging.midline import Plane
from PseudoProgressionAnalyzerLib.measures import (
    Assessment,
    Event,
    Image,
    Map,
    Message,
    Patient,
    Region,
    Series,
    Visit,
)  # fmt: skip
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.spectroscopy import Fit
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol

VISITS = ("2023-01-10", "2023-03-01", "2023-06-05")


def rigid(angles: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """4x4 rotation by angles (degrees, about x, y, z in turn) and shift (mm)."""
    matrix = np.eye(4)
    for axis, angle in enumerate(math.radians(angle) for angle in angles):
        turn = np.eye(4)
        first, second = [other for other in range(3) if other != axis]
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = turn @ matrix
    matrix[:3, 3] = shift
    return matrix


TO_REFERENCE = {
    VISITS[0]: np.eye(4),
    VISITS[1]: rigid((4, -3, 9), (6, -5, 3)),
    VISITS[2]: rigid((-6, 5, -7), (-4, 7, -2)),
}
DSC_TO_VISIT = rigid((0, 0, 3), (1.5, -1, 0.5))


def grid(shape: tuple[int, int, int], spacing: tuple[float, float, float], pose: np.ndarray) -> np.ndarray:
    """Affine of a grid ``(k, j, i)`` centred at the origin, then posed."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape[::-1]) - 1) / 2 * spacing
    return pose @ affine


def points(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """RAS mm ``(3, k, j, i)`` of all voxel centres."""
    index = np.indices(shape)[::-1]
    return np.einsum("ab,bkji->akji", affine[:3, :3], index) + affine[:3, 3][:, None, None, None]


def ball(shape, affine, centre, radius) -> np.ndarray:
    """Bool ``(k, j, i)``: voxels whose centre lies within the ball (RAS mm)."""
    return ((points(shape, affine) - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


LESION_CENTRE = np.array([-22.0, 20.0, 14.0])  # left, anterior, superior, in the reference visit's RAS
LESION_RADIUS = {VISITS[0]: 8.0, VISITS[1]: 13.0, VISITS[2]: 9.0}


def make_analysis(folder) -> Analysis:
    """Three visits, each in a head pose of its own: an ellipsoid head, a lesion left, anterior and superior."""
    random = np.random.default_rng(7)
    dsc_path = folder / "DSC.nii.gz"
    dsc_path.write_bytes(b"a time series")
    visits, regions = [], []
    for number, visit_id in enumerate(VISITS):
        series = [
            Series("T1CE", folder / f"{visit_id}-T1CE.nii.gz", {"EchoTime": 0.003, "Names": ["a", "b"]}, 0.9, None),
            Series("DSC", dsc_path, {"EchoTime": 0.03}, 0.8, Message("role_from_name", {"name": "DSC"})),
        ]
        date = datetime.date.fromisoformat(visit_id)
        visits.append(Visit(visit_id, date, series, [Message("a_warning", {"share": 1 / 3})] if number else []))
        regions.append(
            Region("lesion", visit_id, "lesion", folder / "lesion.nii.gz", 1 if number else None, not number)
        )
    regions.append(Region('free, "odd" | name', VISITS[1], "free", folder / "free.nii.gz"))
    regions.append(Region("drawn white matter", VISITS[2], "reference", folder / "reference.nii.gz"))
    events = [
        Event("radiotherapy", datetime.date(2022, 11, 1), datetime.date(2022, 12, 12), {"dose_gray": 60.0}),
        Event("clinical_status", datetime.date(2023, 3, 1), None, {"status": "worse"}),
    ]
    analysis = Analysis(Patient("case 1", visits, events, regions), VISITS[0])
    analysis.rules = Rules("ours.json", {"criteria": editable_criteria()["criteria"], "leave_out": ["*"]})
    analysis.rules = analysis.rules.with_prior((0.6, 0.5, 0.7), VISITS[1])
    for visit_id in VISITS:
        to_visit = np.linalg.inv(TO_REFERENCE[visit_id])
        shape = (30, 56, 48)
        affine = grid(shape, (1.9, 1.9, 3.3), to_visit @ rigid((2, -1, 3), (0, 0, 0)))
        x, y, z = np.einsum("ab,bkji->akji", TO_REFERENCE[visit_id][:3, :3], points(shape, affine)) + TO_REFERENCE[
            visit_id
        ][:3, 3].reshape(3, 1, 1, 1)
        head = (x / 40) ** 2 + (y / 48) ** 2 + (z / 44) ** 2 < 1
        here = to_visit[:3, :3] @ LESION_CENTRE + to_visit[:3, 3]
        lesion = ball(shape, affine, here, LESION_RADIUS[visit_id])
        mirrored = to_visit[:3, :3] @ (LESION_CENTRE * [-1, 1, 1]) + to_visit[:3, 3]
        white = ball(shape, affine, mirrored, 9.0)
        t1ce = (100.0 * head + 120.0 * lesion + random.normal(0, 3, shape) * head).astype(np.float32)
        analysis.images[visit_id, "T1CE"] = Image(t1ce, affine)
        analysis.brains[visit_id] = head
        analysis.visit_to_reference[visit_id] = TO_REFERENCE[visit_id]
        analysis.alignment[visit_id] = {"uncertainty": 0.1 + 0.2}
        analysis.series_to_visit[visit_id, "T1CE"] = np.eye(4)
        analysis.regions[visit_id, "lesion"] = Image(lesion, affine)
        if visit_id == VISITS[1]:
            analysis.regions[visit_id, 'free, "odd" | name'] = Image(ball(shape, affine, here, 6.0), affine)
        if visit_id == VISITS[2]:
            analysis.regions[visit_id, "drawn white matter"] = Image(white, affine)
        analysis.references[visit_id] = Image(white, affine)
        coarse = (20, 34, 34)
        dsc_affine = grid(coarse, (3.1, 3.1, 4.6), np.linalg.inv(DSC_TO_VISIT) @ to_visit)
        in_visit = DSC_TO_VISIT @ dsc_affine
        inside = ball(coarse, in_visit, here, LESION_RADIUS[visit_id] + 2)
        values = (random.uniform(0.8, 1.2, coarse) + 2.5 * inside).astype(np.float32)
        quality = random.random(coarse) > 0.02
        centres = np.einsum("ab,bkji->akji", TO_REFERENCE[visit_id][:3, :3], points(coarse, in_visit))
        x, y, z = centres + TO_REFERENCE[visit_id][:3, 3].reshape(3, 1, 1, 1)
        values[(x / 40) ** 2 + (y / 48) ** 2 + (z / 44) ** 2 >= 1] = np.nan
        few = (Message("few", {"n": 3}),)
        analysis.maps[visit_id, "rCBV"] = Map(values, dsc_affine, "rCBV", "relative", "DSC, linear", quality, few)
        ratio = values / np.float32(0.97)
        analysis.maps[visit_id, "rCBV_ratio"] = Map(
            ratio, dsc_affine, "rCBV_ratio", "1", "over white matter", quality, few
        )
        for name in ("DSC", "rCBV", "rCBV_ratio"):
            analysis.series_to_visit[visit_id, name] = DSC_TO_VISIT
        analysis.curves[visit_id, "DSC"] = {"time": np.arange(4) * 1.7, "brain_signal": random.normal(size=4)}
        if visit_id != VISITS[1]:
            slab = (1, 12, 12)
            ratio = random.uniform(0.3, 2.4, slab)
            analysis.maps[visit_id, "Cho_NAA_molar"] = Map(
                ratio,
                grid(slab, (8.0, 8.0, 12.0), to_visit @ rigid((0, 0, 0), (0, 0, 12))),
                "Cho_NAA_molar",
                "1",
                "fit",
            )
            analysis.series_to_visit[visit_id, "Cho_NAA_molar"] = np.eye(4)
        analysis.outcome[visit_id] = (Message("later", {"change": -1 / 3}),)
        analysis.messages[visit_id] = [Message("noted", {"visit": visit_id, "share": 0.1})]
    for number, visit_id in enumerate(VISITS[:2]):
        analysis.spectra_fits[visit_id, "MRSI"] = fit_of_a_grid((1, 4, 5), number)
        analysis.series_to_visit[visit_id, "MRSI"] = np.eye(4)
    analysis.region_spectra[VISITS[0], VISITS[0], ""] = fit_of_a_grid((1, 1, 1), 7)
    analysis.midlines[VISITS[0]] = Plane(np.array([1.0, 0.0, 0.0]), 1 / 3, 0.2, 0.1, 0.9, (Message("noted"),))
    analysis.absent[VISITS[1], "CBF_ratio"] = (Message("map_not_made", {"visit": VISITS[1], "role": "ASL"}),)
    analysis.dsc_choices[VISITS[1]] = DscChoices("bidirectional", bolus_arrival=7, preload=True)
    make_response_maps(analysis)
    measure_visits(analysis)
    update_lesions(analysis)
    analysis.finished = {(step, visit_id) for step in ("step_read", "step_align") for visit_id in VISITS}
    analysis.finished.add(("step_measure", ""))
    analysis.assessments = [
        Assessment(
            VISITS[1],
            "mixed",
            (1 / 3, 0.2, 0.6),
            (0.4, 0.1, 0.7),
            (),
            (Message("context"),),
            (),
            Message("perfusion"),
            "x",
        )
    ]
    return analysis


ASSESSMENT_JSON = (
    json.dumps({"disclaimer": "d", "value": 0.1 + 0.2, "text": 'line\n"quoted" \u00e4 <&>'}, indent=1) + "\n"
)


def fit_of_a_grid(shape: tuple[int, int, int], seed: int) -> Fit:
    """A fit of random numbers, without one voxel of a grid, with the digits that a scene keeps."""
    random = np.random.default_rng(seed)
    names, points = ("NAA", "NAAG", "GPC", "PCh", "Cr", "PCr"), 11
    numbers = random.uniform(1, 2, (*shape, 6 + len(names))).astype(np.float32).astype(float)
    covariances = np.full((*shape, len(names), len(names)), 2.0**-6) * (1 + np.eye(len(names)))
    spectra = random.normal(size=(*shape, 3, points)).astype(np.float32)
    if max(shape) > 1:
        for array in (numbers, covariances, spectra):
            array[0, 1, 1] = np.nan
    maps = dict(zip(("fwhm", "snr", "residual", "shift", "phase"), np.moveaxis(numbers[..., :5], -1, 0), strict=True))
    return Fit(
        names,
        Protocol(123.25, 0.030),
        grid(shape, (8.0, 8.0, 12.0), rigid((0, 0, 0), (0, 0, 12))),
        np.linspace(0.2, 4.0, points),
        accepted=np.isfinite(maps["snr"]),
        flags=(Message("spectra_sequence_assumed", {"sequence": "PRESS"}),),
        amplitudes=numbers[..., 6:],
        covariances=covariances,
        spectra=spectra,
        **maps,
    )


@pytest.fixture(scope="session")
def analysis(tmp_path_factory) -> Analysis:
    """The patient; tests must not change it."""
    return make_analysis(tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="session")
def phantom() -> SimpleNamespace:
    """What the patient was made of, and the tools that made it."""
    return SimpleNamespace(
        visits=VISITS,
        to_reference=TO_REFERENCE,
        dsc_to_visit=DSC_TO_VISIT,
        lesion_centre=LESION_CENTRE,
        lesion_radius=LESION_RADIUS,
        assessment_json=ASSESSMENT_JSON,
        rigid=rigid,
        ball=ball,
        node_ids=node_ids,
        make_analysis=make_analysis,
    )


@pytest.fixture
def app():
    """A new empty scene with its logics."""
    return application()


def node_ids(scene) -> set[str]:
    return {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())}
