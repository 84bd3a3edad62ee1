"""Spectra of every vendor: values, axis, place, and refusals."""

import contextlib
import json
import math
import struct
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats import spectra_lcmodel, spectra_philips
from PseudoProgressionAnalyzerLib.formats.images import nifti_affine
from PseudoProgressionAnalyzerLib.formats.spectra import load
from PseudoProgressionAnalyzerLib.formats.spectra_axis import scores
from PseudoProgressionAnalyzerLib.formats.spectra_combine import combine_coils, combine_repetitions
from PseudoProgressionAnalyzerLib.formats.spectra_geometry import from_angles, from_slabs
from PseudoProgressionAnalyzerLib.formats.spectra_philips import from_vax
from PseudoProgressionAnalyzerLib.measures import InputError

DATA = "spectroscopy/"
OSPREY = "osprey/sub-01/ses-01/mrs/sub-01_ses-01_press/sub-01_PRESS_35_act.sdat"
SIEMENS = DATA + "gstt_dicom/siemens/"
BRAINS = [
    (DATA + "abfit_paper/2D_MRSI_nifti-mrs.nii.gz", (1, 16, 16, 1024), 123.255, 0.040),
    (DATA + "suspect/SVS_30.rda", (1, 1, 1, 1024), 123.235, 0.030),
    (DATA + "suspect/philips_mrs.dcm", (1, 1, 1, 1024), 63.896, 0.0319),
    (SIEMENS + "pat_data_sv/LN/MRS_se_30_saveall_ LN_ECC - 31/IM-0001-0001-0001.dcm", (1, 1, 1, 1024), 123.149, 0.03),
    (DATA + OSPREY, (1, 1, 1, 2048), 127.751, 0.035),
    (DATA + "tarquin/ge/P1834_1.5T_030_2000.7", (1, 1, 1, 2048), 63.873, 0.03),
    (DATA + "tarquin/example.rda", (1, 1, 1, 2048), 63.684, 0.03),
]


def brain(points=1024, dwell_time=5e-4, frequency=123.0):
    """A decay of three lines: NAA, creatine and choline."""
    time = np.arange(points) * dwell_time
    lines = [(2.01, 3.0), (3.03, 2.0), (3.21, 2.0), (3.92, 1.0)]
    return sum(size * np.exp(2j * np.pi * (4.65 - ppm) * frequency * time - 15 * time) for ppm, size in lines).astype(
        np.complex64
    )


def write_nifti(path, fid, fields, *, dwell_time=5e-4, affine=None, units=8):
    """A NIfTI-2 file of values (i, j, k, points, ...)."""
    affine = np.diag([10.0, 10, 15, 1]) if affine is None else affine
    text = json.dumps(fields).encode()
    text += b" " * (-(len(text) + 8) % 16)
    extension = b"\x01\0\0\0" + struct.pack("<2i", len(text) + 8, 44) + text
    header = bytearray(540)
    struct.pack_into("<i", header, 0, 540)
    struct.pack_into("<h", header, 12, 32)
    struct.pack_into("<8q", header, 16, fid.ndim, *fid.shape, *[1] * (7 - fid.ndim))
    struct.pack_into("<8d", header, 104, 1, 10, 10, 15, dwell_time, 1, 1, 1)
    struct.pack_into("<q", header, 168, 540 + len(extension))
    struct.pack_into("<2i", header, 344, 0, 2)
    struct.pack_into("<12d", header, 400, *affine[:3].ravel())
    struct.pack_into("<i", header, 500, units)
    path.write_bytes(bytes(header) + extension + fid.astype("<c8").tobytes(order="F"))
    return path


FIELDS = {"SpectrometerFrequency": [123.0], "ResonantNucleus": ["1H"], "EchoTime": 0.03}


@pytest.mark.parametrize(("name", "shape", "frequency", "echo_time"), BRAINS)
def test_brains_have_naa_on_the_right_side(reference_data, name, shape, frequency, echo_time):
    spectra = load(reference_data(name))
    assert spectra.fid.shape == shape
    assert spectra.spectrometer_frequency == pytest.approx(frequency, abs=1e-3)
    assert spectra.echo_time == pytest.approx(echo_time, abs=1e-4)
    right, wrong = scores(spectra.fid, spectra.dwell_time, spectra.spectrometer_frequency)
    assert right > 1.5 * wrong
    codes = {flag.code for flag in spectra.flags}
    assert not codes & {"spectra_axis_turned", "spectra_axis_unknown"}


def test_rda_and_classic_dicom_of_one_scan_are_equal(reference_data):
    first, second = load(reference_data(DATA + "suspect/SVS_30.rda")), load(reference_data(DATA + "suspect/SVS_30.IMA"))
    scale = np.vdot(first.fid, second.fid) / np.vdot(first.fid, first.fid)
    assert np.abs(second.fid - scale * first.fid).max() < 1e-3 * np.abs(second.fid).max()
    assert abs(scale.imag) < 1e-6 * abs(scale)
    assert np.allclose(first.affine, second.affine, atol=1e-3)
    assert first.dwell_time == pytest.approx(second.dwell_time, rel=1e-3)
    # The centre and edges of the box as the RDA header states them apart from the grid (VOIPosition, LPS).
    assert np.allclose(first.affine[:3, 3], (-41.602906, -21.569007, -4.958838), atol=0.01)
    assert np.allclose(np.linalg.norm(first.affine[:3, :3], axis=0), (20, 40, 20))


