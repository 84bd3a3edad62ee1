"""What changed in how a role was acquired."""

from pathlib import Path

from PseudoProgressionAnalyzerLib.measures import Series, Visit
from PseudoProgressionAnalyzerLib.patient.changes import add_changes, changes_of


def visit(name, **acquisition):
    return Visit(name, None, [Series("DSC", Path("x"), acquisition)])


def test_the_last_visit_with_that_role_is_compared():
    visits = [visit("a", EchoTime=0.03), Visit("b", None), visit("c", EchoTime=0.045, FlipAngle=60)]
    found = changes_of(visits[2], visits[:2])
    assert [message.parameters for message in found] == [
        {"role": "DSC", "visit": "c", "since": "a", "changes": "EchoTime 0.03 to 0.045 s"}
    ]
    add_changes(visits)
    assert [len(visit.warnings) for visit in visits] == [0, 0, 1]


def test_rounding_and_unknown_fields_are_no_change():
    assert changes_of(visit("b", MagneticFieldStrength=1.494), [visit("a", MagneticFieldStrength=1.5)]) == []
    assert changes_of(visit("b", EchoTime=0.03), [visit("a")]) == []
