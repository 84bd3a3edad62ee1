"""A user's own transform, regions proposed for another visit, and where given maps lie; by hand."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, aligning
from PseudoProgressionAnalyzerLib.analysis.aligning import (
    align_visit,
    choose_another_reference,
    doubts,
    forget_transform,
    is_users,
    trust,
    use_transform,
)
from PseudoProgressionAnalyzerLib.analysis.carrying import accept_proposal, propose_region
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.placing import map_to_visit
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.imaging.registration import Registration
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Map, Message, Patient, Region, Series, Visit

SHAPE = (12, 24, 24)
STEPS = ("step_align", "step_reference_tissue", "step_ratios", "step_measure", "step_assess")


def shift(x, y=0.0, z=0.0):
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


@pytest.fixture
def analysis():
    """Visit b's head lies 4 mm further right than visit a's; a lesion of 64 voxels of 1 mm is drawn in a."""
    visits = [Visit(name, None, [Series("T1CE", "none")]) for name in "ab"]
    found = Analysis(Patient("p", visits, [], [Region("lesion", "a", "lesion", "none")]), reference_visit="a")
    mask = np.zeros(SHAPE, dtype=bool)
    mask[4:8, 8:12, 4:8] = True
    found.regions["a", "lesion"] = Image(mask, np.eye(4))
    found.visit_to_reference = {"a": np.eye(4), "b": shift(-4)}
    trust = {"uncertainty": 0.4, "edge_distance_before": 2.0, "edge_distance_after": 1.0}
    found.alignment = {"a": {"uncertainty": 0.0}, "b": trust}
    for name in "ab":
        found.maps[name, "rCBV_ratio"] = Map(np.ones(SHAPE, np.float32), np.eye(4), name="rCBV_ratio", unit="1")
        found.series_to_visit[name, "rCBV_ratio"] = np.eye(4)
        found.images[name, "T1CE"] = Image(np.random.default_rng(0).normal(100, 9, SHAPE), np.eye(4))
    found.finished = {(step, visit) for step in STEPS for visit in ("a", "b", "")}
    return found


@pytest.fixture
def without_images(analysis):
    analysis.images.clear()
    return analysis


def test_a_users_transform_is_taken_and_reopens_what_depends_on_it(without_images):
    analysis = without_images
    analysis.messages["b"] = [Message("registration_uncertain", {"uncertainty": 3.0, "limit": 2.0})]
    use_transform(analysis, "b", shift(-3, 1))
    np.testing.assert_array_equal(analysis.visit_to_reference["b"], shift(-3, 1))
    assert is_users(analysis, "b") and not is_users(analysis, "a")
    assert analysis.messages["b"] == []
    assert {step for step, _ in analysis.finished} == {"step_align"}
    align_visit(analysis, "b")  # the step runs again: the user's own transform stays
    np.testing.assert_array_equal(analysis.visit_to_reference["b"], shift(-3, 1))
    forget_transform(analysis, "b")
    assert "b" not in analysis.visit_to_reference and ("step_align", "b") not in analysis.finished


def test_mean_spectra_of_carried_regions_go_with_the_transform_that_carried_them(without_images):
    analysis = without_images
    keys = [("a", "a", "lesion"), ("b", "a", "lesion"), ("b", "b", "own"), ("a", "c", "lesion")]
    analysis.region_spectra = dict.fromkeys(keys)
    analysis.finished |= {("step_region_spectra", visit) for visit in "ab"}
    use_transform(analysis, "b", shift(-3, 1))
    assert list(analysis.region_spectra) == [("a", "a", "lesion"), ("b", "b", "own"), ("a", "c", "lesion")]
    assert ("step_region_spectra", "b") not in analysis.finished
    assert ("step_region_spectra", "a") in analysis.finished


@pytest.mark.parametrize("to", ["b", "c"])
def test_the_users_own_transform_is_brought_to_another_reference_visit(without_images, to):
    """Where the heads lie to each other stays, by hand: b 3 mm left of a, c 10 mm, so c is 7 mm left of b."""
    analysis = without_images
    analysis.patient.visits.append(Visit("c", None, [Series("T1CE", "none")]))
    analysis.visit_to_reference["c"], analysis.alignment["c"] = shift(10), {"uncertainty": 0.2}
    use_transform(analysis, "b", shift(3))
    choose_another_reference(analysis, to)
    assert analysis.reference_visit == to
    expected = {"b": {"a": shift(-3)}, "c": {"b": shift(-7)}}[to]
    assert list(analysis.visit_to_reference) == list(expected)
    for visit, matrix in expected.items():
        np.testing.assert_allclose(analysis.visit_to_reference[visit], matrix)
    assert [visit for visit in "abc" if is_users(analysis, visit)] == list(expected)
    assert {visit for step, visit in analysis.finished if step == "step_align" and visit} == set(expected)


@pytest.mark.parametrize("doubted", ["uncertain", "given up"])
def test_a_doubted_transform_brings_none_of_the_users_own_to_another_reference_visit(without_images, doubted):
    """Through it, c would lie where nobody has seen that it lies, and count as the user's own."""
    analysis = without_images
    analysis.patient.visits.append(Visit("c", None, [Series("T1CE", "none")]))
    analysis.visit_to_reference["c"], analysis.alignment["c"] = shift(10), {"uncertainty": 0.2}
    if doubted == "uncertain":
        analysis.alignment["c"]["uncertainty"] = 9.0
    else:
        analysis.messages["c"] = [Message("registration_start_kept")]
    use_transform(analysis, "b", shift(3))
    choose_another_reference(analysis, "c")
    assert analysis.reference_visit == "c" and not analysis.visit_to_reference
    assert not any(is_users(analysis, visit) for visit in "abc")
    assert not {visit for step, visit in analysis.finished if step == "step_align" and visit}


