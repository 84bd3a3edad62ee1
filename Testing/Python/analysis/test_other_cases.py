"""The whole job on the other two built-in cases: measured beside their truth, judged as follow-up judged them.

For speed the patients are shortened: the visit to judge is whole, of the one before treatment only T1CE and lesion are
there, the one after is left out, and the poses of the heads are given as a user's own transforms
(``test_main_job.py`` finds them).
"""

import dataclasses
import itertools
import json
import shutil

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.aligning import use_transform
from PseudoProgressionAnalyzerLib.analysis.run import run, start
from PseudoProgressionAnalyzerLib.cases import folder as writing
from PseudoProgressionAnalyzerLib.cases.plans import CASES
from PseudoProgressionAnalyzerLib.patient.folder import read_patient

JUDGED = {"true_progression": "favours_true_progression", "radiation_necrosis": "favours_radiation_necrosis"}
# Name of the measurement and its relative error beside the plain truth; and the error beside what an ideal scanner of
# these voxels would see. Docs/methods.md says what makes them.
TOLERANCE = {
    "volume": ("volume", 0.15),
    "rCBV_ratio": ("rCBV_ratio_mean", 0.25),
    "Cho_NAA": ("Cho_NAA_molar", 0.2),
    "Cho_Cr": ("Cho_Cr_molar", 0.15),
}

IN_VOXELS = {"rCBV_ratio": 0.22, "Cho_NAA": 0.08, "Cho_Cr": 0.1}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A folder with the common first visit, as far as the lesion, and the second visits of both cases, whose head is
    made once."""
    first, *_ = CASES["true_progression"].visits
    seconds = [CASES[name].visits[1] for name in JUDGED]
    directory = tmp_path_factory.mktemp("both")
    plain = writing.write_visit

    def write_visit(visit, state, head, folder, rng):
        shares, drawn = plain(visit, state, head, folder, rng), folder / "lesion.nii.gz"
        return shares if visit is not first else itertools.takewhile(lambda share: not drawn.exists(), shares)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "write_visit", write_visit)
        writing.write_case(
            dataclasses.replace(CASES["true_progression"], visits=(first, *seconds)), directory, lambda share: None
        )
    return directory


@pytest.fixture(scope="module", params=JUDGED)
def solved(request, both, tmp_path_factory):
    """Name of a case, the truth of its visit to judge, and its analysis."""
    case = CASES[request.param]
    first, second = (str(visit.date) for visit in case.visits[:2])
    patient = tmp_path_factory.mktemp(case.name)
    (patient / first).mkdir()
    for name in ("T1CE.nii.gz", "T1CE.json", "lesion.nii.gz"):
        shutil.copy(both / first / name, patient / first)
    shutil.copytree(both / second, patient / second)
    (patient / "patient.json").write_text(json.dumps(writing.patient_record(case)))
    truth = {visit["id"]: visit for visit in json.loads((both / "truth.json").read_text())["visits"]}
    analysis = start(read_patient(patient))
    analysis.reference_visit = first
    poses = [np.array(truth[visit]["head_to_visit"]) for visit in (first, second)]
    use_transform(analysis, second, poses[0] @ np.linalg.inv(poses[1]))
    return case.name, truth[second], run(analysis)


def errors(truth, analysis):
    """The relative errors of the visit's own measurements, by the names of the truth."""
    found = {}
    for key, (name, _) in TOLERANCE.items():
        rows = [
            row.value
            for row in analysis.measurements
            if (row.visit, row.name, row.kind, row.compared_to) == (truth["id"], name, "own", "")
        ]
        assert len(rows) == 1, name
        found[key] = rows[0] / truth[key] - 1
    return found


def passed(found):
    return {key: 0 < abs(found[key]) < tolerance for key, (_, tolerance) in TOLERANCE.items()}


def test_measurements_are_near_the_truth_and_never_exact(solved):
    _, truth, analysis = solved
    found = errors(truth, analysis)
    assert all(passed(found).values()), found


def test_metabolites_are_nearer_to_what_such_voxels_can_see(solved):
    """What voxels share with other tissue is no error of the job's; rCBV is off by leakage that is left over."""
    _, truth, analysis = solved
    found = errors(truth | truth["in_voxels"], analysis)
    assert all(abs(found[key]) < limit for key, limit in IN_VOXELS.items()), found


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_a_perturbed_truth_fails_the_same_check(solved, factor):
    _, truth, analysis = solved
    perturbed = truth | {key: factor * truth[key] for key in TOLERANCE}
    assert not any(passed(errors(perturbed, analysis)).values())


def test_the_other_cases_truth_fails_the_same_check(solved, both):
    _, truth, analysis = solved
    visits = json.loads((both / "truth.json").read_text())["visits"][1:]
    (other,) = (visit for visit in visits if visit["id"] != truth["id"])
    found = passed(errors(other | {"id": truth["id"]}, analysis))
    assert not any(found[key] for key in ("volume", "rCBV_ratio", "Cho_NAA")), found


def test_judged_as_follow_up_judged(solved):
    name, truth, analysis = solved
    assert [found.as_of for found in analysis.assessments] == [truth["id"]]
    assessment = analysis.assessments[0]
    assert assessment.conclusion == JUDGED[name]
    assert CASES[name].answer == name, "the answer that the case's follow-up gave"
    used = {item.measurement.name for item in assessment.evidence if item.used}
    assert {"rCBV_ratio_mean", "Cho_NAA_molar"} <= used
    assert (assessment.probability[0] > 0.5) == (name == "true_progression")
