"""The output folder: complete, anonymous unless asked, and never written over somebody's files."""

import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, InputError, Message, Region
from PseudoProgressionAnalyzerLib.report import measurements_csv, timeline_png
from PseudoProgressionAnalyzerLib.report.results import ratio_kind, shown_analysis, write_results

VISITS = ("2020-03-02", "2021-01-15")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(timeline_png, "HEIGHT", 300)


def test_everything_is_there_and_says_what_it_is(analysis, tmp_path, secret):
    folder = tmp_path / "out"
    written = write_results(analysis, folder)
    maps = [f"{visit}_{name}" for visit in VISITS for name in ("Cho_NAA_molar", "rCBV_ratio")]
    expected = ["assessment.json", "measurements.csv", "report.html", "timeline.png"]
    expected += [f"maps/{name}{ending}" for name in maps for ending in (".json", ".nii.gz", "_trusted.nii.gz")]
    assert sorted(path.relative_to(folder).as_posix() for path in written) == sorted(expected)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(written)
    for path in written:
        if path.suffix != ".gz":
            assert DISCLAIMER.encode() in path.read_bytes()[:400] or path.suffix == ".png"
            assert secret.encode() not in path.read_bytes()
    assert len(measurements_csv.read(folder / "measurements.csv")) == len(analysis.measurements)


def test_maps_hold_their_values_and_nothing_untrusted(analysis, tmp_path):
    write_results(analysis, tmp_path / "out")
    map_ = analysis.maps[VISITS[0], "rCBV_ratio"]
    maps = tmp_path / "out" / "maps"
    file = maps / f"{VISITS[0]}_rCBV_ratio.nii.gz"
    assert np.allclose(read_image(file).affine, map_.affine, atol=1e-4)
    # As the bytes stand in the file (NIfTI-1: float32 from byte 352), because ITK reads NaN as 0.
    stored = np.frombuffer(gzip.decompress(file.read_bytes())[352:], dtype="<f4").reshape(map_.shape)
    assert np.array_equal(np.isfinite(stored), map_.quality)
    assert np.allclose(stored[map_.quality], map_.array[map_.quality])
    sidecar = json.loads((maps / f"{VISITS[0]}_rCBV_ratio.json").read_text())
    assert (sidecar["Units"], sidecar["Method"], sidecar["RatioKind"]) == ("1", "made up", "reference")
    assert np.array_equal(read_image(maps / sidecar["Trusted"]).array > 0, map_.quality)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("rCBV_ratio", "reference"), ("Cho_NAA_molar", "molar"), ("Cho_Cr_area", "area"), ("rCBV", None), ("ADC", None)],
)
def test_the_kind_of_ratio_is_said(name, kind):
    assert ratio_kind(name) == kind


def test_the_patient_is_named_only_when_asked(analysis, tmp_path, secret):
    write_results(analysis, tmp_path / "out", show_patient=True)
    assert secret in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "assessment.json").read_text())["patient"] == secret


def test_an_earlier_result_is_replaced_only_when_asked(analysis, tmp_path):
    folder = tmp_path / "out"
    write_results(analysis, folder)
    with pytest.raises(InputError) as refused:
        write_results(analysis, folder)
    assert refused.value.message.code == "output_exists"
    (folder / "maps" / "mine.json").write_text("{}")
    analysis.measurements = analysis.measurements[:1]
    analysis.maps = {key: map_ for key, map_ in analysis.maps.items() if key[0] == VISITS[0]}
    written = write_results(analysis, folder, overwrite=True)
    assert len(measurements_csv.read(folder / "measurements.csv")) == 1
    # The maps of the visit that is no longer there are gone, what somebody else put there is not.
    assert {path for path in folder.rglob("*") if path.is_file()} == {*written, folder / "maps" / "mine.json"}


def test_a_visit_id_that_is_no_file_name_is_no_trouble(analysis, tmp_path):
    analysis.maps = {
        ("../visit 1/2", name): map_ for (visit, name), map_ in analysis.maps.items() if visit == VISITS[0]
    }
    analysis.images.clear()
    write_results(analysis, tmp_path / "out")
    assert (tmp_path / "out" / "maps" / ".._visit_1_2_rCBV_ratio.nii.gz").is_file()