@pytest.mark.parametrize(
    ("codes", "word"),
    [
        ([], "good"),
        (["registration_uncertain"], "check"),
        (["registration_uncertainty_unknown"], "check"),
        (["registration_ambiguous", "registration_little_overlap"], "check"),
        (["registration_agreement_unknown"], "check"),
        (["registration_uncertain", "registration_disagrees"], "failed"),
        (["registration_start_kept"], "failed"),
    ],
)
def test_trust_in_one_word(without_images, codes, word):
    analysis = without_images
    analysis.visit_to_reference.clear()
    assert [trust(analysis, visit) for visit in "ab"] == ["none", "none"]
    analysis.visit_to_reference |= {"a": np.eye(4), "b": np.eye(4)}
    analysis.alignment |= {"a": {"uncertainty": 0.0}, "b": {"uncertainty": 0.3}}
    analysis.messages["b"] = [Message(code) for code in codes]
    assert [trust(analysis, visit) for visit in "ab"] == ["reference", word]
    use_transform(analysis, "b", shift(-3, 1))
    assert trust(analysis, "b") == "own"


def test_an_uncertainty_that_is_not_known_is_absent(analysis, monkeypatch):
    """As where a fit failed: no infinite number goes into files, and change is not shown voxel by voxel."""
    flags = (Message("registration_uncertainty_unknown"),)
    found = Registration(shift(-4), np.inf, 2.0, 1.0, flags, {"samples": 0.1, "halves": np.inf})
    monkeypatch.setattr(aligning, "register_heads", lambda *heads, **options: found)
    analysis.brains = {visit: np.ones(SHAPE, dtype=bool) for visit in "ab"}
    align_visit(analysis, "b")
    assert analysis.alignment["b"] == {"spread_samples": 0.1, "edge_distance_before": 2.0, "edge_distance_after": 1.0}
    assert [doubt.code for doubt in doubts(analysis, "b")] == ["registration_uncertainty_unknown"]


