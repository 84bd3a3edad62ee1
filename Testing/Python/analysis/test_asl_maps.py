"""Blood flow from an ASL series in the main job: by hand, with every way to give M0, and refused where it must be."""

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PseudoProgressionAnalyzerLib.analysis.asl_maps import asl_flow
from PseudoProgressionAnalyzerLib.analysis.mapping import make_maps, make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.perfusion.asl import delivered

sys.path.insert(0, str(Path(__file__).parent))
from perfusion_patients import patient_of

SHAPE = (4, 12, 12)
BRAIN = np.zeros(SHAPE, bool)
BRAIN[:, 1:11, 1:11] = True
LESION = np.zeros(SHAPE, bool)
LESION[:, 2:6, 2:6] = True
OTHER_SIDE = np.zeros(SHAPE, bool)
OTHER_SIDE[:, 2:10, 7:11] = True
FIELDS = {
    "ArterialSpinLabelingType": "PCASL",
    "LabelingDuration": 1.8,
    "PostLabelingDelay": 1.8,
    "MagneticFieldStrength": 3,
    "RepetitionTimePreparation": 6.0,
    "MRAcquisitionType": "3D",
    "BackgroundSuppression": False,
}
# By hand: 6000 * 0.9 * exp(1.8/1.65) / (2 * 0.85 * 1.65 * (1 - exp(-1.8/1.65))) of difference over M0
# = 5400 * 2.97706 / (2.805 * 0.664096).
PER_SHARE = 8630.1


def pairs(difference, level=1000.0, m0=1000.0):
    """M0, then two pairs of control and label whose difference is given."""
    control = np.full(SHAPE, level, np.float32)
    label = (control - difference).astype(np.float32)
    return np.stack([np.full(SHAPE, m0, np.float32), control, label, control, label])


CONTEXT = ["m0scan", "control", "label", "control", "label"]


def analysed(tmp_path, series, fields, **others):
    analysis = patient_of(
        tmp_path, {"a": None}, BRAIN, LESION, OTHER_SIDE, ASL={"a": (series, FIELDS | fields)}, **others
    )
    make_maps(analysis, "a")
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    return analysis


def value(analysis, name):
    (found,) = [row for row in analysis.measurements if row.name == name and not row.compared_to]
    return found


def test_flow_by_hand_with_unit_ratio_and_every_constant(tmp_path):
    difference = np.where(LESION, 12.0, 6.0)
    analysis = analysed(tmp_path, pairs(difference), {"ASLContext": CONTEXT})
    row = value(analysis, "CBF_mean")
    assert row.value == pytest.approx(0.012 * PER_SHARE, rel=1e-3)
    assert row.unit == "ml/100 g/min"
    assert value(analysis, "CBF_ratio_mean").value == pytest.approx(2.0, rel=1e-3)
    for said in ("PCASL", "PostLabelingDelay 1.8 s", "LabelingDuration 1.8 s", "blood t1 1.65 s", "0.85", "0.9 ml/g",
                 "Alsop 2015"):  # fmt: skip
        assert said in row.method
    assert not analysis.maps["a", "CBF"].flags


def test_m0_of_its_own_and_as_a_number_give_the_same(tmp_path):
    difference = np.where(LESION, 12.0, 6.0)
    series, context = pairs(difference)[1:], CONTEXT[1:]
    m0 = np.full(SHAPE, 1000.0, np.float32)
    for name, others, fields in (
        ("own", {"M0": {"a": (m0, {"RepetitionTimePreparation": 6.0})}}, {}),
        ("four", {"M0": {"a": (np.stack([m0 - 50, m0 + 50]), {"RepetitionTimePreparation": 6.0})}}, {}),
        ("number", {}, {"M0Estimate": 1000.0}),
    ):
        (tmp_path / name).mkdir()
        analysis = analysed(tmp_path / name, series, fields | {"ASLContext": context}, **others)
        assert value(analysis, "CBF_mean").value == pytest.approx(0.012 * PER_SHARE, rel=1e-3), name


def test_differences_made_on_the_scanner(tmp_path):
    series = np.stack([np.full(SHAPE, 1000.0), np.where(LESION, 12.0, 6.0)]).astype(np.float32)
    analysis = analysed(tmp_path, series, {"ASLContext": ["m0scan", "deltam"]})
    assert value(analysis, "CBF_mean").value == pytest.approx(0.012 * PER_SHARE, rel=1e-3)


def test_pulsed_labelling_takes_its_bolus_from_the_first_cut_off(tmp_path):
    fields = {"ArterialSpinLabelingType": "PASL", "BolusCutOffDelayTime": [0.7, 1.6], "ASLContext": CONTEXT}
    analysis = analysed(tmp_path, pairs(np.where(LESION, 12.0, 6.0)), fields)
    by_hand = 6000 * 0.9 * 0.012 * np.exp(1.8 / 1.65) / (2 * 0.98 * 0.7)
    assert value(analysis, "CBF_mean").value == pytest.approx(by_hand, rel=1e-3)


def test_the_repetition_time_of_m0_is_its_own_among_one_of_each_image(tmp_path):
    """M0 comes last and is relaxed; the repetition time of the first image would call for a correction."""
    series = np.roll(pairs(np.where(LESION, 12.0, 6.0)), -1, axis=0)
    fields = {"ASLContext": [*CONTEXT[1:], "m0scan"], "RepetitionTimePreparation": [4.0] * 4 + [6.0]}
    analysis = analysed(tmp_path, series, fields)
    assert value(analysis, "CBF_mean").value == pytest.approx(0.012 * PER_SHARE, rel=1e-3)


