"""What the line of news says is next."""

import sys
from types import ModuleType

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

from PseudoProgressionAnalyzerLib.measures import Message, Series

SECOND = "2023-03-01"


@pytest.fixture
def next_step(monkeypatch):
    """The function, with texts as they are written."""
    words = ModuleType("slicer.i18n")
    words.tr = lambda text: text
    monkeypatch.setitem(sys.modules, "slicer.i18n", words)
    monkeypatch.delitem(sys.modules, "PseudoProgressionAnalyzerLib.desktop.next_step", raising=False)
    from PseudoProgressionAnalyzerLib.desktop import next_step as module

    return module.next_step


@pytest.fixture
def loaded(analysis):
    """Nothing aligned yet."""
    analysis.visit_to_reference.clear()
    analysis.alignment.clear()
    return analysis


def aligned(analysis, *codes):
    """Both visits aligned, with these doubts of the second."""
    for visit in analysis.patient.visits:
        analysis.visit_to_reference[visit.id] = 0
        analysis.alignment[visit.id] = {"uncertainty": 0.3}
    analysis.messages[SECOND] = [Message(code) for code in codes]
    return analysis


def test_first_a_patient_then_alignment_and_numbers(next_step, loaded):
    assert "Patient" in next_step(None)
    assert next_step(loaded) == "Next: Align and compute."


def test_a_role_that_is_open_is_to_be_chosen_first(next_step, loaded):
    for name in "ab":
        loaded.patient.visits[1].set_aside.append(
            Series("FLAIR", f"{name}.nii", reason=Message("series_role_open", {"role": "FLAIR"}))
        )
    assert SECOND in next_step(loaded) and "Series of the chosen visit" in next_step(loaded)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), "Aligned. Next: Align and compute."),
        (("registration_uncertain",), f"Aligned. Check by eye: {SECOND}. Next: Align and compute."),
        (
            ("registration_start_kept",),
            f"Aligned. Failed: {SECOND}, use a transform of your own. Next: Align and compute.",
        ),
    ],
)
def test_after_aligning_doubts_come_before_what_is_next(next_step, loaded, codes, expected):
    assert next_step(aligned(loaded, *codes)) == expected


def test_after_computing_the_lesion_is_drawn_or_the_numbers_are_read(next_step, loaded):
    aligned(loaded).finished.add(("step_measure", ""))
    assert "read Measurements" in next_step(loaded)
    loaded.patient.regions.clear()
    assert "draw the lesion" in next_step(loaded)
