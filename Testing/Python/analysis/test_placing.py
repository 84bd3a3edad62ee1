"""A time series through the step: placed, without motion, with its curve, found once; the search itself is replaced."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, placing
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.imaging.motion import Motion
from PseudoProgressionAnalyzerLib.imaging.within import Placed
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Message, Patient, Series, Visit

SHAPE = (8, 12, 12)


def shift(x):
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


@pytest.fixture
def analysis(tmp_path):
    """A blob that lies 3 mm further right in the second of four frames."""
    frames = np.zeros((4, *SHAPE), np.int16)
    for number, start in enumerate((3, 6, 3, 3)):
        frames[number, 3:6, 4:8, start : start + 4] = 100
    write_image(Image(frames, np.eye(4)), tmp_path / "DSC.nii.gz")
    series = Series("DSC", tmp_path / "DSC.nii.gz", {"RepetitionTime": 1.5})
    found = Analysis(Patient("p", [Visit("a", None, [Series("T1CE", "none"), series])]))
    found.images["a", "T1CE"] = Image(frames[0], np.eye(4))
    found.brains["a"] = np.ones(SHAPE, dtype=bool)
    return found


@pytest.fixture
def searched(monkeypatch):
    """What the searches were asked, with known answers."""
    asked = []

    def place(anatomy, series, **more):
        asked.append("place")
        return Placed(shift(2), 2.0, flags=(Message("series_moved", {"series": more["name"], "moved": 2.0}),))

    def move(series, brain, **more):
        asked.append("motion")
        matrices = np.array([shift(0), shift(-3), shift(0), shift(0)])
        return Motion(matrices, np.zeros(3), np.zeros((1, 3)))

    monkeypatch.setattr(placing, "place_series", place)
    monkeypatch.setattr(placing, "find_motion", move)
    return asked


def test_a_series_is_placed_and_its_frames_brought_back(analysis, searched):
    series = analysis.patient.visits[0].of_role("DSC")
    still = placing.read_time_series(analysis, "a", series)
    assert np.abs(still.array[1] - still.array[0]).max() < 1
    np.testing.assert_array_equal(analysis.series_to_visit["a", "DSC"], shift(2))
    curve = analysis.curves["a", "DSC_motion"]
    np.testing.assert_allclose(curve["time"], [0, 1.5, 3, 4.5])
    np.testing.assert_allclose(curve["shift"], [[0, 0, 0], [3, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(curve["displacement"], [0, 3, 0, 0])
    assert [message.code for message in analysis.messages["a"]] == ["series_moved", "series_motion"]
    assert analysis.messages["a"][1].parameters["moved"] == 1
    assert searched == ["place", "motion", "place"]


def test_it_is_found_once(analysis, searched):
    series = analysis.patient.visits[0].of_role("DSC")
    first = placing.read_time_series(analysis, "a", series)
    del searched[:]
    again = placing.read_time_series(analysis, "a", series)
    assert searched == []
    np.testing.assert_allclose(again.array, first.array, atol=1e-3)
    del analysis.curves["a", "DSC_motion"]
    placing.read_time_series(analysis, "a", series)
    assert "motion" in searched


def test_a_single_image_is_refused(analysis, searched, tmp_path):
    write_image(Image(np.ones(SHAPE, np.int16), np.eye(4)), tmp_path / "one.nii.gz")
    with pytest.raises(InputError) as caught:
        placing.read_time_series(analysis, "a", Series("DSC", tmp_path / "one.nii.gz"))
    assert caught.value.message.code == "not_a_time_series"


def test_images_are_placed_and_stand_in_the_visits_space(analysis, searched):
    analysis.images["a", "FLAIR"] = Image(np.ones(SHAPE), np.eye(4))
    placing.place_images(analysis, "a")
    np.testing.assert_array_equal(analysis.series_to_visit["a", "FLAIR"], shift(2))
    np.testing.assert_array_equal(placing.image_on_visit(analysis, "a", "FLAIR").affine, shift(2))
    assert placing.image_on_visit(analysis, "a", "T2") is None
    assert ("a", "T1CE") not in analysis.series_to_visit