def test_visits_whose_names_differ_in_signs_alone_keep_their_maps_apart(analysis, tmp_path):
    """The job ended after all of its work, and wrote nothing, because a file was there already."""
    map_ = analysis.maps[VISITS[0], "rCBV_ratio"]
    analysis.maps = {(visit, "rCBV_ratio"): map_ for visit in ("fu 1", "fu/1", "FU_1")}
    write_results(analysis, tmp_path / "out")
    sidecars = [json.loads(path.read_text()) for path in (tmp_path / "out" / "maps").glob("*.json")]
    assert sorted(sidecar["Visit"] for sidecar in sidecars) == ["FU_1", "fu 1", "fu/1"]
    names = [path.name.casefold() for path in (tmp_path / "out" / "maps").iterdir()]
    assert len(names) == len(set(names)) == 9


def test_an_error_half_way_leaves_nothing(analysis, tmp_path, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(measurements_csv, "write", fail)
    with pytest.raises(KeyboardInterrupt):
        write_results(analysis, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_an_aligned_image_the_rest_is_written(analysis, tmp_path):
    analysis.images.clear()
    written = write_results(analysis, tmp_path / "out")
    names = {path.name for path in written}
    assert "report.html" in names and "timeline.png" not in names


def test_what_is_shown_names_neither_patient_nor_folders(analysis, secret):
    visit = analysis.patient.visits[1]
    far = Path("/data") / secret / visit.id / "DSC.nii.gz"
    first = visit.series[0]
    visit.series[0] = dataclasses.replace(
        first, path=far, files=(far, far.parent / "2.dcm"), uid="1.2", description="D"
    )
    visit.set_aside = [dataclasses.replace(first, path=far, reason=Message("m", {"file": str(far)}))]
    visit.warnings.append(Message("w", {"file": str(far), "share": 0.5}))
    analysis.patient.regions.append(Region("r", visit.id, "free", far))
    analysis.messages[visit.id] = [Message("file_missing", {"file": str(far)})]
    shown = shown_analysis(analysis)
    assert secret in repr(analysis.patient) and secret in repr(analysis.messages)  # the analysis is left alone
    assert secret not in repr(shown.patient) and secret not in repr(shown.messages)
    cut = shown.patient.visits[1]
    short = Path(visit.id, "DSC.nii.gz")
    assert cut.series[0] == dataclasses.replace(first, path=short, files=(short, Path(visit.id, "2.dcm")))
    assert cut.warnings[-1] == Message("w", {"file": short.as_posix(), "share": 0.5})
    assert shown.patient.events == analysis.patient.events
    assert shown.measurements is analysis.measurements and shown.maps is analysis.maps
    assert shown_analysis(analysis, show_patient=True) is analysis


def test_the_caller_may_add_files_which_come_and_go_with_the_rest(analysis, tmp_path, secret):
    folder = tmp_path / "out"
    given = []

    def also(shown, stage):
        given.append(shown.patient.id)
        assert not folder.exists() and (stage / "report.html").is_file()
        (stage / "scene.mrb").write_text("nodes")

    written = write_results(analysis, folder, also=also)
    assert folder / "scene.mrb" in written
    assert (folder / "scene.mrb").read_text() == "nodes"
    assert given == ["anonymous"] and secret not in given
    written = write_results(analysis, folder, overwrite=True)
    assert folder / "scene.mrb" not in written
    assert not (folder / "scene.mrb").exists()  # it held the earlier numbers


def test_an_error_of_the_callers_files_leaves_nothing(analysis, tmp_path):
    def also(shown, stage):
        (stage / "scene.mrb").write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_results(analysis, tmp_path / "out", also=also)
    assert list(tmp_path.iterdir()) == []


def test_the_pictures_that_are_given_are_shown(analysis, tmp_path):
    class Black:
        def cell(self, visit, image, plane):
            return np.zeros((*plane.shape[1:], 3))

    write_results(analysis, tmp_path / "own")
    write_results(analysis, tmp_path / "given", pictures=Black())
    own, given = (sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / name / "timeline.png")) for name in ("own", "given"))
    assert np.mean(given.max(axis=-1) == 0) > 1.2 * np.mean(own.max(axis=-1) == 0)