def test_enhanced_dicom_with_its_water_file(reference_data):
    folder = SIEMENS + "pat_data_sv/LN/MRS_se_30_saveall_ LN_"
    metabolites = reference_data(folder + "noECC - 32/IM-0001-0001-0001.dcm")
    spectra = load(metabolites, reference_data(folder + "ref - 30/IM-0001-0001-0001.dcm"))
    assert np.abs(spectra.water[0, 0, 0, 0]) > 20 * np.abs(spectra.fid[0, 0, 0, 0])
    # Two statements of the same box in the header: slabs and image plane.
    assert np.allclose(spectra.affine[:3, 3], (-21.552244, 5.605753, 58.373593))
    assert np.allclose(sorted(np.linalg.norm(spectra.affine[:3, :3], axis=0)), (15, 15, 25), atol=1e-3)


@pytest.mark.parametrize("name", ["suspect/philips_mrs.dcm", "tarquin/ge/P1834_1.5T_030_2000.7"])
def test_water_reference_in_the_same_file(reference_data, name):
    spectra = load(reference_data(DATA + name))
    assert spectra.water.shape == spectra.fid.shape
    assert np.abs(spectra.water).max() > 5 * np.abs(spectra.fid).max()


def test_water_reference_beside_a_philips_pair(reference_data, tmp_path):
    folder = "osprey/sub-01/ses-01/mrs/sub-01_ses-01_press"
    for place, name in ((folder, "act"), (folder + "-ref", "ref")):
        for ending in ("sdat", "spar"):
            file = reference_data(f"{DATA}{place}/sub-01_PRESS_35_{name}.{ending}")
            (tmp_path / file.name).write_bytes(file.read_bytes())
    spectra = load(tmp_path / "sub-01_PRESS_35_act.spar")
    assert np.abs(spectra.water).max() > 5 * np.abs(spectra.fid).max()


