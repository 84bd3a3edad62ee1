"""Numbers in regions, by hand: a lesion of known voxels in maps of known values, in two visits whose heads moved."""

from dataclasses import replace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.aligning import make_users
from PseudoProgressionAnalyzerLib.analysis.mapping import forget_ratios, make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import changes, measure_visits, values_of
from PseudoProgressionAnalyzerLib.measures import Image, Map, Measurement, Message, Patient, Region, Series, Visit
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.measurement_tables import measurement_tables

ANATOMY = np.diag([1.0, 1.0, 2.0, 1.0])  # mm
COARSE = np.diag([2.0, 2.0, 4.0, 1.0])
SHAPE = (12, 24, 24)
MAP_SHAPE = (6, 12, 12)


def box(first, last):
    """A mask with True from first to last (k, j, i), last excluded."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = True
    return Image(mask, ANATOMY)


def coarse_affine():
    """Voxel centres so that two by two by two anatomical voxels make one voxel of the map."""
    affine = COARSE.copy()
    affine[:3, 3] = 0.5, 0.5, 1.0
    return affine


def two_visits():
    """Visit b's head lies 4 mm to the right of visit a's; the lesion grows from 256 to 512 voxels of 2 mm3."""
    visits = [Visit(name, None, [Series("T1CE", "none")]) for name in "ab"]
    regions = [
        Region("lesion", "a", "lesion", "none", carried=True),
        Region("lesion", "b", "lesion", "none"),
    ]
    analysis = Analysis(Patient("p", visits, [], regions), reference_visit="a")
    to_a = np.eye(4)
    to_a[0, 3] = -4.0
    analysis.visit_to_reference = {"a": np.eye(4), "b": to_a}
    analysis.regions = {
        ("a", "lesion"): box((4, 4, 4), (8, 12, 12)),
        ("b", "lesion"): box((4, 4, 8), (8, 12, 24)),
    }
    analysis.references = {"a": box((4, 14, 4), (8, 22, 12)), "b": box((4, 14, 8), (8, 22, 16))}
    for name in "ab":
        values = np.full(MAP_SHAPE, 10.0, dtype=np.float32)
        values[2:4, 2:6] = 30.0 if name == "a" else 15.0  # (k, j) of the lesion, every i
        analysis.maps[name, "rCBV"] = Map(
            values, coarse_affine(), name="rCBV", unit="relative", quality=np.ones(MAP_SHAPE, dtype=bool)
        )
        analysis.series_to_visit[name, "rCBV"] = np.eye(4)
        make_ratio_maps(analysis, name)
    measure_visits(analysis)
    return analysis


def value(analysis, visit, name, kind="own", compared_to=""):
    rows = [
        row
        for row in analysis.measurements
        if (row.visit, row.name, row.kind, row.compared_to) == (visit, name, kind, compared_to)
    ]
    assert len(rows) == 1
    return rows[0]


def test_own_values_by_hand():
    analysis = two_visits()
    assert value(analysis, "a", "volume").value == pytest.approx(256 * 2 / 1000)
    assert value(analysis, "b", "volume").value == pytest.approx(512 * 2 / 1000)
    assert value(analysis, "a", "rCBV_ratio_mean").value == pytest.approx(3.0)
    assert value(analysis, "b", "rCBV_ratio_mean").value == pytest.approx(1.5)
    assert value(analysis, "b", "volume_percent", compared_to="a").value == pytest.approx(100.0)
    assert value(analysis, "b", "rCBV_ratio_mean", compared_to="a").value == pytest.approx(-1.5)
    assert value(analysis, "b", "rCBV_ratio_mean", compared_to="a").unit == "1"


def test_an_island_beside_the_lesion_is_said_with_its_volume():
    """32 voxels apart from the 256 of the lesion: a ninth of all."""
    analysis = two_visits()
    assert value(analysis, "a", "volume").flags == ()
    analysis.regions["a", "lesion"].array[4:8, 20:24, 20:22] = True
    measure_visits(analysis)
    volume = value(analysis, "a", "volume")
    assert volume.value == pytest.approx(288 * 2 / 1000)
    assert [(flag.code, flag.parameters) for flag in volume.flags] == [
        ("lesion_pieces", {"pieces": 2, "percent": 11.0})
    ]
    flagged = {(row.visit, row.name) for row in analysis.measurements if "lesion_pieces" in str(row.flags)}
    assert flagged <= {("a", "volume"), ("b", "volume"), ("b", "volume_percent")}


def test_the_fixed_region_is_carried_through_the_transform():
    """In visit b the map is made so that only the carried place, 4 mm further right, holds the value 7."""
    analysis = two_visits()
    values = np.full(MAP_SHAPE, 10.0, dtype=np.float32)
    values[2:4, 2:6, 4:8] = 70.0
    analysis.maps["b", "rCBV"].array[:] = values
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    assert value(analysis, "b", "rCBV_ratio_mean", kind="fixed").value == pytest.approx(7.0)
    assert value(analysis, "a", "rCBV_ratio_mean", kind="fixed").value == pytest.approx(3.0)
    assert value(analysis, "b", "rCBV_ratio_mean", kind="fixed").drawn_in == "a"
    # The same region without the transform covers other voxels: the check can fail.
    analysis.visit_to_reference["b"] = np.eye(4)
    measure_visits(analysis)
    assert value(analysis, "b", "rCBV_ratio_mean", kind="fixed").value != pytest.approx(7.0)


def test_own_and_fixed_can_move_in_opposite_directions():
    analysis = two_visits()
    values = analysis.maps["b", "rCBV"].array
    values[2:4, 2:6, 4:8] = 60.0  # where the old lesion was
    values[2:4, 2:6, 8:] = 10.0  # where it grew
    analysis.regions["b", "lesion"] = box((4, 4, 16), (8, 12, 24))
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    assert value(analysis, "b", "rCBV_ratio_mean", "own", "a").value < 0
    assert value(analysis, "b", "rCBV_ratio_mean", "fixed", "a").value > 0


def test_untrusted_voxels_are_left_out_and_a_mostly_untrusted_region_is_absent():
    analysis = two_visits()
    quality = analysis.maps["a", "rCBV_ratio"].quality
    analysis.maps["a", "rCBV_ratio"].array[2:4, 2:6, 2] = 99.0
    quality[2:4, 2:6, 2] = False
    measure_visits(analysis)
    assert value(analysis, "a", "rCBV_ratio_mean").value == pytest.approx(3.0)
    quality[2:4, 2:6, 2:5] = False
    measure_visits(analysis)
    row = value(analysis, "a", "rCBV_ratio_mean")
    assert row.value is None
    assert "region_mostly_untrusted" in [flag.code for flag in row.flags]


def test_few_voxels_are_not_measured():
    analysis = two_visits()
    analysis.regions["a", "lesion"] = box((4, 4, 4), (6, 6, 6))  # one voxel of the map
    measure_visits(analysis)
    row = value(analysis, "a", "rCBV_ratio_mean")
    assert row.value is None
    assert "region_few_voxels" in [flag.code for flag in row.flags]


def shared(first):
    """Rows of visit a with a lesion that begins at first (i): from 5 on it lies in a voxel of the map at each end by
    half."""
    analysis = two_visits()
    analysis.maps["a", "rCBV"].array[2:4, 2:6] = 10.0
    analysis.maps["a", "rCBV"].array[2:4, 2:6, 2:6] = 30.0
    analysis.maps["a", "rCBV"].array[2:4, 2:6, [2, 6]] = 20.0 if first % 2 else 30.0, 20.0 if first % 2 else 10.0
    analysis.regions["a", "lesion"] = box((4, 4, first), (8, 12, first + 8))
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    return [value(analysis, "a", f"rCBV_ratio_{what}") for what in ("mean", "outside")]


def test_what_lies_outside_of_the_region_is_said():
    """Each row along i: three voxels of 3 wholly inside, two of 2 by half: 11 over 4, of which an eighth is normal."""
    mean, outside = shared(5)
    assert mean.value == pytest.approx(11 / 4)
    assert outside.value == pytest.approx(100 / 8) and outside.unit == "%"
    (said,) = [flag for flag in mean.flags if flag.code == "region_shared_voxels"]
    assert said.parameters == {"percent": 12, "alone": "3.00"}


def test_whole_voxels_share_nothing():
    mean, outside = shared(4)
    assert mean.value == pytest.approx(3.0)
    assert outside.value == 0
    assert "region_shared_voxels" not in [flag.code for flag in mean.flags]


def test_how_much_lies_outside_has_no_change():
    analysis = two_visits()
    assert value(analysis, "b", "rCBV_ratio_outside").value == 0
    assert not [row for row in analysis.measurements if "_outside" in row.name and row.compared_to]


def test_without_reference_tissue_there_is_no_ratio():
    analysis = two_visits()
    del analysis.references["b"], analysis.maps["b", "rCBV_ratio"]
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    assert not [row for row in analysis.measurements if row.visit == "b" and row.name.startswith("rCBV")]


def row(visit, amount, unit="mL", **more):
    return Measurement(visit, "lesion", "own", visit, "volume", amount, unit, **more)


def test_changes_skip_visits_without_a_value():
    found = changes([row("a", 10.0), row("b", None), row("c", 5.0)], ["a", "b", "c"])
    assert [(change.visit, change.compared_to, change.name, change.value) for change in found] == [
        ("c", "a", "volume", -5.0),
        ("c", "a", "volume_percent", pytest.approx(-50.0)),
    ]


def test_a_change_to_a_visit_whose_alignment_failed_says_so():
    """Own lesions are measured without the transform, but two people as two visits would pass for one course."""
    analysis = two_visits()
    analysis.alignment = {"a": {"uncertainty": 0.0}, "b": {"uncertainty": 10.8}}

    def said():
        measure_visits(analysis)
        changed = [row for row in analysis.measurements if row.compared_to]
        assert {row.kind for row in changed} == {"own", "fixed"}
        assert not any(flag.code == "alignment_failed" for row in values_of(analysis) for flag in row.flags)
        return {
            tuple(flag.parameters["visit"] for flag in row.flags if flag.code == "alignment_failed") for row in changed
        }

    analysis.messages["b"] = [Message("registration_uncertain", {"uncertainty": 10.8, "limit": 2.0})]
    assert said() == {()}
    analysis.messages["b"].append(Message("registration_disagrees", {"distance": 2.7, "limit": 1.6}))
    assert said() == {("b",)}
    make_users(analysis, "b")  # the user's own judgement
    assert said() == {()}


def test_a_change_that_rests_on_an_alignment_to_be_checked_says_so():
    """The carried region may lie on another place in b; each visit's own lesion is measured in that visit."""
    analysis = two_visits()
    analysis.alignment = {"a": {"uncertainty": 0.0}, "b": {"uncertainty": 2.8}}

    def said():
        measure_visits(analysis)
        marked = [
            row for row in analysis.measurements if "alignment_check_carried" in {flag.code for flag in row.flags}
        ]
        assert all(row.compared_to for row in marked), "a value is not a change"
        changed = [row for row in analysis.measurements if row.compared_to and row.kind == "fixed"]
        assert marked in ([], changed)
        return {flag.parameters["visit"] for row in marked for flag in row.flags if flag.code.startswith("alignment_")}

    assert said() == set()
    analysis.messages["b"] = [Message("registration_uncertain", {"uncertainty": 2.8, "limit": 2.0})]
    assert said() == {"b"}
    shown = measurement_tables(Markup(analysis.patient), analysis.measurements)
    own, fixed = (shown[shown.index(kind) :].partition("<h3>")[0] for kind in ("Own: the region", "Fixed: the region"))
    assert "to be checked by eye" in fixed and "to be checked by eye" not in own
    make_users(analysis, "b")
    assert said() == set()


