"""Broken inputs: each ends in a clear sentence, never in a traceback, a hang or a wrong number."""

import gzip
import json
import os
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.commandline import main
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.formats.series import read_mask, read_series
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.patient import read

VALUES = (np.arange(5 * 6 * 8).reshape(5, 6, 8) * 3 % 997).astype(np.uint16)
TIMES = (np.arange(22 * 3 * 4 * 4).reshape(22, 3, 4, 4) % 997).astype(np.uint16)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "patient"
    write.volume(folder / "t1", VALUES, description="t1 post")
    return folder


def outcome(folder, capsys) -> tuple[set[str], dict]:
    """Codes of everything that is said when the folder is inspected and every voxel read, and the images read."""
    status = main(["inspect", str(folder)])
    printed = capsys.readouterr()
    assert status in (0, 2)
    assert "Traceback" not in printed.err
    messages, images = [], {}
    try:
        patient = read(folder)
    except InputError as error:
        assert status == 2
        patient, messages = None, [error.message]
    if patient is not None:
        messages = list(patient.problems)
        for visit in patient.visits:
            messages += visit.warnings
            messages += [series.reason for series in visit.set_aside]
            for series in visit.series:
                try:
                    images[visit.id, series.role] = read_series(series)
                except InputError as error:
                    messages.append(error.message)
        for region in patient.regions:
            try:
                read_mask(region, images[region.visit, "T1CE"])
            except InputError as error:
                messages.append(error.message)
    for message in messages:
        assert message.code in texts.catalogue(), message
        assert "{" not in texts.sentence(message).replace("{0}", "")
    return {message.code for message in messages}, images


def file(folder, number=3) -> Path:
    return folder / "t1" / f"{number:03d}.dcm"


def edit(path, change) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path, enforce_file_format=False)


def cut(folder, length):
    path = file(folder)
    path.write_bytes(path.read_bytes()[:length])


def each(folder, change):
    for path in sorted((folder / "t1").glob("*.dcm")):
        edit(path, change)


def drop(keyword):
    return lambda folder: edit(file(folder), lambda dataset: dataset.__delitem__(keyword))


def put(keyword, value, everywhere=False):
    """Sets an element, as text where pydicom would refuse the value."""

    def change(dataset):
        vr = pydicom.datadict.dictionary_VR(keyword)
        if vr in ("DS", "IS"):
            text = "\\".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            tag = pydicom.tag.Tag(keyword)
            encoded = text.encode() + b" " * (len(text) % 2)
            dataset[tag] = pydicom.dataelem.RawDataElement(tag, vr, len(encoded), encoded, 0, False, True)
        else:
            setattr(dataset, keyword, value)

    return lambda folder: each(folder, change) if everywhere else edit(file(folder), change)


def raw(data):
    return lambda folder: file(folder).write_bytes(data)


