"""Windows, scales and colours: alike in all visits, and anatomy stays visible."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image, Map
from PseudoProgressionAnalyzerLib.scene import colours, display
from PseudoProgressionAnalyzerLib.scene.build import build_scene

EYE = np.eye(4)


def head(gain, lesion_share, background=0.0):
    """A brain of 100 to 120 with a lesion of 300, times a gain, in a dark surrounding; and where the brain is."""
    random = np.random.default_rng(3)
    array = np.full((20, 20, 20), background)
    brain = np.zeros(array.shape, dtype=bool)
    brain[4:16, 4:16, 4:16] = True
    values = random.uniform(100, 120, brain.sum())
    values[: int(lesion_share * values.size)] = 300
    array[brain] = values
    return Image(gain * array, EYE), brain


@pytest.mark.parametrize("with_brain", [True, False])
def test_equal_tissue_looks_alike_whatever_the_scanner_s_gain_and_the_lesion_s_size(with_brain):
    images = {"a": head(1.0, 0.02), "b": head(7.0, 0.3), "c": head(0.1, 0.0)}
    if not with_brain:
        images = {visit: (image, None) for visit, (image, _) in images.items()}
    windows = display.grey_windows(images)
    grey = {}
    for visit, gain in (("a", 1.0), ("b", 7.0), ("c", 0.1)):
        black, white = windows[visit]
        grey[visit] = [(gain * value - black) / (white - black) for value in (110, 300)]
    for visit in "abc":
        assert grey[visit] == pytest.approx(grey["a"], rel=0.06)
        assert 0.2 < grey[visit][0] < 0.5
        assert grey[visit][1] == pytest.approx(1.0, abs=0.06)


def test_an_image_without_contrast_has_a_window():
    for values in (np.zeros((3, 3, 3)), np.full((3, 3, 3), 5.0), np.full((3, 3, 3), np.nan)):
        ((black, white),) = display.grey_windows({"a": (Image(values, EYE), None)}).values()
        assert white > black


def a_map(lesion, name="rCBV_ratio"):
    random = np.random.default_rng(5)
    values = random.uniform(0.8, 1.2, (16, 16, 16))
    values[2:6, 2:6, 2:6] = lesion
    reference = np.zeros(values.shape, dtype=bool)
    reference[10:14, 10:14, 10:14] = True
    return Map(values, EYE, name, "1", ""), Image(reference, EYE), EYE


def test_a_map_is_shown_where_it_exceeds_the_reference_tissue():
    scale = display.scale_of([a_map(3.0), a_map(4.0)])
    assert 1.1 < scale.low <= 1.2  # 95 % of 0.8 to 1.2, two digits
    assert 3.5 < scale.high <= 4.0
    shown = np.mean([values.array > scale.low for values, _, _ in (a_map(3.0), a_map(4.0))])
    assert shown < 0.15


def test_without_reference_tissue_the_highest_quarter_is_shown():
    values, _, _ = a_map(3.0)
    scale = display.scale_of([(values, None, None)])
    assert np.mean(values.array > scale.low) == pytest.approx(0.25, abs=0.05)


def test_values_that_cannot_be_trusted_make_no_scale():
    values, reference, matrix = a_map(3.0)
    values.quality = values.array < 2
    values.array[8, 8, 8] = np.nan
    assert display.scale_of([(values, reference, matrix)]).high < 2.9  # the lesion of 3 is not among them
    values.quality[:] = False
    assert display.scale_of([(values, reference, matrix)]) is None
    assert display.scale_of([]) is None


def test_a_flat_map_has_a_scale():
    flat = Map(np.full((4, 4, 4), 2.0), EYE, "x", "1", "")
    scale = display.scale_of([(flat, None, None)])
    assert scale.high > scale.low


def test_colours_rise_evenly_in_lightness(app):
    """CIE L* by its definition (CIE 15:2004) from sRGB (IEC 61966-2-1) along the scale."""
    patient = app.scene.AddNewNodeByClass("vtkMRMLTextNode", "p")
    table = colours.heat_colours(patient)
    assert colours.heat_colours(patient) is table
    colour, lightness = [0.0] * 4, []
    for step in np.linspace(0, table.GetNumberOfColors() - 1, 12).astype(int):
        table.GetColor(int(step), colour)
        rgb = np.array(colour[:3])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        lightness.append(116 * np.cbrt(luminance) - 16)
    steps = np.diff(lightness)
    assert np.all(steps > 0)
    assert lightness[0] < 25
    assert lightness[-1] > 90
    assert steps.max() < 2.5 * steps.min()


def test_leakage_has_zero_in_the_middle_of_its_scale_and_classes_hide_what_did_not_change():
    values = np.linspace(-0.02, 0.01, 1000).reshape(10, 10, 10)
    leakage = [(Map(values, EYE, "K2", "1/s", ""), None, None)]
    scale = display.scale_of_name("K2", leakage)
    assert scale.low == -scale.high == pytest.approx(-0.02, rel=0.05)
    classes = Map(np.array([[[0.0, 1.0, 2.0, np.nan]]]), EYE, "rCBV_response", "1", "")
    assert display.scale_of_name("rCBV_response", [(classes, None, None)]) == display.Scale(1.0, 2.0)
    assert display.scale_of_name("rCBV_ratio", [a_map(3.0)]) == display.scale_of([a_map(3.0)])
    nothing = Map(np.full((2, 2, 2), np.nan), EYE, "K2", "1/s", "")
    assert display.scale_of_name("K2", [(nothing, None, None)]) is None


def table_of(app, name):
    patient = app.scene.AddNewNodeByClass("vtkMRMLTextNode", "patient")
    node = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    display.show_map(node, patient, name, display.Scale(-1.0, 1.0))
    table = node.GetDisplayNode().GetColorNode()
    entries = np.zeros((table.GetNumberOfColors(), 4))
    for step, colour in enumerate(entries):
        table.GetColor(step, colour)
    return table, entries


def test_colours_of_signs(app):
    _, entries = table_of(app, "K2")
    assert entries[0, 2] > entries[0, 0]  # blue for less
    assert entries[-1, 0] > entries[-1, 2]  # orange for more
    assert entries[128, :3].max() < 0.2


def test_classes_have_two_colours_with_words(app):
    table, entries = table_of(app, "rCBV_response")
    assert [table.GetColorName(step) for step in range(len(entries))] == ["decreased", "increased"]
    assert entries[0, 2] > entries[0, 0]
    assert entries[1, 0] > entries[1, 2]
    assert entries[:, 3].min() == 1


def test_segments_that_were_visible_are_shown_again_and_no_others(app, phantom, tmp_path):
    analysis = phantom.make_analysis(tmp_path)
    patient = build_scene(app, analysis)
    everything = display.shown_segments(patient)
    (hidden, segment), *others = everything
    assert len(others) >= 2
    hidden.SetSegmentVisibility(segment, False)
    assert display.shown_segments(patient) == others
    for node, name in others:
        node.SetSegmentVisibility(name, False)
    display.show_segments(others)
    assert display.shown_segments(patient) == others
    app.scene.Clear()
    display.show_segments(everything)  # they are in no scene any more: nothing happens