def test_a_change_of_volume_within_its_error_says_so():
    found = changes([row("a", 10.0, low=8.0, high=12.0), row("b", 10.5, low=8.5, high=12.5)], ["a", "b"])
    assert [[flag.code for flag in change.flags] for change in found] == [["lesion_change_within_error"]] * 2
    found = changes([row("a", 10.0, low=8.0, high=12.0), row("b", 20.0, low=17.0, high=24.0)], ["a", "b"])
    assert [change.flags for change in found] == [(), ()]


def test_no_change_where_a_unit_is_unknown():
    """An ADC in mm2/s beside one in 1e-6 mm2/s would be a change of a factor of a million."""
    known = "10^-6 mm2/s"
    for first, second, unsaid in (("unknown", "unknown", "a, b"), ("unknown", known, "a"), (known, "unknown", "b")):
        rows = [replace(row("a", 0.9, first), name="ADC_mean"), replace(row("b", 900.0, second), name="ADC_mean")]
        (change,) = changes(rows, ["a", "b"])
        assert (change.name, change.value, change.low, change.high) == ("ADC_mean", None, None, None)
        assert [(flag.code, flag.parameters) for flag in change.flags] == [("change_unit_unknown", {"visits": unsaid})]
    rows = [replace(row(visit, value, known), name="ADC_mean") for visit, value in (("a", 900.0), ("b", 1200.0))]
    assert [change.value for change in changes(rows, ["a", "b"])] == [300.0, pytest.approx(33.333, abs=0.01)]


