"""DICOM series against known values in known places: geometry, order in time, scaling, compression, vendors."""

import base64
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib.formats.dicom_files import dicom_paths, read_dicom_file
from PseudoProgressionAnalyzerLib.formats.dicom_mosaic import csa_fields
from PseudoProgressionAnalyzerLib.formats.dicom_pixels import stored_frames
from PseudoProgressionAnalyzerLib.formats.dicom_series import arrange, by_series, split
from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.formats.series import read_mask, read_series, read_series_header
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Region, Series

VOLUME = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6) * 7
TIMES = (np.arange(6 * 3 * 4 * 5) * 13 % 4001).astype(np.uint16).reshape(6, 3, 4, 5)


def series_of(folder, role="T1CE", part=""):
    files = tuple(dicom_paths(folder))
    return Series(role, files[0], files=files, part=part)


def read(folder, **how):
    return read_series(series_of(folder, **how))


def test_a_volume_lies_where_its_header_says(tmp_path):
    write.volume(tmp_path, VOLUME, PixelSpacing=[0.5, 0.75], step=3.0)
    image = read(tmp_path)
    assert np.array_equal(image.array, VOLUME)
    # Columns run to the patient's left and rows to the back: minus x and minus y in RAS.
    expected = np.array([[-0.75, 0, 0, 0], [0, -0.5, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
    assert np.allclose(image.affine, expected)
    header = read_series_header(series_of(tmp_path))
    assert header.shape == image.shape
    assert np.allclose(header.affine, image.affine)


def test_a_gap_that_is_written_as_spacing_changes_nothing(tmp_path):
    """5 mm of slice and 1 mm of gap: the positions are 6 mm apart, and no slice is lost."""
    files = write.volume(tmp_path, VOLUME, step=6.0, SliceThickness=5, SpacingBetweenSlices=1)
    image = read(tmp_path)
    assert np.array_equal(image.array, VOLUME) and image.spacing[2] == pytest.approx(6.0)
    for number, file in enumerate(files):  # the same with every number skipped between: slices were lost
        dataset = pydicom.dcmread(file)
        dataset.InstanceNumber = 1 + 6 * number
        dataset.save_as(file)
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.message.code == "dicom_missing_slices"


@pytest.mark.parametrize("rows", [(1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0)])
def test_geometry_equals_itk(tmp_path, rows):
    normal = np.cross(rows[:3], rows[3:])
    for k, plane in enumerate(VOLUME):
        position = (np.array([10.0, -20.0, 30.0]) + normal * 2.5 * k).tolist()
        tags = {"ImageOrientationPatient": list(rows), "ImagePositionPatient": position}
        write.save(write.instance(plane, number=9 - k, **tags), tmp_path / f"{9 - k}.dcm")
    image = read(tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    truth = reader.Execute()
    for index in ((0, 0, 0), (5, 4, 3), (2, 1, 3)):
        x, y, z = truth.TransformIndexToPhysicalPoint(index)
        assert np.allclose((image.affine @ [*index, 1])[:3], (-x, -y, z), atol=1e-4)
    assert np.array_equal(image.array, sitk.GetArrayFromImage(truth))


def test_the_order_of_files_does_not_matter(tmp_path):
    paths = write.volume(tmp_path, VOLUME)
    names = list(range(len(paths)))
    random.Random(3).shuffle(names)
    for number, path in zip(names, paths, strict=True):
        path.rename(tmp_path / f"x{number}")
    assert np.array_equal(read(tmp_path).array, VOLUME)


def test_a_file_that_is_there_twice_counts_once(tmp_path):
    paths = write.volume(tmp_path, VOLUME)
    (tmp_path / "copy.dcm").write_bytes(paths[2].read_bytes())
    (files,) = by_series(read_dicom_file(path) for path in dicom_paths(tmp_path)).values()
    assert len(files) == 4


@pytest.mark.parametrize("order", ["time", "slice"])
@pytest.mark.parametrize("clock", ["AcquisitionTime", "TriggerTime", "TemporalPositionIdentifier", "none"])
def test_time_points_in_acquisition_order(tmp_path, order, clock):
    write.time_series(tmp_path, TIMES, order=order, clock=clock)
    series = series_of(tmp_path, "DSC")
    assert np.array_equal(read_series(series).array, TIMES)
    (part,) = split([read_dicom_file(path) for path in series.files])
    arranged = arrange(part)
    known = clock in ("AcquisitionTime", "TriggerTime")
    assert arranged.interval == (pytest.approx(1.5) if known else None)
    assert [note.code for note in arranged.notes] == (["dicom_time_by_instance"] if clock == "none" else [])


def test_a_clock_of_whole_seconds_tells_the_mean_time_between_frames(tmp_path):
    """Every 1.4 s, written as whole seconds: steps of 1 and of 2, of which neither is the time between frames."""
    for t, frame in enumerate(TIMES):
        for k, plane in enumerate(frame):
            when = {"AcquisitionTime": f"1200{int(1.4 * t):02d}", "ImagePositionPatient": [0, 0, 2 * k]}
            number = t * len(frame) + k + 1
            write.save(write.instance(plane, number=number, **when), tmp_path / f"{number}.dcm")
    (part,) = split([read_dicom_file(path) for path in dicom_paths(tmp_path)])
    found = arrange(part)
    assert found.interval == pytest.approx(7 / 5) and found.notes == ()


def test_time_is_believed_more_than_image_numbers(tmp_path):
    for t in range(3):
        for k in range(2):
            tags = {"ImagePositionPatient": [0, 0, 2 * k], "AcquisitionTime": f"1200{10 * t:02d}"}
            number = 100 - 2 * t - k  # the scanner numbers backwards
            write.save(write.instance(TIMES[t, k], number=number, **tags), tmp_path / f"{number}.dcm")
    assert np.array_equal(read(tmp_path).array, TIMES[:3, :2])


def test_slope_and_intercept_of_each_slice(tmp_path):
    for k, plane in enumerate(VOLUME):
        tags = {"ImagePositionPatient": [0, 0, 2 * k], "RescaleSlope": k + 1, "RescaleIntercept": -5}
        write.save(write.instance(plane, number=k, **tags), tmp_path / f"{k}.dcm")
    expected = VOLUME * (1 + np.arange(4))[:, None, None] - 5.0
    assert np.allclose(read(tmp_path).array, expected)


def philips(dataset, scale, label=None):
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", scale)
    if label:
        dataset.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(0x29, "CS", label)
    return dataset


def test_philips_scale_slope_makes_signal(tmp_path):
    dataset = write.instance(VOLUME[0], RescaleSlope=2, RescaleIntercept=4)
    write.save(philips(dataset, 0.25), tmp_path / "a.dcm")
    assert np.allclose(read(tmp_path).array[0], (VOLUME[0] * 2.0 + 4) / (2 * 0.25))


def test_a_map_has_its_real_world_values(tmp_path):
    dataset = write.instance(VOLUME[0], RescaleSlope=2)
    item = Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 0.01, 0.5
    dataset.RealWorldValueMappingSequence = [item]
    write.save(philips(dataset, 0.25), tmp_path / "a.dcm")
    assert np.allclose(read(tmp_path, role="ADC").array[0], VOLUME[0] * 0.01 + 0.5)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize(("value", "limit", "held"), [(-32768, None, 1), (-9, -7, 3), (None, None, 0)])
def test_padding_is_no_value_of_a_map(tmp_path, syntax, value, limit, held):
    """Background that stands for nothing would pull the mean of a region at its edge to thousands below zero."""
    values = VOLUME[0].astype(np.int16)
    values[0, 0], values[1, :3] = -32768, (-9, -8, -7)
    tags = {"PixelPaddingValue": value, "PixelPaddingRangeLimit": limit, "RescaleSlope": 2, "RescaleIntercept": 1}
    write.save(write.instance(values, **tags), tmp_path / "a.dcm", syntax)
    expected = values * 2.0 + 1
    np.testing.assert_array_equal(read(tmp_path).array[0], expected)
    found = read(tmp_path, role="ADC").array[0]
    assert np.isnan(found).sum() == held
    np.testing.assert_array_equal(found[np.isfinite(found)], expected[np.isfinite(found)])


def test_philips_label_and_control_of_one_time_point(tmp_path):
    number = 0
    for t in range(2):
        for label in ("LABEL", "CONTROL"):
            number += 1
            dataset = write.instance(TIMES[number, 0], number=number, TemporalPositionIdentifier=t + 1)
            write.save(philips(dataset, 1.0, label), tmp_path / f"{number}.dcm")
    (part,) = split([read_dicom_file(path) for path in dicom_paths(tmp_path)])
    assert arrange(part).labels == ("label", "control", "label", "control")
    assert np.array_equal(read(tmp_path).array, TIMES[1:5, :1])


def test_two_echoes_are_two_series(tmp_path):
    for echo in (10, 30):
        write.time_series(tmp_path / str(echo), TIMES + echo, EchoTime=echo)
    parts = split([read_dicom_file(path) for path in dicom_paths(tmp_path)])
    assert [part.frames[0].echo_time for part in parts] == [0.01, 0.03]
    for part, echo in zip(parts, (10, 30), strict=True):
        assert np.array_equal(read(tmp_path, part=part.key).array, TIMES + echo)


def test_magnitude_and_phase_are_apart(tmp_path):
    write.save(write.instance(VOLUME[0], number=1), tmp_path / "m.dcm")
    write.save(write.instance(VOLUME[1], number=2, ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]), tmp_path / "p.dcm")
    parts = split([read_dicom_file(path) for path in dicom_paths(tmp_path)])
    assert sorted(part.frames[0].component for part in parts) == ["M", "P"]


# 12 x 16 values (37 row + 11 column), packed once by CharLS as JPEG-LS with 10 bits.
JPEG_LS = (
    "/9j/9wALCgAMABABAREA/9oACAEBAAAAAJVVVNH/KqaP+7zcNLKJIe5rGO7sxYNZmZVVVVVVlCjbbbaSSRImkkkkkkkQJJJVVVXiKqqqquEFVX/p"
    "9/98PP9/h1//ecf/fv/Z"
)  # fmt: skip


@pytest.mark.parametrize("kind", ["RLE", "JPEG", "JPEG2000", "JPEG-LS"])
@pytest.mark.parametrize("slope", [1, 2.5])
def test_compressed_pixels(tmp_path, kind, slope):
    values = (37 * np.arange(12)[:, None] + 11 * np.arange(16)[None]).astype(np.uint16)
    dataset = write.instance(values, RescaleSlope=slope)
    path = tmp_path / "a.dcm"
    if kind == "RLE":
        dataset.file_meta = FileMetaDataset()
        dataset.compress(uid.RLELossless, values)
        syntax = uid.RLELossless
    elif kind == "JPEG-LS":
        dataset.PixelData = encapsulate([base64.b64decode(JPEG_LS)])
        dataset["PixelData"].is_undefined_length = True
        dataset.BitsStored, dataset.HighBit = 10, 9
        syntax = uid.JPEGLSLossless
    else:
        writer = sitk.ImageFileWriter()
        writer.SetFileName(str(tmp_path / "packed"))
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(kind)
        writer.Execute(sitk.GetImageFromArray(values[None]))
        packed = pydicom.dcmread(tmp_path / "packed")
        (tmp_path / "packed").unlink()
        dataset["PixelData"] = packed["PixelData"]
        syntax = packed.file_meta.TransferSyntaxUID
    assert syntax.is_compressed
    write.save(dataset, path, syntax)
    assert np.allclose(read(tmp_path).array[0], values * slope)


def test_signed_and_narrow_values(tmp_path):
    values = np.array([[-2048, -1, 0, 2047]], np.int16)
    write.save(write.instance(values), tmp_path / "full.dcm")
    assert np.array_equal(read(tmp_path).array[0], values)
    narrow = write.instance(values, BitsStored=12, HighBit=11)
    narrow.PixelData = ((values.view(np.uint16) & 0x0FFF) | 0xA000).astype(np.uint16).tobytes()  # overlay bits above
    write.save(narrow, tmp_path / "full.dcm")
    assert np.array_equal(read(tmp_path).array[0], values)


def test_big_endian_equals_its_little_endian_twin(reference_data):
    folder = reference_data("longitudinal/pydicom-data")
    little, big = (stored_frames(folder / name) for name in ("emri_small.dcm", "emri_small_big_endian.dcm"))
    assert little.shape == (10, 64, 64)
    assert np.array_equal(little, big)


def test_enhanced_frames_in_place_and_time(tmp_path):
    frames, values = [], []
    for k in (2, 0, 1):
        for t in (1, 0):
            frames.append(
                {
                    "PlanePositionSequence": {"ImagePositionPatient": [0, 0, 2 * k]},
                    "FrameContentSequence": {"TemporalPositionIndex": t + 1},
                    "MREchoSequence": {"EffectiveEchoTime": 30.0},
                    "PixelValueTransformationSequence": {"RescaleSlope": 1 + t, "RescaleIntercept": 0},
                }
            )
            values.append(TIMES[t, k])
    write.save(write.enhanced(np.array(values), frames), tmp_path / "e.dcm")
    image = read(tmp_path, role="DSC")
    assert np.allclose(image.array, TIMES[:2] * np.array([1.0, 2.0])[:, None, None, None])
    file = read_dicom_file(tmp_path / "e.dcm")
    assert file.acquisition["EchoTime"] == pytest.approx(0.03)
    assert file.acquisition["RepetitionTime"] == pytest.approx(1.5)
    assert file.acquisition["FlipAngle"] == 60


def csa(**fields):
    block = b"SV10" + b"\4\3\2\1" + struct.pack("<II", len(fields), 77)
    for name, values in fields.items():
        block += name.encode().ljust(64, b"\0") + struct.pack("<i4sIII", len(values), b"FD\0\0", 3, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            block += struct.pack("<IIII", len(text), len(text), 77, len(text)) + text.ljust(
                (len(text) + 3) // 4 * 4, b"\0"
            )
    return block


@pytest.mark.parametrize("dated", [False, True])
def test_a_series_over_midnight_stays_in_order(tmp_path, dated):
    """Also without a date, and numbered the other way round, so that the times alone tell."""
    write.time_series(tmp_path, TIMES)
    clock = [("20230508", when) for when in ("235957.5", "235959")]
    clock += [("20230509", when) for when in ("000000.5", "000002", "000003.5", "000005")]
    for file in dicom_paths(tmp_path):
        dataset = pydicom.dcmread(file)
        t = (dataset.InstanceNumber - 1) // 3
        dataset.AcquisitionTime = clock[t][1]
        dataset.InstanceNumber = 100 - dataset.InstanceNumber
        if dated:
            dataset.AcquisitionDate = clock[t][0]
        dataset.save_as(file)
    series = series_of(tmp_path, "DSC")
    assert np.array_equal(read_series(series).array, TIMES)
    (part,) = split([read_dicom_file(path) for path in series.files])
    assert arrange(part).interval == pytest.approx(1.5)


def mosaic(values, t, normal=("0.0", "0.0", "1.0")):
    """Three slices 4 x 5 as 2 x 2 tiles; the header's position is that of the mosaic as one large slice."""
    tiles = np.zeros((8, 10), np.uint16)
    for k in range(3):
        tiles[4 * (k // 2) : 4 * (k // 2) + 4, 5 * (k % 2) : 5 * (k % 2) + 5] = values[k]
    dataset = write.instance(
        tiles,
        number=t + 1,
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        ImagePositionPatient=[100 - 2.5, 200 - 2.0, 300],
        SpacingBetweenSlices=4,
        AcquisitionTime=f"1200{2 * t:02d}",
    )
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 3)
    header = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    header.add_new(0x10, "OB", csa(SliceNormalVector=normal))
    return dataset


def test_a_mosaic_is_a_stack(tmp_path):
    for t in range(2):
        write.save(mosaic(TIMES[t], t), tmp_path / f"{t}.dcm")
    image = read(tmp_path, role="DSC")
    assert np.array_equal(image.array, TIMES[:2])
    assert np.allclose((image.affine @ [0, 0, 0, 1])[:3], (-100, -200, 300))
    assert np.allclose(image.affine[:3, 2], (0, 0, 4))


def test_a_mosaic_stacked_the_other_way(tmp_path):
    write.save(mosaic(TIMES[0], 0, normal=("0.0", "0.0", "-1.0")), tmp_path / "a.dcm")
    assert np.allclose(read(tmp_path).affine[:3, 2], (0, 0, -4))


def test_a_real_siemens_header_is_understood(reference_data):
    dataset = pydicom.dcmread(reference_data("spectroscopy/suspect/SVS_30.IMA"), force=True)
    fields = csa_fields(bytes(dataset.get_private_item(0x0029, 0x10, "SIEMENS CSA HEADER").value))
    assert fields["ImagedNucleus"] == ["1H"]
    assert float(fields["EchoTime"][0]) == 30.0


def test_segments_on_the_image_they_were_drawn_on(tmp_path):
    files = write.volume(tmp_path / "t1", VOLUME)
    truth = np.zeros((2, *VOLUME.shape), bool)
    truth[0, 1, 2:4, 1:3] = truth[0, 3, 0, 5] = truth[1, 1, 2:5, 0] = True
    frames = [(1, 3), (2, 1), (1, 1)]  # segment and slice, in no order
    path = write.segmentation(
        tmp_path / "seg" / "s.dcm",
        [truth[number - 1, k] for number, k in frames],
        [(number, (0, 0, 2 * k)) for number, k in frames],
        labels=["enhancing lesion", "edema"],
        reference=read_dicom_file(files[0]).series_uid,
    )
    grid = read(tmp_path / "t1")
    for number in (1, 2):
        mask = read_mask(Region("x", "v", "lesion", path, number), grid)
        assert np.array_equal(mask.array > 0, truth[number - 1])
        assert set(np.unique(mask.array)) == {0, number}
    shifted = Image(grid.array, grid.affine @ np.array([[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    for region, on, code in (
        (Region("x", "v", "lesion", path, 1), shifted, "mask_on_other_grid"),
        (Region("x", "v", "lesion", path, 3), grid, "segment_missing"),
        (Region("x", "v", "lesion", path), grid, "segment_unsaid"),
    ):
        with pytest.raises(InputError) as error:
            read_mask(region, on)
        assert error.value.message.code == code


def test_a_real_segmentation_has_its_segments(reference_data):
    file = read_dicom_file(reference_data("longitudinal/QIICR_dcmqi/partial_overlaps.dcm"))
    assert [label for _, label in file.segments] == ["GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE"]
    assert [frame.segment for frame in file.frames] == [1, 2, 3, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("folder", "truth"),
    [
        ("402_SOURCE_-_3D_pCASL_6mm", "402_SOURCE_-_3D_pCASL_6mm_classic.nii"),
        ("401_3D_pCASL_6mm", "401_3D_pCASL_6mm_classic.nii"),
    ],
)
def test_philips_pcasl_equals_its_reference_conversion(reference_data, folder, truth):
    source = reference_data("perfusion/dcm_qa_philips_asl")
    image = read(source / "DICOM" / folder, role="ASL")
    reference = read_image(source / "Ref" / truth)
    # The reference conversion turns the rows round; both describe the same place.
    assert np.allclose(image.array, reference.array[..., ::-1, :], rtol=1e-6)
    rows = image.shape[1]
    assert np.allclose(image.affine @ [3, rows - 1 - 2, 5, 1], reference.affine @ [3, 2, 5, 1], atol=1e-3)
    assert not np.allclose(image.array, reference.array, rtol=1e-2)
    if image.array.ndim == 4:
        assert not np.allclose(image.array[::-1], reference.array[..., ::-1, :], rtol=1e-2)
        (part,) = split([read_dicom_file(path) for path in dicom_paths(source / "DICOM" / folder)])
        assert arrange(part).labels == ("control", "label") * 8


def test_real_enhanced_pcasl(reference_data):
    folder = reference_data("longitudinal/neurolabusc_dcm_qa_philips_enh")
    path = folder / "1903_WIP_SOURCE_-_3DpCASL.dcm"
    image = read_series(Series("ASL", path, files=(path,)))
    assert image.array.shape == (6, 40, 96, 96)
    assert np.allclose(image.spacing, (2.5, 2.5, 4.0), atol=1e-3)
    dataset = pydicom.dcmread(path)
    raw = dataset.pixel_array  # frame order of the file: slice by slice, in it time by time, control before label
    scale = dataset.PerFrameFunctionalGroupsSequence[0][0x2005, 0x140F][0]
    scale = scale.get_private_item(0x2005, 0x0E, "Philips MR Imaging DD 001").value
    for frame, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content = groups.FrameContentSequence[0]
        k, t = content.InStackPositionNumber - 1, content.TemporalPositionIndex - 1
        label = content.DimensionIndexValues[3]
        assert np.allclose(image.array[2 * t + label, k], raw[frame] / scale, rtol=1e-5)


def test_deflated_files_are_refused_unopened(tmp_path):
    path = write.save(write.instance(VOLUME[0]), tmp_path / "a.dcm", uid.DeflatedExplicitVRLittleEndian)
    with pytest.raises(InputError) as error:
        read_dicom_file(path)
    assert error.value.message.code == "dicom_deflated"