def test_the_reference_head_is_kept_for_the_other_visits_and_never_outlives_a_change(analysis, monkeypatch):
    found, seen = Registration(shift(-4), 0.3, 2.0, 1.0, (), {"samples": 0.1}), []
    monkeypatch.setattr(aligning, "register_heads", lambda fixed, moving, **options: seen.append(fixed) or found)
    for name in "cde":
        analysis.patient.visits.append(Visit(name, None, [Series("T1CE", "none")]))
        analysis.images[name, "T1CE"] = analysis.images["b", "T1CE"]
    analysis.brains = {visit: np.ones(SHAPE, dtype=bool) for visit in "abcde"}
    align_visit(analysis, "b")
    align_visit(analysis, "c")
    assert seen[1] is seen[0]
    analysis.regions["a", "lesion"].array[0, 0, 0] = True  # a stroke of the brush
    align_visit(analysis, "d")
    assert seen[2] is not seen[0]
    assert seen[2].excluded[0, 0, 0] and not seen[0].excluded[0, 0, 0]
    analysis.brains["a"] = analysis.brains["a"].copy()
    align_visit(analysis, "e")
    assert seen[3] is not seen[2]
    assert analysis.reference_head is None, "after the last visit nothing is kept"


@pytest.mark.parametrize(
    ("visit", "matrix", "code"),
    [
        ("b", np.diag([1.1, 1, 1, 1]), "transform_not_rigid"),
        ("b", np.diag([-1.0, 1, 1, 1]), "transform_not_rigid"),
        ("b", np.eye(3), "transform_not_rigid"),
        ("b", np.full((4, 4), np.nan), "transform_not_rigid"),
        ("a", np.eye(4), "transform_of_reference"),
        ("c", np.eye(4), "unknown_visit"),
    ],
)
def test_what_is_no_transform_is_refused(without_images, visit, matrix, code):
    with pytest.raises(InputError) as caught:
        use_transform(without_images, visit, matrix)
    assert caught.value.message.code == code
    np.testing.assert_array_equal(without_images.visit_to_reference["b"], shift(-4))


def test_a_proposal_is_measured_only_when_accepted(analysis):
    proposal = propose_region(analysis, "lesion", "a", "b")
    np.testing.assert_array_equal(np.argwhere(proposal.mask.array)[0], [4, 8, 8])  # 4 mm further right
    assert proposal.mask.array.sum() == 64 and proposal.flags == ()
    assert proposal.region.visit == "b" and not proposal.region.carried
    measure_visits(analysis)
    assert {row.visit for row in analysis.measurements if row.name == "volume"} == {"a"}
    accept_proposal(analysis, proposal)
    measure_visits(analysis)
    assert {row.visit for row in analysis.measurements if row.name == "volume"} == {"a", "b"}
    assert ("step_measure", "") not in analysis.finished
    with pytest.raises(InputError) as caught:
        accept_proposal(analysis, proposal)
    assert caught.value.message.code == "proposal_there"


def test_a_proposal_says_its_doubts_and_what_is_missing(analysis):
    analysis.messages["b"] = [Message("registration_uncertain", {"uncertainty": 3.0, "limit": 2.0})]
    assert [flag.code for flag in propose_region(analysis, "lesion", "a", "b").flags] == ["registration_uncertain"]
    for name, to, code in (("nothing", "b", "proposal_not_drawn"), ("lesion", "c", "unknown_visit")):
        with pytest.raises(InputError) as caught:
            propose_region(analysis, name, "a", to)
        assert caught.value.message.code == code
    analysis.visit_to_reference["b"] = shift(-400)
    with pytest.raises(InputError) as caught:
        propose_region(analysis, "lesion", "a", "b")
    assert caught.value.message.code == "proposal_outside"


def test_a_given_map_goes_with_its_source_series_or_stays(tmp_path, analysis):
    for name, affine in (("DSC", np.eye(4)), ("same", np.eye(4)), ("other", np.diag([2.0, 2, 2, 1]))):
        write_image(Image(np.ones((4, 5, 6), np.int16), affine), tmp_path / f"{name}.nii.gz")
    analysis.patient.visits[0].series.append(Series("DSC", tmp_path / "DSC.nii.gz"))
    analysis.series_to_visit["a", "DSC"] = shift(3)
    same, other = (Series("rCBV", tmp_path / f"{name}.nii.gz") for name in ("same", "other"))
    np.testing.assert_array_equal(map_to_visit(analysis, "a", same), shift(3))
    np.testing.assert_array_equal(map_to_visit(analysis, "a", other), np.eye(4))
    np.testing.assert_array_equal(map_to_visit(analysis, "b", same), np.eye(4))