def test_no_percentage_of_nothing_and_no_change_between_units():
    found = changes([row("a", 0.0), row("b", 5.0)], ["a", "b"])
    assert [change.name for change in found] == ["volume"]
    assert changes([row("a", 1.0), row("b", 5.0, "mm")], ["a", "b"]) == []


@pytest.mark.parametrize(("planes", "percent"), [(6, None), (3, 50), (2, 0)])
def test_a_region_that_reaches_beyond_the_map_says_so(planes, percent):
    """The lesion fills the planes 2 and 3 of the map, of which a thinner slab shows one or none."""
    analysis = two_visits()
    for name in ("rCBV", "rCBV_ratio"):
        whole = analysis.maps["b", name]
        analysis.maps["b", name] = replace(whole, array=whole.array[:planes], quality=whole.quality[:planes])
    measure_visits(analysis)
    row = value(analysis, "b", "rCBV_ratio_mean")
    said = {flag.code: flag.parameters for flag in row.flags}
    assert said.get("region_partly_outside") == ({"percent": percent} if percent else None)
    assert row.value == (pytest.approx(1.5) if planes > 2 else None)


def test_a_region_of_which_the_map_shows_little_is_not_measured():
    analysis = two_visits()
    analysis.regions["b", "lesion"] = box((0, 4, 8), (12, 12, 24))
    whole = analysis.maps["b", "rCBV_ratio"]
    analysis.maps["b", "rCBV_ratio"] = replace(whole, array=whole.array[:2], quality=whole.quality[:2])
    measure_visits(analysis)
    row = value(analysis, "b", "rCBV_ratio_mean")
    assert row.value is None
    assert [(flag.code, flag.parameters) for flag in row.flags if flag.code.startswith("region_")] == [
        ("region_mostly_outside", {"percent": 33})
    ]