def test_water_reference_in_the_folder_beside(tmp_path):
    """Laid out as Osprey's examples: ``press`` and ``press-ref`` with one file each."""
    for folder, name in (("press", "a_act"), ("press-ref", "a_ref"), ("steam", "b_act"), ("other", "b_ref")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.sdat").touch()
    found = spectra_philips.water_reference(tmp_path / "press" / "a_act.sdat")
    assert found == tmp_path / "press-ref" / "a_ref.sdat"
    assert spectra_philips.water_reference(tmp_path / "steam" / "b_act.sdat") is None


def test_philips_box_lies_in_the_head(reference_data):
    """The box of a SPAR file against the scan of the same head in scanner space: all of it in the brain."""
    import SimpleITK as sitk

    folder = DATA + "osprey/with_MM/sub-01/ses-01/"
    image = reference_data(folder + "anat/sub-01_ses-01_T1w_scanner-space_FSL-skull-stripped.nii.gz")
    spectra = load(reference_data(folder + "mrs/sub-01_ses-01_press/sub-01_ses-01_PRESS_raw-act_noID.SDAT"))
    head = sitk.ReadImage(str(image))
    brain_mask = sitk.GetArrayFromImage(head) > 0
    corners = np.array([[x, y, z, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])

    def inside(affine):
        points = (corners * (0.9, 0.9, 0.9, 1)) @ affine.T
        places = [head.TransformPhysicalPointToIndex((-x, -y, z)) for x, y, z, _ in points.tolist()]
        return np.mean([brain_mask[place[::-1]] for place in places])

    assert inside(spectra.affine) == 1
    mirrored = np.diag([1.0, -1, -1, 1]) @ spectra.affine  # front and back, top and bottom exchanged
    assert inside(mirrored) < 1


def test_mirrored_grid_and_turned_axis(reference_data, tmp_path):
    path = write_nifti(tmp_path / "turned.nii", brain()[None, None, None].conj(), FIELDS)
    spectra = load(path)
    assert [flag.code for flag in spectra.flags] == ["spectra_axis_turned"]
    assert np.allclose(spectra.fid[0, 0, 0], brain(), atol=1e-5)
    right = load(write_nifti(tmp_path / "right.nii", brain()[None, None, None], FIELDS))
    assert not right.flags
    assert np.allclose(right.fid, spectra.fid)


def test_nifti_indices_and_place(tmp_path):
    values = brain()[None, None, None] * np.arange(1, 25, dtype=np.float32).reshape(4, 3, 2, 1)
    affine = np.array([[-10.0, 0, 0, 5], [0, 10, 0, 6], [0, 0, 15, 7], [0, 0, 0, 1]])
    spectra = load(write_nifti(tmp_path / "grid.nii", values, FIELDS, affine=affine))
    assert spectra.shape == (2, 3, 4)
    assert np.allclose(spectra.fid[1, 2, 3], values[3, 2, 1])
    assert np.allclose(spectra.affine, affine)
    assert load(write_nifti(tmp_path / "u.nii", values, FIELDS, units=0)).dwell_time == pytest.approx(5e-4)
    assert load(write_nifti(tmp_path / "m.nii", values, FIELDS, units=16, dwell_time=0.5)).dwell_time == pytest.approx(
        5e-4
    )


def test_nifti_coils_and_repetitions(tmp_path):
    random = np.random.default_rng(1)
    clean = brain()
    coils = np.array([1, 0.5j, -0.2])[:, None]
    turns = np.exp(
        1j
        * (random.uniform(-1, 1, 8)[:, None] + 2 * np.pi * np.outer(random.uniform(-5, 5, 8), np.arange(1024) * 5e-4))
    )
    values = (coils[:, None] * (clean * turns)[None]).transpose(2, 0, 1)[None, None, None]  # points, coil, repetition
    spectra = load(write_nifti(tmp_path / "raw.nii", values, FIELDS | {"dim_5": "DIM_COIL", "dim_6": "DIM_DYN"}))
    found = spectra.fid[0, 0, 0]
    assert np.abs(found[0]) == pytest.approx(np.linalg.norm(coils) * np.abs(clean[0]), rel=0.02)
    plain = np.einsum("c,xyztcd->t", coils[:, 0].conj() / np.linalg.norm(coils), values) / 8
    assert np.linalg.norm(found) > 1.05 * np.linalg.norm(plain)  # what the mean without alignment loses
    with pytest.raises(InputError, match="spectra_dimension"):
        load(write_nifti(tmp_path / "edit.nii", values, FIELDS | {"dim_5": "DIM_COIL", "dim_6": "DIM_EDIT"}))


def test_coil_weights_and_alignment():
    clean = brain()
    weights = np.array([1, 2j])
    together, water = combine_coils(weights[:, None] * clean, weights[:, None] * clean * 100)
    assert np.allclose(np.abs(together), np.sqrt(5) * np.abs(clean), rtol=1e-5)
    assert np.allclose(water, 100 * together, rtol=1e-5)
    time = np.arange(1024) * 5e-4
    shifted = np.stack([clean * np.exp(2j * np.pi * shift * time + 1j * shift) for shift in (-6, 0, 6)])
    mean = combine_repetitions(shifted, 5e-4)
    assert np.linalg.norm(mean) == pytest.approx(np.linalg.norm(clean), rel=0.01)


def test_vax_numbers():
    # 1.0 = 0.5 * 2^1: exponent 129; -2.5 = -0.625 * 2^2: exponent 130, fraction bits 0.125 / 0.5 * 2^23 (VAX manual).
    one, minus = 129 << 23, 1 << 31 | 130 << 23 | 2**21
    words = [one >> 16, one & 0xFFFF, minus >> 16, minus & 0xFFFF, 0, 0]
    assert np.allclose(from_vax(np.array(words, "<u2")), (1.0, -2.5, 0.0))


def test_boxes():
    assert np.allclose(
        from_angles([1, 2, 3], [10, 20, 30], [0, 0, 0]), [[-10, 0, 0, -1], [0, -20, 0, -2], [0, 0, 30, 3], [0, 0, 0, 1]]
    )
    turned = from_angles([0, 0, 0], [1, 1, 1], [90, 0, 0])  # about the left-right axis: posterior goes to head
    assert np.allclose(turned[:3, 1], (0, 0, 1))
    turned = from_angles([0, 0, 0], [1, 1, 1], [0, 90, 0])  # about the front-back axis: head goes to left
    assert np.allclose(turned[:3, 2], (-1, 0, 0))
    turned = from_angles([0, 0, 0], [1, 1, 1], [0, 0, 90])  # about the head axis: left goes to posterior
    assert np.allclose(turned[:3, 0], (0, -1, 0))
    box = from_slabs([1, 2, 3], np.eye(3), [4, 5, 6])
    assert np.allclose(box, [[-4, 0, 0, -1], [0, -5, 0, -2], [0, 0, 6, 3], [0, 0, 0, 1]])


def test_lcmodel_files(reference_data):
    raw = reference_data(DATA + "lcmodel_reference_svs/gstt_LN.raw")
    with pytest.raises(InputError, match="spectra_dwell_time"):
        load(raw)
    spectra = load(raw, dwell_time=8.334e-4)
    assert spectra.echo_time == 0.03 and spectra.sequence == "PRESS"
    assert "spectra_unlocalised" in {flag.code for flag in spectra.flags}
    coord = spectra_lcmodel.read_result(reference_data(DATA + "suspect/svs_97.COORD"))
    assert coord.amplitude["GPC+PCh"] == 0.115 and coord.error["NAA+NAAG"] == 6
    assert len(coord.ppm) == len(coord.data) == len(coord.fit) == len(coord.baseline) == 799
    assert coord.ppm[0] == 4.0
    assert np.std(coord.data - coord.fit) < 0.3 * np.std(coord.data)  # S/N 13 by its own table
    table = spectra_lcmodel.read_result(reference_data(DATA + "suspect/svs_97.TABLE"))
    assert table.amplitude == coord.amplitude
    rows = spectra_lcmodel.read_results(reference_data(DATA + "suspect/svs_97.CSV"))
    assert next(iter(rows.values())).amplitude["Ins"] == pytest.approx(0.297, rel=0.01)


def code(path, **options):
    with pytest.raises(InputError) as caught:
        load(path, **options)
    return caught.value.message.code


def test_refusals(tmp_path):
    fid = brain()[None, None, None]
    assert code(tmp_path / "none.rda") == "file_missing"
    assert code(write_nifti(tmp_path / "f.nii", fid, {"ResonantNucleus": ["1H"]})) == "spectra_fields"
    assert code(write_nifti(tmp_path / "p.nii", fid, FIELDS | {"ResonantNucleus": ["31P"]})) == "spectra_nucleus"
    assert code(write_nifti(tmp_path / "d.nii", fid, FIELDS, dwell_time=0.5)) == "spectra_dwell_time_range"
    assert code(write_nifti(tmp_path / "z.nii", 0 * fid, FIELDS)) == "spectra_no_signal"
    broken = write_nifti(tmp_path / "b.nii", fid, FIELDS)
    broken.write_bytes(broken.read_bytes()[:-100])
    assert code(broken) == "file_truncated"
    for name in ("text.nii", "text.rda", "text.dcm", "P1.7"):
        (tmp_path / name).write_bytes(b"not a spectrum" * 300)
        assert code(tmp_path / name).startswith(("file_unreadable", "spectra_"))
    (tmp_path / "alone.SPAR").write_text("samples : 8\n")
    assert code(tmp_path / "alone.SPAR") == "file_missing"
    long = write_nifti(tmp_path / "long.nii", np.concatenate([fid, fid], axis=-1), FIELDS)
    whole = write_nifti(tmp_path / "whole.nii", fid, FIELDS)
    assert code(whole, water=long) == "spectra_water_differs"


def to_vax(values):
    """F_floating words of numbers, by the definition in the VAX manual (not the reader's code)."""
    words = []
    for value in values:
        if value == 0:
            words += [0, 0]
            continue
        fraction, exponent = math.frexp(abs(value))  # 0.5 <= fraction < 1
        mantissa = round((fraction - 0.5) * 2**24)
        words += [(value < 0) << 15 | (exponent + 128) << 7 | mantissa >> 16, mantissa & 0xFFFF]
    return np.array(words, "<u2").tobytes()


def write_philips(path, fid, **fields):
    """A SPAR/SDAT pair of decays (row, column, point), columns the fastest, conjugated as the scanner writes them."""
    rows, columns, points = fid.shape
    said = {
        "samples": points, "rows": rows * columns, "sample_frequency": 2000, "synthesizer_frequency": 127755264,
        "echo_time": 144, "repetition_time": 2000, "nucleus": "1H", "scan_id": "2DSI PRESS",
        "phase_encoding_enable": '"yes"', "phase_encoding_direction": '"trans"', "phase_encoding_fov": 160,
        "slice_thickness": 15, "nr_of_slices_for_multislice": 1, "dim2_pnts": columns, "dim3_pnts": rows,
        "lr_size": 80, "ap_size": 100, "cc_size": 15, "lr_off_center": 4, "ap_off_center": -7, "cc_off_center": 20,
        "lr_angulation": 0, "ap_angulation": 0, "cc_angulation": 0,
        "si_lr_off_center": -1.7e38, "si_ap_off_center": -1.7e38, "si_cc_off_center": 1.7e38,
    } | fields  # fmt: skip
    path.with_suffix(".SPAR").write_text("".join(f"{name} : {value}\n" for name, value in said.items()))
    values = np.stack([fid.real, -fid.imag], axis=-1).ravel()
    path.with_suffix(".SDAT").write_bytes(to_vax(values.tolist()))
    return path.with_suffix(".SPAR")


ROW, COLUMN = (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)  # LPS: columns run to the back, rows to the feet (a sagittal grid)
GRID = {"rows": 3, "columns": 4, "along_row": 10.0, "along_column": 12.0, "thickness": 15.0}


def siemens_phantom():
    """Decays (slice, row, column, point), strongest in the second row and third column."""
    size = np.full((1, GRID["rows"], GRID["columns"]), 0.05)
    size[0, 1, 2] = 1.0
    return (brain(64) * size[..., None]).astype(np.complex64)


def csa(fields):
    """A Siemens CSA header of version 2 that holds these texts."""
    content = b"SV10\4\3\2\1" + struct.pack("<II", len(fields), 77)
    for name, values in fields.items():
        content += struct.pack("<64si4siii", name.encode(), 1, b"DS", 0, len(values), 77)
        for value in values:
            text = f"{value}".encode() + b"\0"
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + text + b"\0" * (-len(text) % 4)
    return content


def write_rda(path, fid, corner):
    said = {
        "VectorSize": fid.shape[-1], "CSIMatrixSize[0]": fid.shape[2], "CSIMatrixSize[1]": fid.shape[1],
        "CSIMatrixSize[2]": 1, "PixelSpacingCol": GRID["along_row"], "PixelSpacingRow": GRID["along_column"],
        "PixelSpacing3D": GRID["thickness"], "DwellTime": 500, "MRFrequency": 123.0, "TE": 135, "TR": 1500, "TM": 0,
        "Nucleus": "1H", "SequenceName": "*csi_se",
    }  # fmt: skip
    for name, vector in (("PositionVector", corner), ("RowVector", ROW), ("ColumnVector", COLUMN)):
        said |= {f"{name}[{axis}]": value for axis, value in enumerate(vector)}
    text = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    header = f">>> Begin of header <<<\r\n{text}>>> End of header <<<\r\n".encode()
    path.write_bytes(header + fid.astype("<c16").tobytes())


def write_siemens_dicom(path, fid, place, classic):
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.3.12.2.1107.5.9.1" if classic else "1.2.840.10008.5.1.4.1.1.4.2"
    dataset.SOPInstanceUID, dataset.Manufacturer = "1.2.3", "SIEMENS"
    shape = {"NumberOfFrames": 1, "Rows": fid.shape[1], "Columns": fid.shape[2], "DataPointColumns": fid.shape[3]}
    spacing = [GRID["along_column"], GRID["along_row"]]  # DICOM: between rows first
    if classic:
        fields = {name: [value] for name, value in shape.items()} | {
            "ImagePositionPatient": place, "ImageOrientationPatient": [*ROW, *COLUMN], "PixelSpacing": spacing,
            "SliceThickness": [GRID["thickness"]], "RealDwellTime": [500000], "ImagingFrequency": [123.0],
            "EchoTime": [135], "RepetitionTime": [1500], "ResonantNucleus": ["1H"],
        }  # fmt: skip
        dataset.add_new((0x0029, 0x1110), "OB", csa(fields))
        dataset.add_new((0x7FE1, 0x1010), "OB", fid.astype("<c8").tobytes())
    else:
        for name, value in shape.items():
            setattr(dataset, name, value)
        dataset.SpectralWidth, dataset.TransmitterFrequency, dataset.ResonantNucleus = 2000.0, 123.0, "1H"
        measures, orientation, position = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        measures.PixelSpacing, measures.SliceThickness = spacing, GRID["thickness"]
        orientation.ImageOrientationPatient = [*ROW, *COLUMN]
        position.ImagePositionPatient = list(place)
        echo, shared, frame = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        echo.EffectiveEchoTime = 135.0
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
        frame.PlanePositionSequence, frame.MREchoSequence = [position], [echo]
        dataset.SharedFunctionalGroupsSequence = [shared]
        dataset.PerFrameFunctionalGroupsSequence = [frame]
        dataset.add_new((0x5600, 0x0020), "OF", fid.conj().astype("<c8").tobytes())
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("kind", ["rda", "classic", "enhanced"])
def test_siemens_grids_hold_each_spectrum_in_its_place(tmp_path, kind):
    """One asymmetric phantom in three forms: RDA and classic files state the corner of the first voxel, the enhanced
    ones its centre."""
    fid, first = siemens_phantom(), np.array([30.0, -40.0, 50.0])  # LPS: centre of the first voxel
    corner = first - 0.5 * (GRID["along_row"] * np.array(ROW) + GRID["along_column"] * np.array(COLUMN))
    path = tmp_path / ("grid.rda" if kind == "rda" else "grid.dcm")
    if kind == "rda":
        write_rda(path, fid, corner)
    else:
        write_siemens_dicom(path, fid, (first if kind == "enhanced" else corner).tolist(), kind == "classic")
    spectra = load(path)
    assert spectra.shape == (1, 3, 4) and np.allclose(spectra.fid, fid, rtol=1e-5, atol=1e-7)
    assert (spectra.echo_time, spectra.dwell_time) == (pytest.approx(0.135), pytest.approx(5e-4))
    k, j, i = np.unravel_index(np.abs(spectra.fid[..., 0]).argmax(), spectra.shape)
    place = spectra.affine @ [i, j, k, 1]
    # Two columns further to the back (10 mm each), one row further to the feet (12 mm): (30, -20, 38) in LPS.
    assert np.allclose(place[:3], (-30, 20, 38))


@pytest.mark.parametrize("said", [[True, True, False], [False, False, False], False, None])
def test_grids_that_are_not_reconstructed_are_refused(tmp_path, said):
    path = write_nifti(tmp_path / "grid.nii", np.tile(brain(), (2, 3, 1, 1)), {**FIELDS, "kSpace": said})
    if said and any(said):
        assert code(path) == "spectra_k_space"
    else:
        assert load(path).shape == (1, 3, 2)


@pytest.mark.parametrize("box", [[[1, 2], [3]], "box", None, np.zeros((4, 4)).tolist(), np.diag([9, 9, 9, 1]).tolist()])
def test_a_box_that_is_none_is_not_taken(tmp_path, box):
    excited = load(write_nifti(tmp_path / "a.nii", brain()[None, None, None], {**FIELDS, "VOI": box})).excited
    assert (excited is not None) == (box is not None and box[-1] == [0, 0, 0, 1])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"Manufacturer": "Philips Medical Systems"}, "spectra_dicom_grid"),
        ({"DataPointRows": 4}, "spectra_field"),
        ({"SignalDomainColumns": "FREQUENCY"}, "spectra_field"),
        ({"DataRepresentation": "MAGNITUDE"}, "spectra_field"),
        ({"DataPointRows": 1, "SignalDomainColumns": "TIME", "DataRepresentation": "COMPLEX"}, None),
    ],
)
def test_dicom_that_would_be_misread_is_refused(tmp_path, tags, expected):
    """A Philips grid, of which only the excited box is described, and values that are no decays along one dimension."""
    path = tmp_path / "grid.dcm"
    write_siemens_dicom(path, siemens_phantom(), [30.0, -40.0, 50.0], False)
    dataset = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    if expected is None:
        assert load(path).shape == (1, 3, 4)
    else:
        assert code(path) == expected


