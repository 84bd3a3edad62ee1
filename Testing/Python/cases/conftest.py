"""One simulated head and its second visit, made once for all tests of this part."""

from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import anatomy, disease, folder, grids, plans, scans, template
from PseudoProgressionAnalyzerLib.measures import Image


@pytest.fixture(scope="session")
def read_template():
    return template.read_template()


@pytest.fixture(scope="session")
def patient(read_template):
    """The built-in case's head, its lesion's centre and its state at the visit to judge."""
    case = plans.PSEUDOPROGRESSION
    rng = np.random.default_rng([case.seed, 0])
    head = anatomy.make_head(read_template, rng)
    centre = head.head_point(case.centre)
    pattern = disease.make_pattern(rng, Image(head.depth, head.affine))
    visit = case.visits[1]
    state = disease.diseased(head, centre, visit.lesion, pattern)
    pose = grids.pose_matrix(visit.rotation, visit.shift)
    return SimpleNamespace(head=head, centre=centre, pattern=pattern, visit=visit, state=state, pose=pose)


@pytest.fixture(scope="module")
def coarse():
    """Scans with large voxels, so that a visit is written in a second or two; as they are again after each file of
    tests, for others simulate too."""
    centre = folder.CENTRE
    small = {
        "T1": scans.Prescription((36, 56, 44), (4.5, 4.5, 5.0), centre),
        "FLAIR": scans.Prescription((18, 56, 44), (4.5, 4.5, 10.0), centre),
        "DSC": scans.Prescription((9, 32, 28), (7.0, 7.0, 15.0), centre),
        "MRSI": scans.Prescription((1, 5, 6), (18.0, 18.0, 30.0), (6.0, -18.0, 30.0), parts=(2, 2, 2)),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "PRESCRIPTIONS", small)
        yield
