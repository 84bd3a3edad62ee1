"""The output folder: complete, anonymous unless asked, and never written over somebody's files."""

import gzip
import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, InputError
from PseudoProgressionAnalyzerLib.report import measurements_csv, timeline_png
from PseudoProgressionAnalyzerLib.report.results import ratio_kind, write_results

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