def test_ge_grids_are_refused(reference_data, tmp_path):
    """A real single-voxel file whose header is made to state a grid."""
    content = bytearray(reference_data(DATA + "tarquin/ge/P1834_1.5T_030_2000.7").read_bytes())
    order = "<" if 9 <= struct.unpack_from("<f", content)[0] < 30 else ">"
    struct.pack_into(order + "3h", content, 374, 8, 8, 1)
    (tmp_path / "P0001.7").write_bytes(content)
    assert code(tmp_path / "P0001.7") == "spectra_ge_grid"


def test_philips_grid_holds_each_spectrum_in_its_place(tmp_path):
    """An asymmetric phantom: one voxel in the left front of the head, where the reader has to put it."""
    size = np.full((6, 8), 0.05)
    size[1, 6] = 1.0  # second row from the front, second column from the left
    fid = brain(64, frequency=127.755264) * size[:, :, None]
    spectra = load(write_philips(tmp_path / "grid", fid))
    assert spectra.shape == (1, 6, 8)
    assert np.allclose(spectra.fid[0], fid, rtol=1e-5, atol=1e-6)
    k, j, i = np.unravel_index(np.abs(spectra.fid[..., 0]).argmax(), spectra.shape)
    right, anterior, superior = (spectra.affine @ [i, j, k, 1])[:3]
    # Voxels of 160 / 8 = 20 mm around 4 mm left, 7 mm in front: 2.5 columns to the left, 1.5 rows to the front.
    assert (right, anterior, superior) == pytest.approx((-4 - 50, 7 + 30, 20))
    assert "spectra_philips_place" in {flag.code for flag in spectra.flags}


