"""The report made beside the interface: what the main thread alone would have written, or nothing at all."""

import threading
from concurrent.futures import CancelledError

import pytest

from PseudoProgressionAnalyzerLib.report import results


def test_the_page_made_beside_is_the_page(session):
    from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures

    session.compute()
    shares = []
    page = session.report_page(show=lambda message, share: shares.append(share))
    pictures = ScenePictures(session.application.scene)
    assert page == results.page(session.analysis, pictures=pictures)
    assert page != results.page(session.analysis)  # the scene's own pictures are in it
    assert shares == sorted(shares)
    assert len(shares) >= 1  # the newest of each slice of time
    assert shares[-1] == pytest.approx(1.0)


def test_pictures_of_the_scene_are_made_in_the_main_thread(session, monkeypatch):
    from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures

    session.compute()
    threads, cell = set(), ScenePictures.cell

    def noting(self, *arguments):
        threads.add(threading.current_thread())
        return cell(self, *arguments)

    monkeypatch.setattr(ScenePictures, "cell", noting)
    session.report_page()
    assert threads == {threading.main_thread()}


def test_a_report_that_is_stopped_leaves_the_folder_as_it_was(session, tmp_path, monkeypatch):
    session.compute()
    session.save_report(tmp_path / "report")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    cancel, page = threading.Event(), results.html.page

    def stopped_after_the_page(*arguments):
        cancel.set()
        return page(*arguments)

    monkeypatch.setattr(results.html, "page", stopped_after_the_page)
    with pytest.raises(CancelledError):
        session.save_report(tmp_path / "report", overwrite=True, cancel=cancel)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_stroke_before_the_report_is_judged_in_it(session, grown, monkeypatch):
    from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node
    from PseudoProgressionAnalyzerLib.scene.segments import on_grid, put_segment, segment_mask, segment_of

    session.compute()
    visit = session.analysis.patient.visits[1].id
    node = find(patient_node(session.application.scene), Kind.LESION, visit)
    segment = segment_of(node, "lesion")
    whole = on_grid(segment_mask(node, segment), session.analysis.images[visit, "T1CE"])
    whole.array[:] = grown(whole.array)
    put_segment(node, "lesion", "lesion", whole)
    session.remeasure(node, segment)
    assert session.unsettled
    session.report_page()
    assert not session.unsettled


def test_the_table_that_the_panel_saves_names_no_patient(session, tmp_path):
    """As the report's own table, number by number."""
    session.compute()
    session.analysis.patient.id = "12345678"
    session.save_report(tmp_path / "report")
    session.save_measurements(tmp_path / "mine.csv")
    saved = (tmp_path / "mine.csv").read_text(encoding="utf-8")
    assert saved == (tmp_path / "report" / "measurements.csv").read_text(encoding="utf-8")
    assert "12345678" not in saved
    session.save_measurements(tmp_path / "named.csv", show_patient=True)
    assert "12345678" in (tmp_path / "named.csv").read_text(encoding="utf-8")
