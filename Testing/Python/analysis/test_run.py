"""The list of steps: in order, once, cancelled and resumed; and the reading that comes first."""

from concurrent.futures import CancelledError

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis import run as running
from PseudoProgressionAnalyzerLib.analysis.reading import read_region, read_visit
from PseudoProgressionAnalyzerLib.analysis.run import Step, run, start
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Message, Patient, Region, Series, Visit


@pytest.fixture
def three_steps(monkeypatch):
    """Steps that note that they ran, instead of the job's."""
    ran = []
    listed = [
        Step(code, "a", lambda report, asked, code=code: (report(0.5), ran.append(code))) for code in ("x", "y", "z")
    ]
    monkeypatch.setattr(running, "steps", lambda analysis: listed)
    return ran


def test_steps_run_once_and_in_order(three_steps):
    analysis = Analysis(Patient("p", []))
    shares = []
    run(analysis, lambda message, share: shares.append(share))
    run(analysis)
    assert three_steps == ["x", "y", "z"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_cancelled_and_resumed(three_steps):
    analysis = Analysis(Patient("p", []))
    with pytest.raises(CancelledError):
        run(analysis, cancelled=lambda: len(three_steps) == 2)
    assert three_steps == ["x", "y"]
    run(analysis)
    assert three_steps == ["x", "y", "z"]


def test_a_failed_step_is_run_again(three_steps, monkeypatch):
    def fail(report, asked):
        raise InputError("image_flat", file="f", role="T1CE")

    analysis = Analysis(Patient("p", []))
    listed = running.steps(analysis)
    monkeypatch.setattr(running, "steps", lambda analysis: [listed[0], Step("y", "a", fail), listed[2]])
    with pytest.raises(InputError):
        run(analysis)
    monkeypatch.setattr(running, "steps", lambda analysis: listed)
    run(analysis)
    assert three_steps == ["x", "y", "z"]


def test_only_up_to_a_step(three_steps):
    run(Analysis(Patient("p", [])), last_step="y")
    assert three_steps == ["x", "y"]


def test_nothing_starts_on_a_problem_or_without_t1ce():
    with pytest.raises(InputError) as error:
        start(Patient("p", [], problems=[Message("folder_not_a_date", {"file": "f", "name": "n"})]))
    assert error.value.message.code == "folder_not_a_date"
    with pytest.raises(InputError) as error:
        start(Patient("p", [Visit("a", None)]))
    assert error.value.message.code == "nothing_to_measure"


def put(path, array):
    write_image(Image(np.asarray(array), np.eye(4)), path)
    return path


def test_labels_are_never_guessed(tmp_path):
    labels = np.zeros((3, 4, 5), dtype=np.uint8)
    labels[1, 1, 1:3] = 1
    labels[2, 2, 1:4] = 4
    anatomy = Image(np.zeros((3, 4, 5)), np.eye(4))
    path = put(tmp_path / "mask.nii.gz", labels)
    with pytest.raises(InputError) as error:
        read_region(Region("lesion", "a", "lesion", path), anatomy)
    assert error.value.message.code == "mask_labels"
    assert error.value.message.parameters["labels"] == "1, 4"
    assert read_region(Region("lesion", "a", "lesion", path, label=4), anatomy).array.sum() == 3
    with pytest.raises(InputError) as error:
        read_region(Region("lesion", "a", "lesion", path, label=2), anatomy)
    assert error.value.message.code == "mask_empty"
    with pytest.raises(InputError) as error:
        read_region(Region("lesion", "a", "lesion", path), Image(np.zeros((3, 4, 6)), np.eye(4)))
    assert error.value.message.code == "mask_on_other_grid"


def test_a_flat_image_is_refused(tmp_path):
    path = put(tmp_path / "T1CE.nii.gz", np.full((3, 4, 5), 7, dtype=np.int16))
    analysis = Analysis(Patient("p", [Visit("a", None, [Series("T1CE", path)])]))
    with pytest.raises(InputError) as error:
        read_visit(analysis, "a")
    assert error.value.message.code == "image_flat"
    assert str(path) == error.value.message.parameters["file"]


def test_what_is_no_number_is_nothing_in_an_image(tmp_path):
    """Infinity would become the largest number there is and hide the head from every threshold."""
    values = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    values[1, 1, :3] = np.inf, -np.inf, np.nan
    path = put(tmp_path / "T1CE.nrrd", values)
    analysis = Analysis(Patient("p", [Visit("a", None, [Series("T1CE", path)])]))
    read_visit(analysis, "a")
    assert analysis.images["a", "T1CE"].array[1, 1].tolist() == [0, 0, 0, 28, 29]
    assert analysis.images["a", "T1CE"].array.max() == 59
