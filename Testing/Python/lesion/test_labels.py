"""Label dictionaries and contrast uptake on a phantom with blood, and on real cases of both BraTS conventions."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion.labels import (
    CONVENTIONS,
    check_enhancement,
    compartments,
    possible_conventions,
)
from PseudoProgressionAnalyzerLib.lesion.subtraction import subtract, supported_fraction
from PseudoProgressionAnalyzerLib.measures import InputError

SHAPE = (20, 40, 40)
ENHANCING, BLOOD, NECROTIC, OEDEMA = (
    np.s_[5:9, 5:12, 5:12],
    np.s_[5:9, 5:12, 20:27],
    np.s_[5:9, 20:27, 5:12],
    np.s_[5:9, 20:27, 20:27],
)


@pytest.fixture
def phantom():
    """T1 before and after contrast (other scale and offset), reference tissue and labels by BraTS 2023.

    White and grey matter; one region gains 60 % of its signal, one holds blood that is bright in both images.
    """
    rng = np.random.default_rng(4)
    tissue = np.where(rng.random(SHAPE) < 0.5, 100.0, 70.0)
    tissue[BLOOD], tissue[NECROTIC], tissue[OEDEMA] = 170, 40, 60
    gained = np.zeros(SHAPE)
    gained[ENHANCING] = 0.6 * tissue[ENHANCING]
    pre = tissue + rng.normal(0, 2, SHAPE)
    post = 3.0 * (tissue + gained + rng.normal(0, 2, SHAPE)) + 50
    labels = np.zeros(SHAPE, int)
    labels[ENHANCING], labels[NECROTIC], labels[OEDEMA] = 3, 1, 2
    reference = labels == 0
    reference[BLOOD] = False
    return pre, post, reference, labels


def test_uptake_is_what_contrast_added(phantom):
    pre, post, reference, _ = phantom
    uptake = subtract(pre, post, reference)
    signal = np.median(post[reference])
    assert np.median(uptake.delta[ENHANCING]) == pytest.approx(100 * 3 * 0.6 * 85 / signal, rel=0.25)
    assert np.median(uptake.delta[BLOOD]) == pytest.approx(0, abs=uptake.limit)
    assert np.median((post - pre)[BLOOD]) > np.median((post - pre)[reference])
    assert uptake.noise == pytest.approx(100 * 3 * np.hypot(2, 2) / signal, rel=0.1)
    assert np.mean(uptake.delta[reference] > uptake.limit) == pytest.approx(0.025, abs=0.01)


def test_blood_does_not_support_a_region_drawn_as_enhancing(phantom):
    pre, post, reference, _ = phantom
    uptake = subtract(pre, post, reference)
    drawn = np.zeros(SHAPE, bool)
    drawn[ENHANCING] = drawn[BLOOD] = True
    assert supported_fraction(drawn, uptake) == pytest.approx(0.5, abs=0.05)
    assert supported_fraction(np.zeros(SHAPE, bool), uptake) is None


def test_scale_and_offset_of_the_images_do_not_matter_and_vessels_in_the_reference_little(phantom):
    pre, post, reference, _ = phantom
    uptake = subtract(pre, post, reference)
    again = subtract(0.2 * pre - 3, post, reference)
    assert again.delta == pytest.approx(uptake.delta, abs=1e-3)
    vessels = post.copy()
    vessels[15, :, :10] *= 2.5  # 1 % of the volume
    assert subtract(pre, vessels, reference).noise == pytest.approx(uptake.noise, rel=0.05)


def test_images_that_do_not_fit_are_refused(phantom):
    pre, post, reference, _ = phantom
    for arguments, code in (
        ((pre[:5], post, reference), "lesion_subtraction_grids"),
        ((pre, post, np.zeros(SHAPE, bool)), "lesion_subtraction_reference"),
        ((-pre, post, reference), "lesion_subtraction_unlike"),
        ((np.ones(SHAPE), post, reference), "lesion_subtraction_unlike"),
    ):
        with pytest.raises(InputError) as error:
            subtract(*arguments)
        assert error.value.message.code == code
    pre[ENHANCING] = np.nan
    uptake = subtract(pre, post, reference)
    assert np.isnan(uptake.delta[ENHANCING]).all()
    assert np.isfinite(uptake.noise)


def test_the_right_dictionary_passes_and_exchanged_labels_fail(phantom):
    pre, post, reference, labels = phantom
    uptake = subtract(pre, post, reference)
    assert check_enhancement(labels, "BraTS 2023", uptake) == ()
    assert check_enhancement(np.where(labels == 3, 4, labels), "BraTS until 2021", uptake) == ()
    codes = {message.code for message in check_enhancement(labels, "DeepBraTumIA", uptake)}
    assert codes == {"lesion_label_not_enhancing", "lesion_label_other_enhances"} or codes == {
        "lesion_label_other_enhances"
    }
    old = np.where(labels == 3, 4, labels)  # an old file read as a new one: tumour would be measured as cavity
    assert [message.code for message in check_enhancement(old, "BraTS 2024 post-treatment", uptake)] == [
        "lesion_label_other_enhances"
    ]
    assert check_enhancement(np.zeros(SHAPE, int), "BraTS 2023", uptake) == ()


def test_dictionaries():
    assert possible_conventions(np.array([0, 1, 2, 4])) == [
        "BraTS until 2021", "BraTS 2024 post-treatment", "MU-Glioma-Post",
    ]  # fmt: skip
    assert "HD-GLIO" in possible_conventions(np.array([0, 2]))
    assert possible_conventions(np.array([0, 7])) == []
    parts = compartments(np.array([[0, 1, 2]]), "HD-GLIO")
    assert parts["enhancement"].tolist() == [[False, False, True]]
    with pytest.raises(InputError) as error:
        compartments(np.array([0, 3]), "HD-GLIO")
    assert error.value.message.code == "lesion_label_unknown"
    with pytest.raises(InputError) as error:
        compartments(np.array([0, 3]), "mine")
    assert error.value.message.code == "lesion_convention_unknown"


@pytest.mark.parametrize(
    ("folder", "file", "right"),
    [
        ("BrainLesion_BraTS", "segmentation.nii.gz", "BraTS 2023"),
        ("BrainLesion_deep_quality_estimation", "seg-BraTS23_1.nii.gz", "BraTS 2023"),
        ("BrainLesion_deep_quality_estimation", "seg-bratstoolkit_isen.nii.gz", "BraTS until 2021"),
    ],
)
def test_real_segmentations_pass_by_their_own_dictionary_alone(reference_data, folder, file, right):
    place = reference_data(f"longitudinal/{folder}")
    pre, post, labels = (read_image(place / name).array for name in ("t1n.nii.gz", "t1c.nii.gz", file))
    uptake = subtract(pre, post, (pre > 0) & (post > 0) & (labels == 0))
    meanings = {tuple(sorted(CONVENTIONS[right].items()))}
    for name in possible_conventions(labels):
        kept = tuple(sorted((label, part) for label, part in CONVENTIONS[name].items() if (labels == label).any()))
        assert (check_enhancement(labels, name, uptake) == ()) == (kept in meanings), name


def test_both_dictionaries_find_the_same_tumour_in_one_real_case(reference_data):
    place = reference_data("longitudinal/BrainLesion_deep_quality_estimation")
    new = compartments(read_image(place / "seg-BraTS23_1.nii.gz").array, "BraTS 2023")["enhancement"]
    old = compartments(read_image(place / "seg-bratstoolkit_isen.nii.gz").array, "BraTS until 2021")["enhancement"]
    dice = 2 * (new & old).sum() / (new.sum() + old.sum())
    assert dice > 0.9
