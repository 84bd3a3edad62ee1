"""The grade of a DSC protocol against the words of the consensus."""

import pytest

from PseudoProgressionAnalyzerLib.perfusion.protocol import protocol_grade


def grade(echo_time=0.030, flip_angle=60, field_strength=3.0, preload=True):
    return protocol_grade(echo_time=echo_time, flip_angle=flip_angle, field_strength=field_strength, preload=preload)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"flip_angle": 30, "preload": False},
        {"echo_time": 0.045, "field_strength": 1.5},
        {"echo_time": 0.035, "field_strength": 2.89},
    ],
)
def test_recommended(values):
    assert grade(**values).grade == "recommended"
    assert not grade(**values).reasons


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"echo_time": 0.045}, "dsc_protocol_echo_time"),
        ({"echo_time": 0.030, "field_strength": 1.5}, "dsc_protocol_echo_time"),
        ({"flip_angle": 90}, "dsc_protocol_flip_angle_preload"),
        ({"preload": False}, "dsc_protocol_flip_angle"),
        ({"field_strength": 7.0}, "dsc_protocol_field"),
    ],
)
def test_departures_are_named(values, code, sentences):
    found = grade(**values)
    assert found.grade == "departs"
    (reason,) = found.reasons
    assert reason.code == code
    assert sentences[code].format(**reason.parameters)


def test_what_is_not_known_is_no_departure():
    for name in ("echo_time", "flip_angle", "field_strength", "preload"):
        found = grade(**{name: None})
        assert found.grade == "unknown"
        assert [reason.code for reason in found.reasons] == ["dsc_protocol_unknown"]
    assert grade(flip_angle=None, echo_time=0.060).grade == "departs"
