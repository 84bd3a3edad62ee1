"""RT dose files: values in Gy in their places, whatever way they say it; broken ones name what is wrong."""

import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write
from dose_writing import dose_file, of_plan, plan_file, registration_file

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats.dicom_dose import (
    prescribed_dose,
    read_dose,
    read_dose_header,
    registrations,
)
from PseudoProgressionAnalyzerLib.measures import InputError

GRAY = np.arange(3 * 4 * 5).reshape(3, 4, 5) * 0.5
CORONAL = (1, 0, 0, 0, 0, -1)


def ras(image, k, j, i):
    """RAS mm of a voxel."""
    return (image.affine @ [i, j, k, 1.0])[:3]


def test_values_and_places_of_an_axial_grid(tmp_path):
    """Position of pixel (i, j) of a plane: PS3.3 C.7.6.2.1.1; LPS to RAS turns the first two signs."""
    dose = read_dose(dose_file(tmp_path / "d.dcm", GRAY, position=(-10, 20, 30), spacing=(2.5, 2)))
    np.testing.assert_allclose(dose.array, GRAY, atol=1e-3)
    np.testing.assert_allclose(ras(dose, 0, 0, 0), [10, -20, 30])
    np.testing.assert_allclose(ras(dose, 2, 3, 4), [10 - 4 * 2, -20 - 3 * 2.5, 30 + 2 * 3])


def test_planes_lie_along_the_normal_of_a_coronal_grid(tmp_path):
    """Rows go to the left, columns down: their normal is (1, 0, 0) x (0, 0, -1) = (0, 1, 0), to the back."""
    dose = read_dose(dose_file(tmp_path / "d.dcm", GRAY, orientation=CORONAL, position=(0, -5, 9)))
    np.testing.assert_allclose(ras(dose, 2, 0, 0), [0, 5 - 2 * 3, 9], atol=1e-9)
    np.testing.assert_allclose(ras(dose, 0, 1, 0), [0, 5, 9 - 2], atol=1e-9)


@pytest.mark.parametrize("offsets", [(0, 3, 6), (30, 33, 36), (0, -3, -6), (30, 27, 24)])
def test_offsets_from_the_first_plane_or_as_z(tmp_path, offsets):
    """C.8.8.3.2: offsets begin with zero, or with the z of the first plane and are z then."""
    file = dose_file(tmp_path / "d.dcm", GRAY, position=(0, 0, 30), GridFrameOffsetVector=list(offsets))
    dose = read_dose(file)
    np.testing.assert_allclose([ras(dose, k, 0, 0)[2] for k in range(3)], [30 + one - offsets[0] for one in offsets])
    np.testing.assert_allclose(dose.array, GRAY, atol=1e-3)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"DoseUnits": "RELATIVE"}, "dose_units"),
        ({"DoseUnits": None}, "dose_units"),
        ({"DoseSummationType": "BEAM"}, "dose_summation"),
        ({"DoseSummationType": None}, "dose_summation"),
        ({"DoseType": "ERROR"}, "dose_type"),
        ({"DoseGridScaling": None}, "dicom_tag_missing"),
        ({"DoseGridScaling": 0}, "dicom_tag_wrong"),
        ({"GridFrameOffsetVector": None}, "dicom_tag_missing"),
        ({"GridFrameOffsetVector": [0, 3]}, "dose_planes"),
        ({"GridFrameOffsetVector": [0, 3, 9]}, "dose_planes"),
        ({"GridFrameOffsetVector": [0, 0, 0]}, "dose_planes"),
        ({"GridFrameOffsetVector": [5, 8, 11]}, "dicom_geometry"),
        ({"ImageOrientationPatient": None}, "dicom_geometry"),
        ({"ImagePositionPatient": None}, "dicom_geometry"),
        ({"PixelSpacing": None}, "dicom_geometry"),
        ({"NumberOfFrames": 4}, "dose_planes"),
    ],
)
def test_a_broken_dose_says_what_is_wrong(tmp_path, tags, code):
    file = dose_file(tmp_path / "d.dcm", GRAY, **tags)
    with pytest.raises(InputError) as raised:
        read_dose(file)
    assert raised.value.message.code == code
    assert "d.dcm" in texts.sentence(raised.value.message)


def test_fewer_pixels_than_planes(tmp_path):
    file = dose_file(tmp_path / "d.dcm", GRAY, NumberOfFrames=4, GridFrameOffsetVector=[0, 3, 6, 9])
    with pytest.raises(InputError) as raised:
        read_dose(file)
    assert raised.value.message.code in ("dicom_truncated", "dicom_pixels_wrong")


def test_a_file_cut_short_or_of_bytes_is_no_dose(tmp_path):
    whole = dose_file(tmp_path / "d.dcm", GRAY).read_bytes()
    for length in (len(whole) // 3, len(whole) - 40):
        (tmp_path / "cut.dcm").write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_dose(tmp_path / "cut.dcm")


def test_header_names_frame_and_plan(tmp_path):
    header = read_dose_header(dose_file(tmp_path / "d.dcm", GRAY, ReferencedRTPlanSequence=of_plan()))
    assert header.frame_of_reference == write.unique("frame", "head")
    assert header.plan == write.unique("plan", "plan")
    assert header.grid.shape == GRAY.shape


def test_compressed_pixels(tmp_path):
    """JPEG 2000 and the like are read by GDCM as those of images: here RLE, which pydicom writes."""
    dataset = pydicom.dcmread(dose_file(tmp_path / "d.dcm", GRAY))
    dataset.PixelData = (np.round(GRAY / 0.002)).astype(np.uint16).tobytes()
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.compress(uid.RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "packed.dcm")
    np.testing.assert_allclose(read_dose(tmp_path / "packed.dcm").array, GRAY, atol=1e-3)


def test_target_doses_of_a_plan(tmp_path):
    assert prescribed_dose(plan_file(tmp_path / "p.dcm", [60])) == (60,)
    assert prescribed_dose(plan_file(tmp_path / "p.dcm", [54, 60, 60])) == (60, 54)
    assert prescribed_dose(plan_file(tmp_path / "p.dcm", [])) == ()


def test_registrations_turn_to_right_anterior_superior(tmp_path):
    """A shift by (1, 2, 3) mm to the left, back and top is one by (-1, -2, 3) to the right, front and top."""
    shift = np.eye(4)
    shift[:3, 3] = 1, 2, 3
    found = registrations(registration_file(tmp_path / "r.dcm", {"ct": shift, "head": np.eye(4)}))
    np.testing.assert_allclose(found[write.unique("frame", "ct")][:3, 3], [-1, -2, 3])
    np.testing.assert_allclose(found[write.unique("frame", "head")], np.eye(4))


def test_a_registration_that_is_not_rigid_is_left_out(tmp_path):
    found = registrations(registration_file(tmp_path / "r.dcm", {"ct": np.diag([2.0, 1, 1, 1])}))
    assert list(found) == [write.unique("frame", "head")]