@pytest.mark.parametrize(("direction", "axis", "order"), [("k", 0, 1), ("k-", 0, -1), (None, 0, 1), ("j-", 1, -1)])
def test_slices_are_delayed_along_the_direction_that_they_were_read_in(direction, axis, order):
    """Label decays with T1 of blood until its slice is read: the later, the more flow the same difference means."""
    series = pairs(np.full(SHAPE, 12.0))
    times = 0.05 * np.arange(SHAPE[axis])
    fields = FIELDS | {"ASLContext": CONTEXT, "MRAcquisitionType": "2D", "SliceTiming": times.tolist()}
    flow = asl_flow(fields | ({"SliceEncodingDirection": direction} if direction else {}),
                    Image(series, np.eye(4)), None, np.ones(SHAPE, bool))  # fmt: skip
    along = np.moveaxis(flow.cbf, axis, 0)[:, 2, 2]
    assert along == pytest.approx(0.012 * PER_SHARE * np.exp(times[::order] / 1.65), rel=1e-3)


def test_labelling_durations_that_differ_at_one_delay_are_not_mixed():
    """Two durations after one delay and a third pair of times: as from three images of their own."""
    times = [(1.0, 1.0), (1.0, 1.8), (2.0, 1.8)]
    shares = [delivered("PCASL", sum(one), one[1], 1.4, 1.65, 1.65) for one in times]
    flow = 60.0 / 6000 * 2 * 0.85 / 0.9 * 1000 * np.array(shares)  # of M0 = 1000
    images = np.stack([np.full(SHAPE, 1000.0), *(np.full(SHAPE, one) for one in flow)])
    fields = FIELDS | {
        "ASLContext": ["m0scan", *["deltam"] * 3],
        "PostLabelingDelay": [0.0, *(delay for delay, _ in times)],
        "LabelingDuration": [0.0, *(duration for _, duration in times)],
    }
    found = asl_flow(fields, Image(images, np.eye(4)), None, np.ones(SHAPE, bool))
    assert found.cbf == pytest.approx(60.0, rel=0.01) and found.transit_time == pytest.approx(1.4, abs=0.02)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ASLContext": CONTEXT, "MagneticFieldStrength": 7.0}, "asl_field"),
        ({}, "asl_fields_missing"),
        ({"ASLContext": CONTEXT[:4]}, "asl_context"),
        ({"ASLContext": ["m0scan", "control", "control", "control", "label"]}, "asl_pairs"),
        ({"ASLContext": ["n/a", *CONTEXT[1:]]}, "asl_no_m0_image"),
        ({"ASLContext": CONTEXT, "RepetitionTimePreparation": 0}, "asl_m0_repetition_time"),
        ({"ASLContext": CONTEXT, "RepetitionTimePreparation": 2.0}, "asl_tissue_t1"),
        ({"ASLContext": CONTEXT, "PostLabelingDelay": [1.8, 1.8]}, "asl_times_count"),
        ({"ASLContext": CONTEXT, "PostLabelingDelay": 1800.0}, "asl_time"),
    ],
)
def test_what_cannot_be_calibrated_is_absent_with_its_reason(tmp_path, fields, code):
    analysis = analysed(tmp_path, pairs(np.where(LESION, 12.0, 6.0)), fields)
    assert ("a", "CBF") not in analysis.maps
    row = value(analysis, "CBF_ratio_mean")
    assert row.value is None
    assert [flag.code for flag in row.flags] == ["map_not_made", code]


def test_an_m0_without_signal_is_no_infinite_flow(tmp_path):
    analysis = analysed(tmp_path, pairs(np.where(LESION, 12.0, 6.0), m0=0.0), {"ASLContext": CONTEXT})
    assert [reason.code for reason in analysis.absent["a", "CBF_ratio"]] == ["map_not_made", "asl_no_m0"]


def test_exchanged_images_and_unknown_suppression_are_flagged(tmp_path):
    exchanged = ["m0scan", "label", "control", "label", "control"]
    fields = {"ASLContext": exchanged, "BackgroundSuppression": True}
    analysis = analysed(tmp_path, pairs(np.where(LESION, 12.0, 6.0)), fields)
    codes = [flag.code for flag in analysis.maps["a", "CBF"].flags]
    assert codes == ["asl_reversed", "asl_suppression_unknown"]


def test_real_series_with_several_delays_is_calibrated(reference_data):
    """Real multi-delay pCASL as it is acquired: plausible flow of grey matter, transit times, all constants said."""
    folder = reference_data("perfusion/LOAMRI_asltk")

    def read(name):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / name))).astype(float)

    differences, m0 = read("pcasl_mte.nii.gz")[0], read("m0.nii.gz")
    series = Image(np.concatenate([m0[None], differences]), np.eye(4))
    fields = {
        "ArterialSpinLabelingType": "PCASL",
        "MagneticFieldStrength": 3.0,
        "RepetitionTimePreparation": 6.0,
        "MRAcquisitionType": "3D",
        "ASLContext": ["m0scan", *["deltam"] * 7],
        "LabelingDuration": [0.0, 0.1, 0.1, 0.15, 0.15, 0.4, 0.8, 1.8],
        "PostLabelingDelay": [0.0, 0.17, 0.27, 0.37, 0.52, 0.67, 1.07, 1.87],
    }
    brain = read("m0_brain_mask.nii.gz") > 0
    flow = asl_flow(fields, series, None, brain)
    assert 40 < np.median(flow.cbf[flow.quality]) < 110  # a thin slab of cortex and white matter
    assert 0.6 < np.nanmedian(flow.transit_time[flow.quality]) < 1.2
    assert {"blood_t1", "labeling_efficiency", "partition_coefficient"} <= set(flow.constants)
    with pytest.raises(InputError):
        asl_flow(fields | {"PostLabelingDelay": 1.8}, series, None, np.zeros_like(brain))
