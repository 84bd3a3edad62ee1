"""Metabolite maps that were made elsewhere: from files with a sidecar to measurements, changes and evidence."""

import json
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.mapping import make_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.spectra_changes import protocols
from PseudoProgressionAnalyzerLib.assessment.evidence import NO_WEIGHT_FLAGS
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, Map, Patient, Series, Visit
from PseudoProgressionAnalyzerLib.patient import read

SHAPE = (6, 12, 12)
SAID = {"RatioKind": "molar", "EchoTime": 0.135, "MagneticFieldStrength": 3.0, "Method": "LCModel 6.3"}
FIRST, SECOND = "2023-03-13", "2023-05-08"


def measured(folder, sidecars):
    """A patient folder with a Cho/NAA map of 2 in the first visit's lesion and 3 in the second's, measured."""
    lesion = np.zeros(SHAPE, np.uint8)
    lesion[2:4, 4:8, 4:8] = 1
    for visit, value in ((FIRST, 2.0), (SECOND, 3.0)):
        place = folder / visit
        place.mkdir(parents=True)
        for name, array in (("T1CE", 100 + lesion.astype(np.int16)), ("lesion", lesion)):
            write_image(Image(array, np.eye(4)), place / f"{name}.nii.gz")
        write_image(Image(np.where(lesion, value, 0.4).astype(np.float32), np.eye(4)), place / "Cho_NAA_molar.nii.gz")
        if sidecars.get(visit) is not None:
            (place / "Cho_NAA_molar.json").write_text(json.dumps(sidecars[visit]))
    patient = read(folder)
    assert not patient.problems
    analysis = Analysis(patient, reference_visit=FIRST)
    for visit in patient.visits:
        analysis.visit_to_reference[visit.id] = np.eye(4)
        analysis.images[visit.id, "T1CE"] = Image(100 + lesion.astype(np.int16), np.eye(4))
        for region in patient.regions:
            analysis.regions[region.visit, region.name] = Image(lesion > 0, np.eye(4))
        make_maps(analysis, visit.id)
    measure_visits(analysis)
    return analysis


def rows(analysis, name="Cho_NAA_molar", compared_to=""):
    return [r for r in analysis.measurements if r.name.startswith(name) and r.compared_to == compared_to]


def codes(found):
    return {flag.code for flag in found.flags}


def test_a_map_with_its_sidecar_is_measured_and_compared(tmp_path):
    analysis = measured(tmp_path / "p", {FIRST: SAID, SECOND: SAID})
    first = next(r for r in rows(analysis) if r.visit == FIRST)
    assert first.value == pytest.approx(2.0) and not codes(first) & set(NO_WEIGHT_FLAGS)
    assert "LCModel 6.3, TE 135 ms, 3 T" in first.method
    percent = next(r for r in rows(analysis, "Cho_NAA_molar_percent", FIRST) if r.visit == SECOND)
    assert percent.value == pytest.approx(50.0)


@pytest.mark.parametrize("lacking", [None, *SAID])
def test_a_map_whose_sidecar_does_not_say_it_all_is_shown_and_has_no_weight(tmp_path, lacking):
    said = None if lacking is None else {name: value for name, value in SAID.items() if name != lacking}
    analysis = measured(tmp_path / "p", {FIRST: said, SECOND: SAID})
    assert (FIRST, "Cho_NAA_molar") in analysis.maps
    first, second = (next(r for r in rows(analysis) if r.visit == visit) for visit in (FIRST, SECOND))
    assert first.value == pytest.approx(2.0) and "ratio_map_origin_unknown" in codes(first)
    assert "ratio_map_origin_unknown" not in codes(second)
    for change in (r for name in ("Cho_NAA_molar", "Cho_NAA_molar_percent") for r in rows(analysis, name, FIRST)):
        assert "ratio_map_origin_unknown" in codes(change)  # what follows from it has no weight either
    warnings = {warning.code for warning in analysis.patient.visits[0].warnings}
    assert "ratio_map_unsaid" in warnings


def test_a_map_of_another_kind_than_its_name_has_no_weight(tmp_path):
    analysis = measured(tmp_path / "p", {FIRST: SAID | {"RatioKind": "area"}, SECOND: SAID})
    first = next(r for r in rows(analysis) if r.visit == FIRST)
    assert codes(first) & set(NO_WEIGHT_FLAGS) == {"ratio_map_kind_differs"}


@pytest.mark.parametrize(
    ("other", "code"),
    [({"EchoTime": 0.03}, "spectra_echo_times_differ"), ({"MagneticFieldStrength": 1.5}, "spectra_fields_differ")],
)
def test_maps_of_other_echo_times_or_fields_are_not_compared(tmp_path, other, code):
    analysis = measured(tmp_path / "p", {FIRST: SAID, SECOND: SAID | other})
    changes = rows(analysis, compared_to=FIRST)
    assert changes and all(change.value is None for change in changes)
    assert all(code in codes(change) for change in changes)


@pytest.mark.parametrize("field", [[3.0, 1.5], "3", None])
def test_a_field_that_is_no_number_compares_nothing_and_stops_nothing(field):
    said = {"EchoTime": 0.03, "MagneticFieldStrength": field}
    series = Series("Cho_NAA_molar", Path("x.nii.gz"), said)
    analysis = Analysis(Patient("p", [Visit("a", None, [series])]))
    analysis.maps["a", "Cho_NAA_molar"] = Map(np.ones((2, 2, 2)), np.eye(4))
    assert protocols(analysis) == {}
    said["MagneticFieldStrength"] = 3.0
    assert set(protocols(analysis)) == {("a", "Cho_NAA_molar")}
