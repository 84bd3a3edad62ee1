"""The chosen visit is kept with the patient, and what was known by it is judged without what came later."""

import dataclasses

from PseudoProgressionAnalyzerLib.analysis.known import known_analysis
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.as_of import choose_as_of, chosen_as_of
from PseudoProgressionAnalyzerLib.scene.build import build_scene, write_patient
from PseudoProgressionAnalyzerLib.scene.nodes import patient_node
from PseudoProgressionAnalyzerLib.scene.plain import to_plain
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb


def test_the_chosen_visit_survives_the_scene(app, analysis, phantom, tmp_path):
    assert chosen_as_of(app.scene) == ""
    choose_as_of(app.scene, "nothing to keep it with")
    build_scene(app, analysis, phantom.assessment_json)
    assert chosen_as_of(app.scene) == ""
    earlier = analysis.patient.visits[1].id
    choose_as_of(app.scene, earlier)
    write_patient(patient_node(app.scene), analysis)  # as after every stroke
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    assert chosen_as_of(other.scene) == earlier


def test_later_visits_make_nothing_of_earlier_categories(analysis):
    update_lesions(analysis)
    earlier, latest = (visit.id for visit in analysis.patient.visits[1:])
    analysis.assessments = [dataclasses.replace(analysis.assessments[0], as_of=visit) for visit in (earlier, latest)]
    known, left_out = known_analysis(analysis, earlier)
    cut = dataclasses.replace(
        analysis,
        patient=dataclasses.replace(
            analysis.patient,
            visits=analysis.patient.visits[:2],
            regions=[region for region in analysis.patient.regions if region.visit != latest],
        ),
        outlines={},
    )
    update_lesions(cut)
    assert left_out == 1
    assert to_plain(known.response) == to_plain(cut.response)
    assert to_plain(known.lesions) == to_plain(cut.lesions)
    assert {found.visit for found in analysis.response.responses} - {found.visit for found in known.response.responses}
