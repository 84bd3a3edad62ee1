"""Sidecars: BIDS fields, and units that cannot be right."""

import json

import pytest

from PseudoProgressionAnalyzerLib.formats.sidecars import check_fields, missing_fields, read_sidecar, sidecar_path, stem
from PseudoProgressionAnalyzerLib.measures import InputError


@pytest.mark.parametrize(
    ("name", "expected"), [("DSC.nii.gz", "DSC"), ("a.b.NRRD", "a.b"), ("T1CE.nii", "T1CE"), ("x.json", "x")]
)
def test_stem(tmp_path, name, expected):
    assert stem(tmp_path / name) == expected
    assert sidecar_path(tmp_path / name).name == expected + ".json"


def test_fields_are_read_and_missing_ones_named(tmp_path):
    image = tmp_path / "DSC.nii.gz"
    assert read_sidecar(image) == {}
    (tmp_path / "DSC.json").write_text(json.dumps({"EchoTime": 0.03}))
    fields = read_sidecar(image)
    assert fields == {"EchoTime": 0.03}
    message = missing_fields(image, fields, ("EchoTime", "RepetitionTime"))
    assert message.parameters == {"file": str(tmp_path / "DSC.json"), "fields": "RepetitionTime"}
    assert missing_fields(image, {"EchoTime": 1, "RepetitionTime": 1}, ("EchoTime", "RepetitionTime")) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("EchoTime", 30),
        ("RepetitionTime", 1500),
        ("RepetitionTime", -1.5),
        ("RepetitionTime", 0),
        ("EchoTime", "0.03"),
        ("EchoTime", True),
        ("FlipAngle", 720),
        ("MagneticFieldStrength", 30000),
        ("EchoTime", None),
    ],
)
def test_wrong_units_are_refused(tmp_path, field, value):
    (tmp_path / "DSC.json").write_text(json.dumps({field: value}))
    with pytest.raises(InputError) as error:
        read_sidecar(tmp_path / "DSC.nii.gz")
    assert error.value.message.code == "field_implausible"
    assert error.value.message.parameters["field"] == field


def test_a_syntax_error_names_the_line(tmp_path):
    (tmp_path / "DSC.json").write_text('{\n "EchoTime": 0.03,\n}')
    with pytest.raises(InputError) as error:
        read_sidecar(tmp_path / "DSC.nii.gz")
    assert error.value.message.code == "json_syntax"
    assert error.value.message.parameters["line"] == 3


@pytest.mark.parametrize("content", ["[1, 2]", "3", '"text"'])
def test_something_else_than_an_object_is_refused(tmp_path, content):
    (tmp_path / "DSC.json").write_text(content)
    with pytest.raises(InputError) as error:
        read_sidecar(tmp_path / "DSC.nii.gz")
    assert error.value.message.code == "json_not_an_object"


def test_a_list_of_one_number_is_the_number(tmp_path):
    fields = {"MagneticFieldStrength": [3.0], "EchoTime": [0.03, 0.06]}
    check_fields(tmp_path / "x.json", fields)
    assert fields == {"MagneticFieldStrength": 3.0, "EchoTime": [0.03, 0.06]}


def test_a_number_that_is_said_of_each_image_is_the_number(tmp_path):
    fields = {"MagneticFieldStrength": [3, 3], "PostLabelingDelay": [1.0, 1.0], "RepetitionTime": [1.5, 1.5, 1.5]}
    check_fields(tmp_path / "x.json", fields)
    assert fields == {"MagneticFieldStrength": 3, "PostLabelingDelay": [1.0, 1.0], "RepetitionTime": 1.5}


def test_a_list_where_one_number_is_needed_is_said(tmp_path):
    """It ended the analysis in the middle of it: an echo time of two echoes is no echo time."""
    for values, shown in (([0.02, 0.05], "0.02, 0.05"), ([], "empty")):
        fields = {"EchoTime": values, "RepetitionTime": 1.5}
        message = missing_fields(tmp_path / "DSC.nii.gz", fields, ("EchoTime", "RepetitionTime"))
        assert message.code == "field_several"
        assert (message.parameters["field"], message.parameters["values"]) == ("EchoTime", shown)
