"""DICOM folders to a patient: visits, roles with reasons, what is set aside, regions, two patients in one folder."""

import datetime
import json
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.analysis.reading import read_visit
from PseudoProgressionAnalyzerLib.analysis.run import start
from PseudoProgressionAnalyzerLib.commandline import main
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.formats.series import read_mask, read_series
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.patient import editing, read
from PseudoProgressionAnalyzerLib.patient.choosing import open_roles
from PseudoProgressionAnalyzerLib.patient.descriptions import _KINDS, contrast_said, kind_said

VALUES = (np.arange(3 * 4 * 5).reshape(3, 4, 5) % 50).astype(np.uint16)
TIMES = np.stack([VALUES + t for t in range(24)]).astype(np.uint16)
T2 = {"ScanningSequence": "SE", "EchoTime": 100, "RepetitionTime": 5000, "FlipAngle": 90}
FLAIR = {**T2, "ScanningSequence": ["SE", "IR"], "InversionTime": 2500, "RepetitionTime": 9000}


def study(folder, date, name, *, dsc=True, **tags):
    """What a hospital sends: localiser, T1 before and after contrast, FLAIR, T2, diffusion with ADC, DSC, a capture."""
    common = {"study": name, "date": date, **tags}
    place = folder / name
    for axis, direction in {"a": (1, 0, 0, 0, 1, 0), "c": (1, 0, 0, 0, 0, -1)}.items():
        write.save(
            write.instance(
                VALUES[0], series="loc", number=ord(axis), SeriesDescription="localizer",
                ImageOrientationPatient=list(direction), **common,
            ),
            place / "loc" / f"{axis}.dcm",
        )  # fmt: skip
    write.volume(place / "t1", VALUES, description="t1_mprage_sag", AcquisitionTime="080000", **common)
    write.volume(place / "flair", VALUES, description="t2_tirm_tra_dark-fluid", **FLAIR, **common)
    write.volume(place / "t2", VALUES, description="t2_tse", **T2, **common)
    dwi = {"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"], "DiffusionBValue": 1000.0}
    write.volume(place / "dwi", VALUES, description="ep2d_diff_b1000", **dwi, **common)
    write.volume(place / "adc", VALUES, description="x", ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], **common)
    if dsc:
        write.time_series(place / "dsc", TIMES, **common)
    write.volume(
        place / "t1ce", VALUES, description="t1_mprage_tra", ContrastBolusAgent="Gadobutrol", AcquisitionTime="130000",
        **common,
    )  # fmt: skip
    write.volume(
        place / "capture", VALUES[:1], description="Screen", SOPClassUID=uid.SecondaryCaptureImageStorage, **common
    )


@pytest.fixture
def folder(tmp_path):
    study(tmp_path, "20230110", "first")
    study(tmp_path, "20230508", "second")
    return tmp_path


def state(folder, **content):
    (folder / "patient.json").write_text(json.dumps(content))


def codes(messages):
    return [message.code for message in messages]


def test_a_hospital_folder(folder):
    patient = read(folder)
    assert patient.problems == []
    assert [(visit.id, visit.date.isoformat()) for visit in patient.visits] == [
        ("2023-01-10", "2023-01-10"),
        ("2023-05-08", "2023-05-08"),
    ]
    for visit in patient.visits:
        found = {series.role: series.path.name for series in visit.series}
        assert found == {"T1": "t1", "T1CE": "t1ce", "FLAIR": "flair", "T2": "t2", "ADC": "adc", "DSC": "dsc"}
        assert visit.warnings == []
        assert {series.description: series.reason.code for series in visit.set_aside} == {
            "localizer": "series_localiser",
            "ep2d_diff_b1000": "series_diffusion",
            "Screen": "series_capture",
        }
        for series in (*visit.series, *visit.set_aside):
            sentence = texts.sentence(series.reason)
            assert sentence != series.reason.code
            assert "{" not in sentence
    dsc = patient.visits[0].of_role("DSC").acquisition
    assert (dsc["EchoTime"], dsc["RepetitionTime"]) == (0.03, pytest.approx(1.5))
    assert patient.visits[0].of_role("T1CE").reason.parameters["agent"] == "Gadobutrol"


