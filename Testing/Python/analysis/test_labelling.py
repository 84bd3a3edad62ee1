"""Labels of segmentations: the images say what they mean, or nobody does."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.labelling import read_labels
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, Patient, Region, Series, Visit

SHAPE = (24, 40, 40)
PARTS = {
    "enhancement": (slice(8, 14), slice(10, 20), slice(10, 20)),
    "necrosis": (slice(10, 12), slice(13, 17), slice(13, 17)),
    "oedema": (slice(8, 14), slice(20, 26), slice(10, 20)),
}


def analysed(tmp_path, numbers, with_t1=True, affine=None):
    """A visit whose segmentation gives the parts these numbers; only the enhancing part brightens, by 60 of 100."""
    rng = np.random.default_rng(0)
    tissue = 100 + 10 * np.sin(np.indices(SHAPE).sum(axis=0) / 3)  # grey and white matter
    pre, post = (tissue + rng.normal(0, 1, SHAPE) for _ in range(2))
    labels = np.zeros(SHAPE, np.uint8)
    for name in ("enhancement", "oedema", "necrosis"):
        if name in numbers:
            labels[PARTS[name]] = numbers[name]
    post[labels == numbers.get("enhancement", 99)] += 60
    path = tmp_path / "seg.nii.gz"
    write_image(Image(labels, np.eye(4) if affine is None else affine), path)
    series = [Series("T1CE", "none"), Series("segmentation", path)]
    analysis = Analysis(Patient("p", [Visit("a", None, series)]), reference_visit="a")
    analysis.images["a", "T1CE"] = Image(post, np.eye(4))
    if with_t1:
        analysis.images["a", "T1"] = Image(pre, np.eye(4))
        analysis.series_to_visit["a", "T1"] = np.eye(4)
    analysis.brains["a"] = np.ones(SHAPE, bool)
    read_labels(analysis, "a")
    return analysis


def codes(analysis):
    return [message.code for message in analysis.messages.get("a", []) if message.code.startswith("labels_")]


@pytest.mark.parametrize(
    "numbers",
    [
        {"necrosis": 1, "oedema": 2, "enhancement": 4},  # BraTS until 2021, or a cavity called 4 by later schemes
        {"necrosis": 1, "oedema": 2, "enhancement": 3},  # BraTS 2023, or DeepBraTumIA with all exchanged
        {"enhancement": 1, "necrosis": 2, "oedema": 3},  # DeepBraTumIA
        {"oedema": 1, "enhancement": 2},  # HD-GLIO
    ],
)
def test_the_label_that_brightens_is_the_lesion(tmp_path, numbers):
    analysis = analysed(tmp_path, numbers)
    assert codes(analysis) == ["labels_taken"]
    (lesion,) = [region for region in analysis.patient.regions if region.purpose == "lesion"]
    assert lesion.label == numbers["enhancement"]
    mask = analysis.regions["a", "lesion"].array
    assert mask[8, 11, 11] and not mask[8, 22, 11]
    assert {region.purpose for region in analysis.patient.regions} == {
        {"enhancement": "lesion"}.get(name, name) for name in numbers
    }


def test_without_t1_before_contrast_nothing_is_guessed(tmp_path):
    analysis = analysed(tmp_path, {"necrosis": 1, "oedema": 2, "enhancement": 4}, with_t1=False)
    assert codes(analysis) == ["labels_open"] and analysis.patient.regions == []


def test_labels_that_no_convention_knows(tmp_path):
    analysis = analysed(tmp_path, {"necrosis": 7, "oedema": 9, "enhancement": 8})
    assert codes(analysis) == ["labels_unknown"] and analysis.patient.regions == []


def test_another_grid_and_a_drawn_lesion(tmp_path):
    analysis = analysed(tmp_path, {"oedema": 1, "enhancement": 2}, affine=np.diag([2.0, 1, 1, 1]))
    assert codes(analysis) == ["labels_other_grid"]
    analysis.patient.regions.append(Region("lesion", "a", "lesion", tmp_path / "lesion.nii.gz"))
    analysis.messages.clear()
    read_labels(analysis, "a")
    assert analysis.messages == {} and len(analysis.patient.regions) == 1