TRUNCATED = {
    "empty": (lambda f: cut(f, 0), "dicom_tag_missing"),
    "fifty bytes": (lambda f: cut(f, 50), None),
    "preamble only": (lambda f: cut(f, 132), None),
    "ends in the meta header": (lambda f: cut(f, 200), None),
    "ends in the header": (lambda f: cut(f, 600), None),
    "ends before its pixels": (lambda f: cut(f, file(f).stat().st_size - 110), None),
    "ends in its pixels": (lambda f: cut(f, file(f).stat().st_size - 40), "dicom_truncated"),
    "its last byte is missing": (lambda f: cut(f, file(f).stat().st_size - 1), "dicom_truncated"),
    "text": (raw(b"these are my notes"), None),
    "web page": (raw(b"<html><body>Not found</body></html>" * 20), None),
    "noise": (raw(random.Random(1).randbytes(4000)), None),
    "noise behind a preamble": (raw(b"\0" * 128 + b"DICM" + random.Random(2).randbytes(4000)), None),
}
TAGS = {
    "no SOP class": (drop("SOPClassUID"), "dicom_tag_missing"),
    "no SOP instance": (drop("SOPInstanceUID"), "dicom_tag_missing"),
    "no study": (drop("StudyInstanceUID"), "dicom_tag_missing"),
    "no series": (drop("SeriesInstanceUID"), "dicom_tag_missing"),
    "no rows": (drop("Rows"), None),
    "no position": (drop("ImagePositionPatient"), "dicom_geometry"),
    "no orientation": (drop("ImageOrientationPatient"), "dicom_geometry"),
    "no pixel spacing": (drop("PixelSpacing"), "dicom_geometry"),
    "no pixels": (drop("PixelData"), "dicom_no_pixels"),
    "no bits": (drop("BitsAllocated"), "dicom_pixels_wrong"),
    "rows of 0": (put("Rows", 0), None),
    "more rows than pixels": (put("Rows", 60, everywhere=True), "dicom_truncated"),
    "huge image": (lambda f: (put("Rows", 65535, True)(f), put("Columns", 65535, True)(f)), "dicom_too_large"),
    "many frames": (put("NumberOfFrames", 2**31 - 1), None),
    "negative frames": (put("NumberOfFrames", -2), "dicom_tag_wrong"),
    "frames that are no number": (put("NumberOfFrames", "many"), None),
    "13 bits": (put("BitsAllocated", 13), "dicom_pixels_wrong"),
    "more bits stored than there are": (put("BitsStored", 17), "dicom_pixels_wrong"),
    "high bit outside": (put("HighBit", 40), "dicom_pixels_wrong"),
    "colour": (put("SamplesPerPixel", 3, everywhere=True), "series_colour"),
    "spacing 0": (put("PixelSpacing", [0, 1], everywhere=True), "dicom_geometry"),
    "negative spacing": (put("PixelSpacing", [-1, 1], everywhere=True), "dicom_geometry"),
    "spacing NaN": (put("PixelSpacing", ["nan", 1], everywhere=True), "dicom_tag_wrong"),
    "spacing infinite": (put("PixelSpacing", ["inf", 1], everywhere=True), "dicom_tag_wrong"),
    "one spacing": (put("PixelSpacing", [1], everywhere=True), "dicom_tag_wrong"),
    "three spacings": (put("PixelSpacing", [1, 1, 1], everywhere=True), "dicom_tag_wrong"),
    "spacing in words": (put("PixelSpacing", ["one", "two"], everywhere=True), "dicom_unreadable"),
    "spacing of one slice differs": (put("PixelSpacing", [1.5, 1.5]), "dicom_geometry"),
    "spacing in metres": (put("PixelSpacing", [1000, 1000], everywhere=True), "dicom_geometry"),
    "position NaN": (put("ImagePositionPatient", ["nan", 0, 0]), "dicom_tag_wrong"),
    "position infinite": (put("ImagePositionPatient", [0, 0, "inf"]), "dicom_tag_wrong"),
    "position of two numbers": (put("ImagePositionPatient", [0, 0]), "dicom_tag_wrong"),
    "orientation of zeros": (put("ImageOrientationPatient", [0] * 6, everywhere=True), "dicom_geometry"),
    "singular orientation": (put("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], everywhere=True), "dicom_geometry"),
    "orientation too long": (put("ImageOrientationPatient", [2, 0, 0, 0, 2, 0], everywhere=True), "dicom_geometry"),
    "orientation NaN": (put("ImageOrientationPatient", ["nan", 0, 0, 0, 1, 0]), "dicom_tag_wrong"),
    "slope 0": (put("RescaleSlope", 0), "dicom_tag_wrong"),
    "slope NaN": (put("RescaleSlope", "nan"), "dicom_tag_wrong"),
    "slope infinite": (put("RescaleSlope", "-inf"), "dicom_tag_wrong"),
    "intercept NaN": (put("RescaleIntercept", "NaN"), "dicom_tag_wrong"),
}


def positions(place):
    """Moves every slice; place: from slice number and dataset position to a new one."""

    def move(folder):
        for k in range(5):
            edit(file(folder, k + 1), lambda dataset, k=k: setattr(dataset, "ImagePositionPatient", list(place(k))))

    return move


def tilted(folder):
    for k in range(5):
        if k >= 3:
            edit(file(folder, k + 1), lambda d: setattr(d, "ImageOrientationPatient", [0, 1, 0, 0, 0, -1]))


def one_slice(folder):
    for k in range(2, 6):
        file(folder, k).unlink()
    edit(file(folder, 1), lambda dataset: dataset.__delitem__("SliceThickness"))


def every_second(folder):
    put("SpacingBetweenSlices", 2, everywhere=True)(folder)
    for k in (2, 4):
        file(folder, k).unlink()


def mixed(**tags):
    values = VALUES + VALUES.dtype.type(1)  # the same ones would be a copy
    return lambda folder: write.volume(folder / "other", values, description="t1 post", study="B", **tags)


GEOMETRY = {
    "a slice is missing": (lambda f: file(f).unlink(), "dicom_missing_slices"),
    "every second slice is missing": (every_second, "dicom_missing_slices"),
    "uneven slices": (positions(lambda k: (0, 0, [0, 2, 4.7, 6, 8][k])), "dicom_uneven_slices"),
    "gantry tilt": (positions(lambda k: (0, 0.5 * k, 2 * k)), "dicom_gantry_tilt"),
    "slices in one place": (positions(lambda k: (0, 0, 0)), "series_time_series"),
    "a slice out of line": (positions(lambda k: (7 if k == 2 else 0, 0, 2 * k)), "dicom_gantry_tilt"),
    "mixed orientations": (tilted, "dicom_orientations"),
    "one slice without thickness": (one_slice, "dicom_geometry"),
    "a slice of another matrix": (put("Rows", 3), "dicom_missing_slices"),
    "two patients": (mixed(patient="P2"), "patients_mixed"),
    "two birth dates": (mixed(PatientBirthDate="19990101"), "birth_dates_mixed"),
    "two studies on one date": (mixed(), "studies_on_one_date"),
}


def dsc(**how):
    return lambda folder: write.time_series(folder / "dsc", TIMES, **how)


def without(which, **how):
    """A DSC series that lacks files; which: from (time, slice) to whether it is missing."""

    def make(folder):
        paths = write.time_series(folder / "dsc", TIMES, **how)
        for number, path in enumerate(paths):
            if which(*divmod(number, 3)):
                path.unlink()

    return make


def contradicting(folder):
    paths = write.time_series(folder / "dsc", TIMES)
    for number, path in enumerate(paths):
        edit(path, lambda d, t=number // 3: setattr(d, "TemporalPositionIdentifier", 22 - t))


def no_clock(folder):
    for path in write.time_series(folder / "dsc", TIMES, clock="none"):
        edit(path, lambda d: setattr(d, "InstanceNumber", 1))


def uneven(folder):
    for number, path in enumerate(write.time_series(folder / "dsc", TIMES)):
        if number >= 30:
            edit(path, lambda d, t=number // 3: setattr(d, "AcquisitionTime", f"1230{t:02d}"))


TIME = {
    "time points contradict each other": (contradicting, "dicom_time_order"),
    "nothing tells the time": (no_clock, "dicom_time_order"),
    "uneven times": (uneven, "dicom_uneven_times"),
    "a slice of one time point is missing": (without(lambda t, k: (t, k) == (7, 1)), "dicom_incomplete"),
    "a time point is missing": (
        without(lambda t, k: t == 7, clock="TemporalPositionIdentifier"),
        "dicom_time_points_missing",
    ),
    "the last time points are missing": (
        without(lambda t, k: t > 19, clock="TemporalPositionIdentifier", NumberOfTemporalPositions=22),
        "dicom_time_points_missing",
    ),
    "echo time in seconds": (dsc(EchoTime=0.03), "dicom_field_implausible"),
    "echo time in microseconds": (dsc(EchoTime=30000), "dicom_field_implausible"),
    "no echo time": (dsc(EchoTime=None), "dicom_fields_missing"),
    "field in gauss": (dsc(MagneticFieldStrength=15000), "dicom_field_implausible"),
    "flip angle of 900 degrees": (dsc(FlipAngle=900), "dicom_field_implausible"),
}


def packed(stream, syntax, **tags):
    def make(folder):
        dataset = write.instance(VALUES[2], series="t1 post", number=3, ImagePositionPatient=[0, 0, 4], **tags)
        dataset.SeriesDescription = "t1 post"
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].is_undefined_length = True
        write.save(dataset, file(folder), syntax)

    return make


def siz(rows, columns):
    """A JPEG 2000 stream that says how large it is and ends."""
    return (
        b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIIIIIH", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1) + bytes(9)
    )


def deflated_bomb(folder):
    dataset = write.instance(np.zeros((4000, 4000), np.uint16))
    write.save(dataset, file(folder), uid.DeflatedExplicitVRLittleEndian)


def unknown_syntax(folder):
    path = file(folder)
    old, new = uid.ExplicitVRLittleEndian.encode(), b"1.2.840.10008.9.9.9"
    path.write_bytes(path.read_bytes().replace(old + b"\0", new + b"\0", 1))


def segmentation(**change):
    def make(folder):
        frames = change.get("frames", [(1, (0, 0, 2))])
        path = write.segmentation(
            folder / "seg.dcm", np.ones((len(frames), 6, 8), bool), frames, labels=["lesion"],
            reference=write.unique("P1", "A", "t1 post"),
        )  # fmt: skip
        if "cut" in change:
            path.write_bytes(path.read_bytes()[: -change["cut"]])

    return make


def mosaic(folder):
    edit(file(folder), lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]))


def enhanced(frames):
    return lambda folder: write.save(
        write.enhanced(VALUES[:3], frames, series="e", SeriesDescription="t2"), folder / "e.dcm"
    )


PIXELS = {
    "RLE that ends early": (packed(struct.pack("<16I", 2, 64, 90, *[0] * 13) + b"\1\2", uid.RLELossless), None),
    "JPEG of noise": (packed(b"\xff\xd8" + random.Random(5).randbytes(300), uid.JPEGLosslessSV1), "dicom_pixels_wrong"),
    "JPEG 2000 bomb": (packed(siz(60000, 60000), uid.JPEG2000Lossless), "dicom_pixels_wrong"),
    "JPEG 2000 that ends early": (packed(siz(6, 8), uid.JPEG2000Lossless), "dicom_pixels_wrong"),
    "JPEG-LS bomb": (
        packed(b"\xff\xd8\xff\xf7\0\x0b\x10\xff\xff\xff\xff\1\1\x11\0", uid.JPEGLSLossless),
        "dicom_pixels_wrong",
    ),
    "deflated bomb": (deflated_bomb, "dicom_deflated"),
    "unknown transfer syntax": (unknown_syntax, None),
    "mosaic without layout": (mosaic, "dicom_mosaic"),
    "enhanced without frames": (enhanced([]), None),
    "enhanced with too few frames": (enhanced([{}]), "dicom_tag_wrong"),
    "enhanced without positions": (enhanced([{}, {}, {}]), "dicom_geometry"),
    "segments on another grid": (segmentation(frames=[(1, (0.4, 0, 2))]), "region_on_other_grid"),
    "segments outside": (segmentation(frames=[(1, (0, 0, 40))]), "region_on_other_grid"),
    "segmentation that ends early": (segmentation(cut=4), "dicom_truncated"),
}


def state(**content):
    return lambda folder: (folder / "patient.json").write_text(json.dumps(content))


def link(name, target):
    return lambda folder: (folder / name).symlink_to(target)


PATHS = {
    "roles outside": (state(roles={"../../secret.dcm": "T1CE"}), "patient_file_field"),
    "roles at the root": (state(roles={"/etc/passwd": "T1CE"}), "patient_file_field"),
    "region outside": (
        state(regions=[{"name": "x", "visit": "2023-01-10", "purpose": "lesion", "file": "../x.nii.gz"}]),
        "patient_file_field",
    ),
    "unknown study": (state(visits=[{"id": "x", "studies": ["2022-01-01"]}]), "study_missing"),
    "deep JSON": (lambda f: (f / "patient.json").write_text("[" * 200_000), "json_syntax"),
    "endless number": (lambda f: (f / "patient.json").write_text('{"visit_window_days": ' + "9" * 9000 + "}"), None),
    "JSON of bytes": (lambda f: (f / "patient.json").write_bytes(b"\xff\xfe\x00"), "json_syntax"),
    "a name with braces": (lambda f: (f / "t1" / "{0}.dcm").write_bytes(b"x" * 200), None),
    "a broken link": (link("gone.dcm", "/nowhere/at/all"), ""),
    "a link to its own folder": (link("again", "."), ""),
    "a link to endless zeros": (link("zeros.dcm", "/dev/zero"), ""),
    "a pipe": (lambda f: os.mkfifo(f / "pipe.dcm"), ""),
    "a folder called like a file": (lambda f: (f / "folder.dcm").mkdir(), ""),
    "a directory file that points outside": (lambda f: (f / "DICOMDIR").write_bytes(b"../../../etc/passwd"), ""),
}
CORPUS = {**TRUNCATED, **TAGS, **GEOMETRY, **TIME, **PIXELS, **PATHS}


def test_the_corpus_is_large():
    assert len(CORPUS) + len(range(FLIPS)) + len(IMAGES) >= 80


@pytest.mark.parametrize("name", CORPUS)
def test_a_clear_sentence(folder, capsys, name):
    break_it, code = CORPUS[name]
    break_it(folder)
    said, images = outcome(folder, capsys)
    if code == "":  # harmless: what is there is read as if nothing was
        assert not said
        assert np.array_equal(images["2023-01-10", "T1CE"].array, VALUES)
    else:
        assert said if code is None else code in said
    found = images.get(("2023-01-10", "T1CE"))
    if found is not None and found.array.shape == VALUES.shape:
        assert np.array_equal(found.array, VALUES)


def test_the_unbroken_folder_says_nothing(folder, capsys):
    said, images = outcome(folder, capsys)
    assert said == set()
    assert np.array_equal(images["2023-01-10", "T1CE"].array, VALUES)


FLIPS = 40


@pytest.mark.parametrize("seed", range(FLIPS))
def test_a_flipped_bit_in_the_header(folder, capsys, seed):
    """Either something is said, or the numbers and their place are the same as before."""
    expected = read_series(read(folder).visits[0].of_role("T1CE"))
    path = file(folder)
    data = bytearray(path.read_bytes())
    place = random.Random(seed).randrange(128, len(data) - 2 * VALUES[0].size)
    data[place] ^= 1 << random.Random(seed + 1000).randrange(8)
    path.write_bytes(data)
    said, images = outcome(folder, capsys)
    if not said:
        (found,) = images.values()
        assert np.array_equal(found.array, expected.array)
        assert np.allclose(found.affine, expected.affine)


def bomb(folder, size=30_000):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, size, size, size, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    (folder / "T1CE.nii.gz").write_bytes(gzip.compress(bytes(header) + bytes(10_000_000)))


def nrrd(array):
    return lambda folder: write_image(Image(array, np.eye(4)), folder / "T1CE.nrrd")


IMAGES = {
    "NIfTI bomb": (bomb, "file_truncated"),
    "NRRD without a finite value": (nrrd(np.full((3, 4, 5), np.nan, np.float32)), "image_no_values"),
    "NRRD of infinite values": (nrrd(np.full((3, 4, 5), np.inf, np.float32)), "image_no_values"),
    "NIfTI of noise": (lambda f: (f / "T1CE.nii.gz").write_bytes(random.Random(3).randbytes(500)), "file_unreadable"),
    "NRRD without data": (
        lambda f: (f / "T1CE.nrrd").write_bytes(
            b"NRRD0004\ntype: short\ndimension: 3\nsizes: 9 9 9\nencoding: raw\n\n"
        ),
        None,
    ),
    "NRRD that points elsewhere": (
        lambda f: (f / "T1CE.nrrd").write_bytes(
            b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: /etc/hostname.none\n"
        ),
        None,
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_broken_images(tmp_path, capsys, name):
    break_it, code = IMAGES[name]
    study = tmp_path / "2023-01-10"
    study.mkdir()
    break_it(study)
    said, images = outcome(tmp_path, capsys)
    assert said if code is None else code in said
    assert not images