def test_the_patients_name_and_id_stay_out(folder, capsys):
    assert read(folder).id == "patient"
    for arguments in (["inspect", str(folder)], ["inspect", str(folder), "--json"]):
        assert main(arguments) == 0
        printed = capsys.readouterr().out
        assert "Never" not in printed
        assert "P1" not in printed
    found = json.loads(printed)
    assert found["visits"][0]["series"][0]["shape"]
    assert [series["description"] for series in found["visits"][0]["set_aside"]]


def test_flat_export_with_meaningless_names(folder, tmp_path_factory):
    flat = tmp_path_factory.mktemp("flat")
    for number, path in enumerate(sorted(folder.rglob("*.dcm"), key=lambda path: path.stat().st_size)):
        (flat / f"IM{number:06d}").write_bytes(path.read_bytes())
    patient = read(flat)
    assert [{series.role for series in visit.series} for visit in patient.visits] == [
        {"T1", "T1CE", "FLAIR", "T2", "ADC", "DSC"}
    ] * 2


def test_two_patients_are_never_mixed(folder, capsys):
    study(folder, "20230601", "third", patient="P2")
    with pytest.raises(InputError) as error:
        read(folder)
    assert error.value.message.code == "patients_mixed"
    sentence = texts.sentence(error.value.message)
    assert "P1" in sentence
    assert "P2" in sentence
    assert "Never" not in sentence
    assert main(["inspect", str(folder)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_without_an_id_two_names_are_told_apart_by_a_hash(tmp_path):
    for name in ("One^Person", "Other^Person"):
        write.volume(tmp_path / name, VALUES, study=name, PatientID="", PatientName=name)
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.message.code == "patients_mixed"
    assert "Person" not in str({**error.value.message.parameters, "first_file": "", "file": ""})


def test_one_id_with_two_birth_dates(tmp_path):
    write.volume(tmp_path / "a", VALUES, study="a")
    write.volume(tmp_path / "b", VALUES, study="b", PatientBirthDate="19700101")
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.message.code == "birth_dates_mixed"


@pytest.mark.parametrize(
    ("tags", "fields"),
    [
        ({"PatientName": "Someone^Unrelated"}, "name"),
        ({"PatientSex": "F"}, "sex"),
        ({"PatientName": "Someone^Unrelated", "PatientSex": "F"}, "name, sex"),
        ({"PatientName": "SHOWN, Never Middle"}, None),
        ({"PatientName": "", "PatientSex": ""}, None),
    ],
)
def test_one_id_with_another_name_or_sex_is_said(tmp_path, tags, fields):
    t1(tmp_path, "t1 post", "a", PatientSex="M")
    t1(tmp_path, "t1 post", "b", **{"date": "20230508", "PatientSex": "M", **tags})
    first, second = read(tmp_path).visits
    assert codes(first.warnings) == []
    assert [warning.parameters["fields"] for warning in second.warnings] == ([] if fields is None else [fields])
    for warning in second.warnings:
        assert warning.code == "person_differs"
        assert not {"someone", "unrelated", "never", "shown"} & set(texts.sentence(warning).lower().split())


def test_a_study_that_is_dated_otherwise_than_its_images(tmp_path):
    t1(tmp_path, "t1 post", "a", AcquisitionDate="20230110")
    t1(tmp_path, "t1 post", "b", date="20230508", AcquisitionDate="20230509", AcquisitionTime="000100")
    t1(tmp_path, "t1 post", "c", date="20240101", AcquisitionDate="20230801")
    visits = read(tmp_path).visits
    assert [codes(visit.warnings) for visit in visits] == [[], [], ["study_date_differs"]]
    assert visits[2].warnings[0].parameters["acquired"] == "2023-08-01"
    state(tmp_path, visits=[{"id": "late", "date": "2023-08-01", "studies": ["2024-01-01"]}])
    assert [codes(visit.warnings) for visit in read(tmp_path).visits] == [[], [], []]
    (tmp_path / "patient.json").unlink()
    patient = editing.set_date(read(tmp_path), "2024-01-01", datetime.date(2023, 8, 1))
    assert [codes(visit.warnings) for visit in patient.visits] == [[], [], []]


@pytest.mark.parametrize("study_of_copy", ["a", "again"])
def test_a_series_that_is_there_twice_is_used_once(tmp_path, study_of_copy):
    t1(tmp_path, "t1 post", "a")
    files = write.volume(tmp_path / "copy", VALUES, study=study_of_copy, series="copy", description="t1 post")
    (visit,) = read(tmp_path).visits
    assert [series.role for series in visit.series] == ["T1CE"]
    assert codes(series.reason for series in visit.set_aside) == ["series_copy"]
    assert visit.warnings == []
    uid_of_copy = pydicom.dcmread(files[0]).SeriesInstanceUID
    state(tmp_path, roles={uid_of_copy: "T1CE"})
    (visit,) = read(tmp_path).visits
    assert [series.uid for series in visit.series] == [uid_of_copy]
    (tmp_path / "patient.json").unlink()
    other = VALUES.copy()
    other[0, 0, 0] += 1  # one voxel: another image
    write.volume(tmp_path / "copy", other, study=study_of_copy, series="copy", description="t1 post")
    (visit,) = read(tmp_path).visits
    assert visit.of_role("T1CE") is None and len(open_roles(visit)["T1CE"]) == 2


def test_what_changed_between_visits_is_said(tmp_path):
    study(tmp_path, "20230110", "first", dsc=False)
    study(tmp_path, "20230508", "second", dsc=False, MagneticFieldStrength=1.494, ManufacturerModelName="Other")
    study(tmp_path, "20230801", "third", dsc=False, MagneticFieldStrength=1.5, ManufacturerModelName="Other")
    visits = read(tmp_path).visits
    assert codes(visits[0].warnings) == []
    assert set(codes(visits[1].warnings)) == {"acquired_otherwise"}
    shown = texts.sentence(visits[1].warnings[0])
    assert "MagneticFieldStrength 3 to 1.494 T" in shown
    assert "Model to Other" in shown
    assert codes(visits[2].warnings) == []


def t1(folder, name, study_name="s", **tags):
    write.volume(folder / study_name / name, VALUES, description=tags.pop("called", name), study=study_name, **tags)


def roles(folder):
    return {series.description: (series.role, series.reason.code) for series in read(folder).visits[0].series}


def test_contrast_from_when_it_was_acquired(tmp_path):
    t1(tmp_path, "t1 a", AcquisitionTime="100000")
    write.time_series(tmp_path / "dsc", TIMES, study="s")  # from 12:00 on
    t1(tmp_path, "t1 b", AcquisitionTime="123000")
    found = roles(tmp_path)
    assert found["t1 a"][0] == "T1"
    assert found["t1 b"] == ("T1CE", "role_after_contrast")
    assert codes(read(tmp_path).visits[0].warnings) == ["role_uncertain"]


def test_header_against_description(tmp_path):
    t1(tmp_path, "t1 nativ", ContrastBolusAgent="Gadovist")
    visit = read(tmp_path).visits[0]
    assert [(series.role, series.reason.code) for series in visit.series] == [("T1", "role_contrast_conflict")]
    assert "role_uncertain" in codes(visit.warnings)


def test_a_header_that_says_no_contrast(tmp_path):
    t1(tmp_path, "t1", ContrastBolusAgent="NONE")
    assert roles(tmp_path)["t1"][0] == "T1"


def test_the_finer_original_is_chosen_and_the_other_listed(tmp_path):
    t1(tmp_path, "t1 post ax", SliceThickness=5, step=5.0)
    t1(tmp_path, "t1 post 3d")
    t1(tmp_path, "t1 post mpr", ImageType=["DERIVED", "SECONDARY", "REFORMATTED"], PixelSpacing=[0.5, 0.5], step=0.5)
    visit = read(tmp_path).visits[0]
    assert [series.description for series in visit.series] == ["t1 post 3d"]
    reasons = {series.description: series.reason.code for series in visit.set_aside}
    assert reasons == {"t1 post ax": "series_another_finer", "t1 post mpr": "series_another_original"}


@pytest.mark.parametrize(("field", "chosen"), [(3, 0.03), (1.5, 0.045)])
def test_of_two_echoes_the_one_that_weighs_best(tmp_path, field, chosen):
    for echo in (10, 30, 45):
        write.time_series(tmp_path / str(echo), TIMES, EchoTime=echo, MagneticFieldStrength=field)
    visit = read(tmp_path).visits[0]
    assert visit.of_role("DSC").acquisition["EchoTime"] == chosen
    assert codes(series.reason for series in visit.set_aside) == ["series_another_echo_time"] * 2


def test_an_enhanced_image_says_what_it_weighs(tmp_path):
    frames = [{"PlanePositionSequence": {"ImagePositionPatient": [0, 0, 2 * k]}} for k in range(3)]
    agent = Dataset()
    agent.CodeMeaning = "Gadobutrol"
    for contrast, given, role in (("T1", [], "T1"), ("T1", [agent], "T1CE"), ("FLUID_ATTENUATED", [], "FLAIR")):
        tags = {"ScanningSequence": None, "AcquisitionContrast": contrast, "ContrastBolusAgentSequence": given}
        write.save(write.enhanced(VALUES, frames, series=role, **tags), tmp_path / f"{role}.dcm")
    (visit,) = read(tmp_path).visits
    assert {series.role: series.path.stem for series in visit.series} == {"T1": "T1", "T1CE": "T1CE", "FLAIR": "FLAIR"}


def test_a_segmentation_alone_is_said(tmp_path):
    write.segmentation(tmp_path / "seg.dcm", np.ones((1, 4, 5), bool), [(1, (0, 0, 2))], labels=["x"], reference="1.2")
    assert "region_on_other_grid" in codes(read(tmp_path).visits[0].warnings)


def test_a_time_series_of_unknown_kind_is_not_measured(tmp_path):
    write.time_series(tmp_path, TIMES, SeriesDescription="ep2d", ContrastBolusAgent=None)
    visit = read(tmp_path).visits[0]
    assert visit.series == []
    assert codes(series.reason for series in visit.set_aside) == ["series_time_series"]


def test_pet_with_its_tracer_some_days_later_joins_the_visit(tmp_path):
    t1(tmp_path, "t1 post", date="20230110")
    tracer = Dataset()
    tracer.Radiopharmaceutical = "FET"
    write.volume(
        tmp_path / "pet", VALUES, description="Brain", study="pet", date="20230117", Modality="PT",
        SOPClassUID=uid.PositronEmissionTomographyImageStorage, RadiopharmaceuticalInformationSequence=[tracer],
    )  # fmt: skip
    (visit,) = read(tmp_path).visits
    assert visit.of_role("PET").acquisition["TracerName"] == "FET"


def test_a_colour_capture_and_a_report_are_listed(tmp_path):
    t1(tmp_path, "t1 post")
    write.volume(tmp_path / "sc", VALUES, description="CBV", study="s", SOPClassUID=uid.SecondaryCaptureImageStorage,
                 Modality="OT")  # fmt: skip
    report = write.instance(VALUES[0], study="s", series="sr", SOPClassUID=uid.ComprehensiveSRStorage)
    for keyword in ("PixelData", "Rows", "Columns"):
        del report[keyword]
    write.save(report, tmp_path / "sr.dcm")
    visit = read(tmp_path).visits[0]
    assert [series.role for series in visit.series] == ["T1CE"]
    assert codes(series.reason for series in visit.set_aside) == ["series_capture", "series_no_image"]


def test_a_broken_series_is_named_and_the_rest_stays(folder):
    for path in (folder / "second" / "t1").glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PixelSpacing = [-1, 1]
        dataset.save_as(path)
    visit = read(folder).visits[1]
    assert visit.of_role("T1") is None
    assert visit.of_role("T1CE") is not None
    assert codes(visit.warnings) == ["dicom_geometry"]


def test_missing_slices_are_said(tmp_path):
    values = np.concatenate([VALUES, VALUES])
    write.volume(tmp_path / "a", values, description="t1 post", study="s")
    (tmp_path / "a" / "003.dcm").unlink()
    visit = read(tmp_path).visits[0]
    assert codes(visit.warnings) == ["dicom_missing_slices", "no_t1ce"]
    assert "1 slices" in texts.sentence(visit.warnings[0])


def test_what_patient_json_states_wins(folder):
    first = write.unique("P1", "first", "t2_tse")
    state(
        folder,
        patient="case-7",
        visits=[{"id": "baseline", "date": "2023-01-11", "studies": ["2023-01-10"]}],
        roles={"second/flair": "ignore", first: "FLAIR", "second/t1/001.dcm": "T1CE"},
    )
    patient = read(folder)
    assert patient.id == "case-7"
    assert (patient.visits[0].id, patient.visits[0].date.isoformat()) == ("baseline", "2023-01-11")
    assert patient.visits[0].of_role("FLAIR").description == "t2_tse"
    assert patient.visits[0].of_role("FLAIR").confidence == 1.0
    assert patient.visits[1].of_role("FLAIR") is None
    assert patient.visits[1].of_role("T1CE").description == "t1_mprage_sag"


def test_dates(tmp_path):
    t1(tmp_path, "t1 post", "a", date="")
    t1(tmp_path, "t1 post", "b", date="20230508")
    t1(tmp_path, "t1 post", "c", date="19000101", LongitudinalTemporalInformationModified="REMOVED",
       LongitudinalTemporalOffsetFromEvent=-3.0)  # fmt: skip
    patient = read(tmp_path)
    assert [visit.date is None for visit in patient.visits] == [False, True, True]
    assert [codes(visit.warnings) for visit in patient.visits] == [[], ["study_date_unknown"], ["study_date_unknown"]]


def test_two_studies_on_one_date(tmp_path):
    t1(tmp_path, "t1 post", "a", date="19000101")
    write.volume(tmp_path / "b", VALUES + np.uint16(1), study="b", date="19000101", description="t1 post")
    patient = read(tmp_path)
    assert patient.problems == []
    (visit,) = patient.visits
    assert codes(visit.warnings) == ["studies_on_one_date", "role_open"]
    assert visit.series == [] and len(open_roles(visit)["T1CE"]) == 2
    told = visit.warnings[0].parameters
    assert (told["first"], told["second"]) == ("1900-01-01", "1900-01-01_2")  # by what patient.json may name them too
    state(tmp_path, visits=[{"id": "1", "date": "2023-01-01", "studies": [told["first"]]},
                            {"id": "2", "date": "2023-03-01", "studies": [told["second"]]}])  # fmt: skip
    patient = read(tmp_path)
    assert patient.problems == []
    assert [visit.id for visit in patient.visits] == ["1", "2"]


def test_segments_become_regions(tmp_path):
    t1(tmp_path, "t1 post")
    t1(tmp_path, "flair", **FLAIR, step=5.0)
    masks = np.ones((2, 4, 5), bool)
    reference = write.unique("P1", "s", "t1 post")
    write.segmentation(tmp_path / "seg.dcm", masks, [(1, (0, 0, 2)), (2, (0, 0, 4))], study="s", reference=reference,
                       labels=["Enhancing tumor", "Edema"])  # fmt: skip
    patient = read(tmp_path)
    assert [(region.name, region.purpose, region.label) for region in patient.regions] == [
        ("Enhancing tumor", "lesion", 1),
        ("Edema", "free", 2),
    ]
    write.segmentation(tmp_path / "seg.dcm", masks, [(1, (0, 0, 5)), (2, (0, 0, 10))], study="s", reference=reference,
                       labels=["Enhancing tumor", "Edema"])  # fmt: skip
    patient = read(tmp_path)
    assert patient.regions == []
    assert set(codes(patient.visits[0].warnings)) == {"region_on_other_grid"}


def test_segments_of_a_label_map_become_regions(tmp_path):
    """One frame for each slice, whose values are the numbers of segments."""
    t1(tmp_path, "t1 post")
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 1:3, 2], labels[2, 0, 0], labels[2, 3, 4] = 1, 2, 1
    groups = {"PlaneOrientationSequence": {"ImageOrientationPatient": list(write.AXIAL)},
              "PixelMeasuresSequence": {"PixelSpacing": [1, 1], "SliceThickness": 2}}  # fmt: skip
    frames = [{"PlanePositionSequence": {"ImagePositionPatient": [0, 0, 2 * k]}} for k in range(3)]
    dataset = write.enhanced(labels, frames, study="s", series="seg")
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.66.7", "SEG"
    dataset.SegmentationType = "LABELMAP"
    dataset.SharedFunctionalGroupsSequence = [write.groups(groups)]
    dataset.SegmentSequence = []
    for number, label in ((1, "Enhancing tumor"), (2, "Edema")):
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel = number, label
        dataset.SegmentSequence.append(item)
    write.save(dataset, tmp_path / "seg.dcm")
    patient = read(tmp_path)
    assert [(region.name, region.purpose, region.label) for region in patient.regions] == [
        ("Enhancing tumor", "lesion", 1), ("Edema", "free", 2)
    ]  # fmt: skip
    grid = read_series(patient.visits[0].of_role("T1CE"))
    for region in patient.regions:
        assert np.array_equal(read_mask(region, grid).array > 0, labels == region.label)


def test_brain_tumor_progression_naming(tmp_path):
    """The series of TCIA Brain-Tumor-Progression: masks and maps are secondary captures with their place in space."""
    for date in ("19960813", "19970117"):
        folder = tmp_path / f"{date[4:6]}-{date[6:]}-{date[:4]}-Mr Rcbv Sequence-46313"
        common = {"study": date, "date": date}
        for name in ("T1post", "T1prereg", "FLAIRreg", "T2reg", "ADCreg", "nRCBVreg", "sRCBVreg", "nCBF", "dT1"):
            timing = {"FLAIRreg": FLAIR, "T2reg": T2}.get(name, {})
            write.volume(folder / f"12.000000-{name}-1", VALUES, description=name, **timing, **common)
        capture = {"SOPClassUID": uid.SecondaryCaptureImageStorage}
        mask = (VALUES > 30).astype(np.uint16)
        write.volume(folder / "5394.000000-MaskTumor-1", mask, description="MaskTumor", **capture, **common)
    patient = read(tmp_path)
    assert patient.problems == []
    assert [visit.id for visit in patient.visits] == ["1996-08-13", "1997-01-17"]
    for visit in patient.visits:
        assert {series.role: series.description for series in visit.series} == {
            "T1CE": "T1post", "T1": "T1prereg", "FLAIR": "FLAIRreg", "T2": "T2reg", "ADC": "ADCreg",
            "rCBV": "nRCBVreg", "sRCBV": "sRCBVreg", "CBF": "nCBF",
        }  # fmt: skip
        assert {series.description for series in visit.set_aside} == {"dT1"}
    assert [(region.visit, region.purpose) for region in patient.regions] == [
        ("1996-08-13", "lesion"),
        ("1997-01-17", "lesion"),
    ]
    mask = read_mask(patient.regions[0], read_series(patient.visits[0].of_role("T1CE")))
    assert np.array_equal(mask.array > 0, VALUES > 30)


def test_the_analysis_reads_dicom_and_segments(tmp_path):
    t1(tmp_path, "t1 post")
    masks = np.zeros((1, 4, 5), bool)
    masks[0, 1:3, 2] = True
    write.segmentation(tmp_path / "seg.dcm", masks, [(1, (0, 0, 2))], study="s", labels=["lesion"],
                       reference=write.unique("P1", "s", "t1 post"))  # fmt: skip
    analysis = start(read(tmp_path))
    visit = analysis.patient.visits[0].id
    read_visit(analysis, visit)
    assert np.array_equal(analysis.images[visit, "T1CE"].array, VALUES)
    assert np.argwhere(analysis.regions[visit, "lesion"].array).tolist() == [[1, 1, 2], [1, 2, 2]]


@pytest.mark.parametrize(("shift", "problems"), [(0.0, []), (0.5, ["mask_on_other_grid"])])
def test_a_mask_beside_dicom_is_stated_as_region(tmp_path, shift, problems):
    t1(tmp_path, "t1 post")
    (tmp_path / "2023-01-10").mkdir()
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    affine[0, 3] = shift
    write_image(Image((VALUES > 30).astype(np.uint8), affine), tmp_path / "2023-01-10" / "lesion.nii.gz")
    region = {"name": "lesion", "visit": "2023-01-10", "purpose": "lesion", "file": "2023-01-10/lesion.nii.gz"}
    state(tmp_path, regions=[region])
    patient = read(tmp_path)
    assert codes(patient.problems) == problems
    if not problems:
        mask = read_mask(patient.regions[0], read_series(patient.visits[0].of_role("T1CE")))
        assert np.array_equal(mask.array > 0, VALUES > 30)


def test_two_visits_of_one_name(folder):
    state(folder, visits=[{"id": "2023-05-08", "studies": ["2023-01-10"]}])
    assert codes(read(folder).problems) == ["visit_twice"]


def test_images_beside_dicom_win_and_it_is_said(tmp_path):
    (tmp_path / "2023-01-10").mkdir()
    write_image(Image(VALUES, np.eye(4)), tmp_path / "2023-01-10" / "T1CE.nii.gz")
    t1(tmp_path, "t1 post")
    patient = read(tmp_path)
    assert "dicom_beside_images" in codes(patient.visits[0].warnings)


@pytest.mark.parametrize(
    ("text", "kind", "contrast"),
    [
        ("t1_mprage_sag_KM", "T1", True), ("T1 nach KM", "T1", True), ("t1 ohne KM", "T1", False),
        ("T1 nativ", "T1", False), ("T1 apr\u00e8s gado", "T1", True), ("T1 sans injection", "T1", False),
        ("T1 con contraste", "T1", True), ("T1 3D sin contraste", "T1", False), ("T1 dopo mdc", "T1", True),
        ("T1 senza mdc", "T1", False), ("T1 p\u00f3s-contraste", "T1", True), ("T1 sem contraste", "T1", False),
        ("T1 na contrast", "T1", True), ("T1 zonder contrast", "T1", False), ("T1 bez kontrastu", "T1", False),
        ("T1 kontrastl\u0131", "T1", True),
        ("T1 \u0441 \u043a\u043e\u043d\u0442\u0440\u0430\u0441\u0442\u043e\u043c", "T1", True),
        ("T1 \u589e\u5f3a", "T1", True), ("T1 \u9020\u5f71", "T1", True), ("AX T1 +C", "T1", True),
        ("T1+", "T1", True), ("Sag T1 W WO", "T1", None), ("T1 pre and post Gd", "T1", None),
        ("T1 post-op", "T1", None),
        ("T1 pre-op", "T1", None), ("t2_tirm_tra_dark-fluid", "FLAIR", None), ("T1 FLAIR", "T1", None),
        ("T1 C-", "T1", False), ("t1_mprage_C-_iso", "T1", False), ("T1 C+", "T1", True), ("t1-c-tra", "T1", True),
        ("T1 w/o contrast", "T1", False), ("T1 w/ contrast", "T1", True), ("T1 W/WO", "T1", None),
        ("T1 s/contraste", "T1", False), ("T1 c/contraste", "T1", True), ("T1 o. KM", "T1", False),
        ("T1 m. KM", "T1", True), ("t1_tirm_tra_dark-fluid_KM", "T1", True), ("T1 map post", None, True),
        ("Exponential ADC", None, None), ("eADC map", None, None), ("Exponential Apparent Diffusion", None, None),
        ("ADC map", "ADC", None), ("DSC_Perf_T2*", "DSC", None), ("T2* perfusion EPI", "DSC", None),
        ("T2 TSE", "T2", None), ("ep2d_perf", "DSC", None), ("3D_pCASL_6mm", "ASL", None), ("T2*", None, None),
        ("ep2d_diff_ADC", "ADC", None), ("DWI b1000", None, None), ("t1 post sub", None, True), ("survey", None, None),
    ],
)  # fmt: skip
def test_descriptions(text, kind, contrast):
    said = kind_said(text)
    assert said is not None
    assert said[1] == kind
    assert contrast_said(text) is contrast


def test_every_reason_to_set_aside_has_its_sentence():
    for name, role, _ in _KINDS:
        if role is None:
            assert f"series_{name}" in texts.catalogue(), name


@pytest.mark.parametrize("kind", ["RGB", "PALETTE COLOR", "MONOCHROME2"])
def test_a_colour_map_is_a_picture_and_never_a_map(tmp_path, kind):
    """Also one of a palette, whose numbers are of colours; a grey one of the TCIA series holds values."""
    t1(tmp_path, "t1 post")
    for k in range(3):
        dataset = write.instance(
            np.full((4, 5), k, np.uint8), study="s", series="c", number=k + 1, SeriesDescription="rCBV",
            SOPClassUID=uid.SecondaryCaptureImageStorage, ImagePositionPatient=[0, 0, 2 * k],
        )  # fmt: skip
        dataset.PhotometricInterpretation = kind
        if kind == "RGB":
            dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
            dataset.PixelData = bytes(60)
        write.save(dataset, tmp_path / "c" / f"{k}.dcm")
    (visit,) = read(tmp_path).visits
    found = {each.description: (each.role, each.reason.code) for each in (*visit.series, *visit.set_aside)}
    assert found["rCBV"] == (("rCBV", "role_from_description") if kind == "MONOCHROME2" else ("", "series_capture"))


def test_series_of_one_description_are_told_apart_by_their_files(tmp_path, capsys):
    post = {"study": "A", "ContrastBolusAgent": "Gadobutrol", "AcquisitionTime": "130000"}
    for number, name in enumerate(("one", "two")):
        values = VALUES + number  # the same ones would be a copy
        write.volume(tmp_path / name, values, series=name, description="AX T1 SE +C", **post)
    visit = read(tmp_path).visits[0]
    (warning,) = [warning for warning in visit.warnings if warning.code == "role_open"]
    assert warning.parameters["series"].count("AX T1 SE +C (") == 2
    assert "AX T1 SE +C (one)" in warning.parameters["series"] and "AX T1 SE +C (two)" in warning.parameters["series"]
    others = {series.path.name: series.reason.parameters["others"] for series in visit.set_aside}
    assert others == {"one": "AX T1 SE +C (two)", "two": "AX T1 SE +C (one)"}
    assert main(["inspect", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    listed = printed[printed.index("there, but not used:") :].splitlines()[1:3]
    assert {line.split(": ")[0].strip() for line in listed} == {"AX T1 SE +C (one)", "AX T1 SE +C (two)"}
    assert printed.rstrip().endswith("No problem found; 1 warning above.")