def test_reference_tissue_of_one_voxel_is_no_reference():
    """Drawn over eight anatomical voxels that make one of the map: its noise would be a factor of every ratio."""
    analysis = two_visits()
    analysis.references["b"] = box((4, 14, 8), (6, 16, 10))
    analysis.maps["b", "rCBV"].array[2, 7, 4] = 1.0
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    row = value(analysis, "b", "rCBV_ratio_mean")
    assert row.value is None
    assert [flag.code for flag in row.flags] == ["reference_without_value", "region_few_voxels"]
    assert analysis.messages["b"] == list(row.flags)
    analysis.references["b"] = box((4, 14, 8), (6, 16, 12))  # a second voxel: of the first one nothing is said any more
    make_ratio_maps(analysis, "b")
    assert [message.parameters.get("voxels") for message in analysis.messages["b"]] == [None, 2.0]
    forget_ratios(analysis, "b")
    assert not analysis.absent and not analysis.messages["b"]
    analysis.references["b"] = box((4, 14, 8), (8, 22, 16))
    analysis.maps["b", "rCBV"].array[2, 7, 4] = 10.0
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    assert value(analysis, "b", "rCBV_ratio_mean").value == pytest.approx(1.5)
    assert ("b", "rCBV_ratio") not in analysis.absent and not analysis.messages["b"]


def test_reference_tissue_that_is_mostly_untrusted_is_no_reference():
    analysis = two_visits()
    analysis.maps["b", "rCBV"].quality[2:4, 7:10, 4:8] = False  # of the rows 7 to 10
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    row = value(analysis, "b", "rCBV_ratio_mean")
    assert row.value is None and "region_mostly_untrusted" in [flag.code for flag in row.flags]


def test_without_reference_tissue_no_ratio_of_before_stays():
    analysis = two_visits()
    del analysis.references["b"]
    make_ratio_maps(analysis, "b")
    measure_visits(analysis)
    assert ("b", "rCBV_ratio") not in analysis.maps
    assert not [row for row in analysis.measurements if row.visit == "b" and row.reference]


def flags_of_change(analysis):
    return {flag.code: flag.parameters for flag in value(analysis, "b", "rCBV_ratio_mean", "own", "a").flags}


def test_what_was_made_otherwise_is_said_of_the_change():
    """Another leakage model in the later visit, and reference tissue that was drawn in it."""
    analysis = two_visits()
    made_otherwise = {"change_methods_differ", "change_references_differ"}
    assert not made_otherwise & set(flags_of_change(analysis))
    for visit, model in (("a", "unidirectional"), ("b", "bidirectional")):
        analysis.maps[visit, "rCBV"].method = f"DSC, {model} leakage correction"
        make_ratio_maps(analysis, visit)
    analysis.patient.regions.append(Region("white", "b", "reference", "none"))
    measure_visits(analysis)
    said = flags_of_change(analysis)
    assert said["change_methods_differ"] == {
        "then": "DSC, unidirectional leakage correction", "now": "DSC, bidirectional leakage correction"
    }  # fmt: skip
    assert said["change_references_differ"] == {"then": "contralateral white matter", "now": "drawn reference tissue"}
    assert "change_methods_differ" not in {flag.code for flag in value(analysis, "b", "volume", "own", "a").flags}
    analysis.maps["a", "rCBV"].method = "DSC, bidirectional leakage correction; whole series"
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    assert flags_of_change(analysis)["change_methods_differ"] == {"then": "whole series", "now": "-"}


def test_a_change_says_that_a_value_is_of_a_part():
    analysis = two_visits()
    whole = analysis.maps["b", "rCBV_ratio"]
    analysis.maps["b", "rCBV_ratio"] = replace(whole, array=whole.array[:3], quality=whole.quality[:3])
    measure_visits(analysis)
    assert flags_of_change(analysis)["region_partly_outside"] == {"percent": 50}