def test_philips_grid_turns_with_its_volume(tmp_path):
    fid = np.ones((4, 4, 1)) * brain(64, frequency=127.755264)
    flat = load(write_philips(tmp_path / "flat", fid)).affine
    turned = load(write_philips(tmp_path / "turned", fid, cc_angulation=90, SUN_dim2_pnts=4)).affine
    middle = np.array([1.5, 1.5, 0, 1])
    assert np.allclose(flat @ middle, (-4, 7, 20, 1)) and np.allclose(turned @ middle, (-4, 7, 20, 1))
    # About the head axis left goes to the back, as of a single voxel (test_boxes): columns then run to the back.
    assert np.allclose(turned[:3, 0], (0, -40, 0), atol=1e-9) and np.allclose(flat[:3, 0], (-40, 0, 0))


@pytest.mark.parametrize(
    "fields",
    [
        {"phase_encoding_direction": '"cor"'},
        {"nr_of_slices_for_multislice": 3},
        {"phase_encoding_fov": 0},
        {"slice_thickness": ""},
        {"rows": 12},
        {"si_lr_off_center": 40, "si_ap_off_center": -7, "si_cc_off_center": 20},
    ],
)
def test_philips_grids_whose_place_is_not_certain_are_refused(tmp_path, fields):
    fid = np.ones((4, 4, 1)) * brain(64, frequency=127.755264)
    assert code(write_philips(tmp_path / "grid", fid, **fields)) == "spectra_philips_grid"


