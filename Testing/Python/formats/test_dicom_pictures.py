"""Pictures in their colours, each of them known pixel by pixel, and where they lie when their header says it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread, uid

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib.formats.dicom_files import read_dicom_file
from PseudoProgressionAnalyzerLib.formats.dicom_pictures import is_picture, read_picture
from PseudoProgressionAnalyzerLib.formats.dicom_series import split
from PseudoProgressionAnalyzerLib.measures import InputError, Message, Series

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
COLOURS = np.array([[RED, GREEN, BLUE], [WHITE, RED, GREEN]], np.uint8)  # two rows of three
NOWHERE = {"ImageOrientationPatient": None, "ImagePositionPatient": None, "PixelSpacing": None}
CAPTURE = uid.SecondaryCaptureImageStorage


def capture(path, values, kind="RGB", syntax=uid.ExplicitVRLittleEndian, **tags):
    """A secondary capture with these stored values: (rows, columns, 3), frames before them, or one sample each."""
    values = np.asarray(values)
    samples = 3 if kind[0] in "RY" else 1
    several = values.ndim == (4 if samples == 3 else 3)
    where = {} if tags.pop("placed", False) else NOWHERE
    sop = tags.pop("SOPClassUID", CAPTURE)
    dataset = write.instance(np.zeros((2, 2), np.uint8), SOPClassUID=sop, SeriesDescription="CBF colour", **where)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = samples, kind
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = values.shape[1:3] if several else values.shape[:2]
    if several:
        dataset.NumberOfFrames = len(values)
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelData = values.tobytes()
    write.set_tags(dataset, tags)
    if syntax == uid.RLELossless:
        dataset.file_meta = None
        write.save(dataset, path)
        dataset = dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
        return path
    return write.save(dataset, path, syntax)


def series_of(*paths):
    (part,) = split([read_dicom_file(path) for path in paths])
    reason = Message("series_capture", {"series": "CBF colour"})
    return Series("", paths[0], reason=reason, files=tuple(paths), part=part.key, description="CBF colour")


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
def test_rgb_without_a_place_is_a_page(tmp_path, syntax):
    found = read_picture(series_of(capture(tmp_path / "a.dcm", COLOURS, syntax=syntax)))
    assert np.array_equal(found.pixels, COLOURS[None])
    assert (found.affine, found.frame_of_reference) == (None, "")


def test_planes_of_colours_one_after_the_other(tmp_path):
    path = capture(tmp_path / "a.dcm", COLOURS)
    dataset = dcmread(path)
    dataset.PlanarConfiguration, dataset.PixelData = 1, np.moveaxis(COLOURS, -1, 0).tobytes()
    dataset.save_as(path)
    assert np.array_equal(read_picture(series_of(path)).pixels, COLOURS[None])


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(tmp_path, bits):
    table = np.array([RED, GREEN, BLUE, WHITE], np.uint8).T
    entries = table if bits == 8 else table.astype(np.uint16) * 257
    tags = {}
    for name, column in zip(("Red", "Green", "Blue"), entries, strict=True):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, bits]
        tags[f"{name}PaletteColorLookupTableData"] = column.tobytes()
    indices = np.array([[0, 1, 2], [3, 0, 1]], np.uint8)
    path = capture(tmp_path / "a.dcm", indices, kind="PALETTE COLOR", **tags)
    assert np.array_equal(read_picture(series_of(path)).pixels, COLOURS[None])


def test_luminance_and_chrominance(tmp_path):
    """ITU-R BT.601 as in PS3.3 C.7.6.3.1.2: red is (76, 85, 255), green (150, 44, 21), blue (29, 255, 107)."""
    stored = np.array([[(76, 85, 255), (150, 44, 21), (29, 255, 107)]], np.uint8)
    found = read_picture(series_of(capture(tmp_path / "a.dcm", stored, kind="YBR_FULL"))).pixels
    assert np.abs(found[0].astype(int) - COLOURS[:1]).max() <= 2


@pytest.mark.parametrize(("kind", "shown"), [("MONOCHROME2", [0, 51, 255]), ("MONOCHROME1", [255, 204, 0])])
def test_grey_pictures(tmp_path, kind, shown):
    stored = np.array([[100, 300, 1100]], np.uint16)
    found = read_picture(series_of(capture(tmp_path / "a.dcm", stored, kind=kind))).pixels
    assert found.tolist() == [[[[grey] * 3 for grey in shown]]]


def test_several_frames_are_pages_in_their_order(tmp_path):
    pages = np.stack([COLOURS, COLOURS[::-1], 255 - COLOURS])
    path = capture(tmp_path / "a.dcm", pages, SOPClassUID=uid.MultiFrameTrueColorSecondaryCaptureImageStorage)
    assert np.array_equal(read_picture(series_of(path)).pixels, pages)


def test_files_with_an_image_plane_make_a_volume_where_they_lie(tmp_path):
    planes = [COLOURS, 255 - COLOURS, COLOURS[::-1]]
    paths = [
        capture(
            tmp_path / f"{number}.dcm", plane, placed=True, InstanceNumber=3 - number, FrameOfReferenceUID="1.2.3",
            SOPInstanceUID=f"1.2.{number}", ImagePositionPatient=[10, 20, 30 + 4 * number], PixelSpacing=[2, 3],
        )
        for number, plane in enumerate(planes)
    ]  # fmt: skip
    found = read_picture(series_of(*paths))
    assert np.array_equal(found.pixels, np.stack(planes))  # by place, not by number
    expected = np.array([[-3, 0, 0, -10], [0, -2, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]])  # LPS to RAS
    assert np.allclose(found.affine, expected)
    assert found.frame_of_reference == "1.2.3"


def test_jpeg_as_archives_keep_it(tmp_path):
    """A JPEG made by another encoder (SimpleITK's), its colours within what that loses."""
    smooth = np.zeros((16, 16, 3), np.uint8)
    smooth[:8], smooth[8:] = (200, 40, 40), (40, 40, 200)
    jpeg = tmp_path / "a.jpg"
    sitk.WriteImage(sitk.GetImageFromArray(smooth, isVector=True), str(jpeg))
    from pydicom.encaps import encapsulate

    path = capture(tmp_path / "a.dcm", smooth)
    dataset = dcmread(path)
    dataset.PixelData = encapsulate([jpeg.read_bytes()])
    dataset["PixelData"].is_undefined_length = True
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    dataset.save_as(path)
    found = read_picture(series_of(path)).pixels[0].astype(int)
    assert np.abs(found[[2, 13]] - smooth[[2, 13]]).max() <= 12


def test_damage_is_said(tmp_path):
    path = capture(tmp_path / "a.dcm", COLOURS)
    dataset = dcmread(path)
    dataset.PixelData = dataset.PixelData[:8]
    dataset.save_as(path)
    with pytest.raises(InputError) as caught:
        read_picture(series_of(path))
    assert caught.value.message.code == "dicom_truncated"
    dataset.Rows = dataset.Columns = 60000
    dataset.NumberOfFrames = 100
    dataset.save_as(path)
    with pytest.raises(InputError) as caught:
        read_picture(series_of(path))
    assert caught.value.message.code == "dicom_too_large"


def test_only_pictures_are_pictures(tmp_path):
    series = series_of(capture(tmp_path / "a.dcm", COLOURS))
    assert is_picture(series)
    assert not is_picture(Series("T1CE", tmp_path, files=series.files))
    assert not is_picture(Series("", tmp_path, reason=Message("series_localiser"), files=series.files))
