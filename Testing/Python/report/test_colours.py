"""The colour scale is even to the eye, also to eyes without red or green."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.report import colours, figures, svg

# IEC 61966-2-1 primaries to CIE XYZ (D65), and CIE 1976 L*a*b*.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light):
    relative = light @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def evenness(rgb):
    """Smallest and largest colour difference between neighbours over their mean, and the steps in lightness."""
    found = lab(linear(rgb))
    steps = np.linalg.norm(np.diff(found, axis=0), axis=1)
    return steps.min() / steps.mean(), steps.max() / steps.mean(), np.diff(found[:, 0])


def test_lightness_rises_evenly_and_no_step_stands_out():
    smallest, largest, lightness = evenness(colours.heat(np.linspace(0, 1, 101)))
    assert smallest > 0.6
    assert largest < 1.45
    assert lightness.min() > 0.5 * lightness.mean()


def test_a_rainbow_fails_the_same_check():
    share = np.linspace(0, 1, 101)
    rainbow = np.stack([np.clip(1.5 - abs(4 * share - centre), 0, 1) for centre in (3, 2, 1)], axis=-1)
    smallest, largest, lightness = evenness(rainbow)
    assert smallest < 0.6 or largest > 1.45
    assert lightness.min() < 0


def test_the_ends_hold_beyond_the_scale():
    assert np.array_equal(colours.heat(np.array([-5.0, 7.0])), colours.heat(np.array([0.0, 1.0])))


@pytest.mark.parametrize("missing", [0, 1])
def test_without_red_or_green_cones_lightness_still_tells_the_order(missing):
    """Crude but strict: the light of the missing cone's primary is taken away, the rest must still rise."""
    light = linear(colours.heat(np.linspace(0, 1, 101)))
    light[:, missing] = light[:, 1 - missing]
    assert np.diff(lab(light)[:, 0]).min() > 0


def contrast(one, other):
    """Contrast ratio of two colours ``#rrggbb``, 1 to 21 (WCAG 2.1)."""
    channels = np.array([[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in (one, other)])
    dark, light = sorted(linear(channels) @ TO_XYZ[1])
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_the_whole_scale():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the grey that just suffices for text


@pytest.mark.parametrize("ground", ["#ffffff", "#f1f3f5", "#e4e7eb"])
def test_what_is_drawn_stands_out_and_words_are_read(ground):
    """WCAG 2.1: 3 for what is drawn, 4.5 for words."""
    assert min(contrast(colour, ground) for colour in (figures.PROGRESSION, figures.TREATMENT, figures.BAND)) > 3
    assert min(contrast(colour, "#ffffff") for colour in (svg.INK, svg.FAINT)) > 4.5
    assert contrast(svg.INK, figures.BAND) > 3  # the median in its interval
    assert contrast("#9aa5b4", ground) < 3