def test_pictures_of_spectra_are_named_as_such(tmp_path):
    """What consoles export of spectra and metabolite maps: a secondary capture, from which nothing can be measured."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.Modality, dataset.SeriesDescription, dataset.ImageType = "MR", "Cho/NAA map", ["DERIVED", "SECONDARY"]
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(tmp_path / "capture.dcm", enforce_file_format=True)
    assert code(tmp_path / "capture.dcm") == "spectra_secondary_capture"


def test_header_of_nifti_1_by_quaternion():
    # 180 degrees about z (quaternion 0, 0, 1): x and y change sign.
    affine = nifti_affine((1, 0), (1, 2, 3, 4, 0, 0, 0, 0), (0, 0, 1, 5, 6, 7), (0,) * 12)
    assert np.allclose(affine, [[-2, 0, 0, 5], [0, -3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]])


def test_spectra_are_plain_values():
    from PseudoProgressionAnalyzerLib.measures import Spectra

    spectra = Spectra(brain()[None, None, None], 5e-4, 123.0, 0.03, "1H", np.eye(4))
    assert replace(spectra, echo_time=0.14).echo_time == 0.14
    assert spectra.shape == (1, 1, 1)


@pytest.mark.parametrize("fields", [{"SUN_dim2_pnts": 8, "SUN_dim3_pnts": 1}, {"dim2_pnts": 1, "dim3_pnts": 8}])
def test_philips_repetitions_of_a_single_voxel_are_averaged(tmp_path, fields):
    """Dimension 2 counts them; old files call a single voxel phase encoded too, over a field of zero."""
    fid = np.ones((8, 1, 1)) * brain(64, frequency=127.755264)
    old = {"dim2_pnts": "", "dim3_pnts": "", "phase_encoding_fov": "0.000000"} | fields
    spectra = load(write_philips(tmp_path / "old", fid, **old))
    assert spectra.shape == (1, 1, 1)
    assert np.allclose(spectra.fid[0, 0, 0], fid[0, 0], rtol=1e-3, atol=1e-3)
    assert np.allclose(spectra.affine[:3, 3], (-4, 7, 20))
    line = load(write_philips(tmp_path / "new", fid, phase_encoding_enable='"no"', dim2_pnts=8, dim3_pnts=1))
    assert line.shape == (1, 1, 1)


def test_a_line_of_philips_voxels_is_not_averaged(tmp_path):
    fid = np.ones((1, 8, 1)) * brain(64, frequency=127.755264)
    assert code(write_philips(tmp_path / "line", fid)) == "spectra_philips_grid"


@pytest.mark.parametrize("field", ["SUN_dim2_pnts", "dim3_pnts"])
def test_philips_dimensions_that_are_no_numbers(tmp_path, field):
    fid = np.ones((4, 4, 1)) * brain(64, frequency=127.755264)
    assert code(write_philips(tmp_path / "grid", fid, **{field: "n/a"})) == "spectra_field"
    assert code(write_philips(tmp_path / "grid", fid, SUN_dim4_pnts="n/a")) == "spectra_philips_grid"


@pytest.mark.parametrize(
    ("change", "wanted", "named"),
    [
        ({"SpectrometerFrequency": [123.2e6]}, "spectra_frequency_range", "1.232e+08"),
        ({"SpectrometerFrequency": []}, "spectra_fields", "SpectrometerFrequency"),
        ({"SpectrometerFrequency": ["fast"]}, "spectra_field", "SpectrometerFrequency"),
        ({"EchoTime": 30}, "spectra_echo_time_range", "30"),
        ({"ResonantNucleus": ["31P"]}, "spectra_nucleus", "31P"),
    ],
)
def test_a_refusal_names_the_field(tmp_path, change, wanted, named):
    path = write_nifti(tmp_path / "f.nii", brain()[None, None, None], FIELDS | change)
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.message.code == wanted and named in texts.what(caught.value.message)
    assert "f.nii" in texts.what(caught.value.message) and texts.remedy(caught.value.message)


def test_fields_at_7_tesla_are_read(tmp_path):
    fid = brain(frequency=297.2)[None, None, None]
    spectra = load(write_nifti(tmp_path / "f.nii", fid, FIELDS | {"SpectrometerFrequency": [297.2]}))
    assert spectra.spectrometer_frequency == 297.2 and not spectra.flags


def test_a_header_that_is_no_object_and_sizes_beyond_all_memory(tmp_path):
    assert code(write_nifti(tmp_path / "list.nii", brain()[None, None, None], [1, 2])) == "spectra_nifti_kind"
    path = write_nifti(tmp_path / "huge.nii", brain()[None, None, None], FIELDS)
    content = bytearray(path.read_bytes())
    struct.pack_into("<q", content, 16 + 5 * 8, 7493989779944505345)
    path.write_bytes(content)
    assert code(path) == "file_truncated"


def rda(path, points=256, **fields):
    fid = np.broadcast_to(brain(points)[None, None, None], (1, 3, 4, points)).astype(np.complex64)
    write_rda(path, fid, np.array([30.0, -40.0, 50.0]))
    content = path.read_bytes()
    for name, value in fields.items():
        old = next(line for line in content.split(b"\r\n") if line.startswith(f"{name}:".encode()))
        content = content.replace(old, f"{name}: {value}".encode() if value is not None else b"-: 0")
    path.write_bytes(content)
    return path


def test_rda_files_that_lack_fields_or_bytes(tmp_path):
    assert load(rda(tmp_path / "good.rda")).shape == (1, 3, 4)
    for fields, wanted in (
        ({"MRFrequency": None}, "spectra_fields"),
        ({"TE": "thirty"}, "spectra_field"),
        ({"VectorSize": 0}, "file_truncated"),
        ({"Nucleus": "31P"}, "spectra_nucleus"),
        ({"MRFrequency": 0}, "spectra_frequency_range"),
    ):
        assert code(rda(tmp_path / "bad.rda", **fields)) == wanted, fields
    assert load(rda(tmp_path / "no_tm.rda", TM=None)).mixing_time is None
    whole = rda(tmp_path / "whole.rda").read_bytes()
    for missing in (1, 4, 16, 5000):  # never filled up with bytes of the header
        (tmp_path / "short.rda").write_bytes(whole[:-missing])
        assert code(tmp_path / "short.rda") == "file_truncated"


def test_rda_values_that_begin_with_the_bytes_of_a_new_line(tmp_path):
    path = rda(tmp_path / "line.rda")
    content = bytearray(path.read_bytes())
    begin = content.index(b"End of header <<<\r\n") + len(b"End of header <<<\r\n")
    content[begin : begin + 2] = b"\r\n"  # the lowest bytes of the first number
    path.write_bytes(content)
    assert load(path).fid[0, 0, 0, 1] == pytest.approx(brain(256)[1], rel=1e-5)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("cut", [300, 2000, 0.5, -4])
@pytest.mark.parametrize("classic", [True, False])
def test_dicom_files_that_end_anywhere(tmp_path, cut, classic):
    fid = np.broadcast_to(brain(256)[None, None, None], (1, 3, 4, 256)).astype(np.complex64)
    write_siemens_dicom(tmp_path / "whole.dcm", fid, [30.0, -40.0, 50.0], classic)
    content = (tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])
    assert code(tmp_path / "cut.dcm").startswith(("spectra_", "file_truncated"))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom: of what it mended
@pytest.mark.parametrize("kind", ["classic", "enhanced", "rda", "nifti"])
def test_damaged_headers_are_refused_or_read_and_never_end_in_an_error_of_python(tmp_path, kind):
    fid = np.broadcast_to(brain(64)[None, None, None], (1, 3, 4, 64)).astype(np.complex64)
    path = tmp_path / {"rda": "d.rda", "nifti": "d.nii"}.get(kind, "d.dcm")
    if kind == "rda":
        rda(path, 64)
    elif kind == "nifti":
        write_nifti(path, fid.transpose(2, 1, 0, 3), FIELDS)
    else:
        write_siemens_dicom(path, fid, [30.0, -40.0, 50.0], kind == "classic")
    content, random = path.read_bytes(), np.random.default_rng(11)
    for _ in range(60):
        damaged = bytearray(content)
        for place in random.integers(0, min(len(content), 3000), random.choice([1, 3, 20])):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            load(path)


def test_short_decays_are_refused(tmp_path):
    raw = tmp_path / "MRS.raw"
    raw.write_text("$SEQPAR HZPPPM=123.2 ECHOT=30. $END\n$NMID $END\n" + "1.0 2.0\n" * 6)
    assert code(raw, dwell_time=5e-4) == "spectra_few_points"


def test_what_lcmodel_files_do_not_state_comes_from_their_sidecar(tmp_path):
    raw = tmp_path / "MRS.raw"
    values = "".join(f"{value.real:.6e} {value.imag:.6e}\n" for value in brain())
    raw.write_text(f" $SEQPAR HZPPPM=123.0 ECHOT=30. $END\n $NMID ID='a' $END\n{values}")
    assert code(raw) == "spectra_dwell_time"
    (tmp_path / "MRS.json").write_text('{"SpectralWidth": 2000.0}')
    spectra = load(raw)
    assert spectra.dwell_time == 5e-4 and spectra.echo_time == 0.03
    assert np.allclose(spectra.fid[0, 0, 0], brain(), atol=1e-5)
    (tmp_path / "MRS.json").write_text('{"SpectralWidth": "wide"}')
    assert code(raw) == "spectra_field"


def test_a_water_reference_of_another_grid_or_of_nothing_is_refused(tmp_path):
    fid = np.broadcast_to(brain(), (3, 2, 1, 1024)).astype(np.complex64)
    grid = write_nifti(tmp_path / "grid.nii", fid, FIELDS)
    other = write_nifti(tmp_path / "other.nii", fid[:2], FIELDS)
    nothing = write_nifti(tmp_path / "nothing.nii", 0 * fid, FIELDS)
    one = write_nifti(tmp_path / "one.nii", fid[:1, :1], FIELDS)
    assert code(grid, water=other) == "spectra_water_differs"
    assert code(grid, water=nothing) == "spectra_no_signal"
    assert load(grid, one).water.shape == (1, 1, 1, 1024) and load(grid, grid).water.shape == (1, 2, 3, 1024)


def test_ge_files_are_known_by_their_ending_whatever_they_are_called(reference_data, tmp_path):
    content = reference_data(DATA + "tarquin/ge/P1834_1.5T_030_2000.7").read_bytes()
    (tmp_path / "MRS.7").write_bytes(content)
    assert load(tmp_path / "MRS.7").shape == (1, 1, 1)
    (tmp_path / "MRS.7").write_bytes(content[:2000])
    assert code(tmp_path / "MRS.7") == "file_truncated"
