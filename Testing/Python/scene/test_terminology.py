"""Codes of segments and maps, read back by Slicer's own classes and held against pydicom's dictionaries."""

import pytest
import slicer
from pydicom.sr.codedict import codes

from PseudoProgressionAnalyzerLib.scene import terminology


@pytest.mark.parametrize(
    ("purpose", "kind", "region"),
    [("lesion", "4147007", "12738006"), ("reference", "68523003", ""), ("free", "85756007", "12738006")],
)
def test_slicer_reads_the_entry(purpose, kind, region):
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    text = terminology.terminology_entry(purpose)
    assert logic.DeserializeTerminologyEntry(text, entry)
    assert entry.GetTypeObject().GetCodeValue() == kind
    assert entry.GetTypeObject().GetCodingSchemeDesignator() == "SCT"
    assert (entry.GetRegionObject().GetCodeValue() or "") == region
    assert logic.SerializeTerminologyEntry(entry) == text


def test_quantities_are_those_of_dicom():
    for value, scheme, meaning in terminology._QUANTITIES.values():
        known = [getattr(codes.DCM, name) for name in codes.DCM.dir(meaning.replace(" ", "").replace("/", "")[:12])]
        assert scheme == "DCM"
        assert (value, meaning) in {(code.value, code.meaning) for code in known}


def test_units_are_those_of_ucum():
    known = {(code.value, code.meaning) for code in (getattr(codes.UCUM, name) for name in codes.UCUM.dir(""))}
    for value, scheme, meaning in terminology._UNITS.values():
        assert scheme == "UCUM"
        assert (value, meaning) in known


def test_unknown_units_are_not_guessed(app):
    node = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "map")
    terminology.code_map(node, "no_such_map", "furlongs")
    assert node.GetVoxelValueUnits() is None
    assert node.GetVoxelValueQuantity() is None
    terminology.code_map(node, "CBF", "ml/100 g/min")
    assert node.GetVoxelValueUnits().GetCodeValue() == "ml/[100]g/min"
    assert node.GetVoxelValueQuantity().GetCodeValue() == "113055"
