"""One line for each criterion: its category, the sizes as they were measured, what is not known."""

import datetime
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "analysis"))
from test_responding import patient

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.report.impression import impression, references, tree_impression, with_other_baselines


def line(analysis, visit, criterion="RANO_2.0"):
    return impression(analysis, analysis.response.of(visit, criterion))


def test_at_the_last_scan_nothing_later_is_spoken_of():
    """A response that no scan could confirm yet counts as stable: not because of later scans."""
    said = line(patient((16, 12, 6)), "v2")
    assert "PR, partial response" in said and "With the later scans" not in said
    assert "Until a later scan confirms it, it counts as: SD, stable disease" in said


def test_category_size_and_what_later_scans_made_of_it():
    said = line(patient((12, 16, 12)), "v1")
    form = r"preliminary progression, awaiting confirmation: \+(\d+) % by area and \+(\d+) % by volume "
    form += r"since the baseline of 2023-01-29 \(enhancing tumour\)\. "
    area, volume = map(float, re.match(form, said).groups())
    assert area == pytest.approx(100 * ((16 / 12) ** 2 - 1), rel=0.15)
    assert volume == pytest.approx(100 * ((16 / 12) ** 3 - 1), rel=0.1)
    assert said.endswith("With the later scans: growth that was not confirmed: favours pseudoprogression.")


def test_the_smallest_size_is_named_where_it_is_another_visit():
    said = line(patient((16, 12, 15)), "v2")
    form = r"([+-]\d+) % by area and ([+-]\d+) % by volume since the baseline of 2023-01-29 \(enhancing tumour\); "
    form += r"([+-]\d+) % and ([+-]\d+) % since the smallest size, on 2023-03-12 \(enhancing tumour\)\."
    percents = [float(number) for number in re.search(form, said).groups()]
    true = [100 * ((15 / other) ** power - 1) for other in (16, 12) for power in (2, 3)]
    assert percents == pytest.approx(true, abs=6)
    assert said.startswith("PD, progressive disease: ")


def test_the_smallest_after_radiotherapy_is_not_called_the_smallest():
    """RANO 2010 (1.36): 12 mm at its baseline before radiotherapy, 20 mm after it, 16 mm more than 12 weeks after."""
    analysis = patient((12, 20, 16))
    end = analysis.patient.visits[1].date - datetime.timedelta(weeks=1)
    courses = [event for event in analysis.patient.events if event.kind == "radiotherapy"]
    others = [event for event in analysis.patient.events if event.kind != "radiotherapy"]
    analysis.patient.events = [*others, replace(courses[0], date=end - datetime.timedelta(weeks=3), end=end)]
    analysis.patient.visits[2].date = end + datetime.timedelta(weeks=13)
    analysis.patient.events = [
        replace(event, date=analysis.patient.visits[2].date)
        if event.kind == "reading" and event.date > end + datetime.timedelta(weeks=2)
        else event
        for event in analysis.patient.events
    ]
    update_lesions(analysis)
    said = line(analysis, "v2", "RANO_2010")
    assert re.search(r"\+\d+ % by area and \+\d+ % by volume since the baseline of 2023-01-29", said)
    assert re.search(r"-\d+ % and -\d+ % since the smallest size after radiotherapy, on 2023-03-12", said)
    verdict = analysis.response.of("v2", "RANO_2010").volume
    assert references(analysis.patient, verdict) == ("Baseline 2023-01-29, smallest size after radiotherapy 2023-03-12")
    assert references(analysis.patient, analysis.response.bt_rads_of("v2")) == "Compared with 2023-03-12"


def test_area_and_volume_are_of_one_part_which_is_named():
    """Enhancement has no area, the other part has both: its volume alone, which shrank by 0.3 %, stands beside."""
    analysis = patient((12, 16, 12))
    response = analysis.response.of("v1", "RANO_2.0")
    none, ten, fifty, hardly = (Estimate(value, "%") for value in (None, 10.0, 50.0, -0.3))
    area = replace(response.area, from_baseline={"enhancing": none, "non_enhancing": ten})
    volume = replace(response.volume, from_baseline={"enhancing": fifty, "non_enhancing": hardly})
    said = impression(analysis, replace(response, area=area, volume=volume))
    assert ": +10 % by area and +0 % by volume since the baseline of 2023-01-29 (non-enhancing tumour)." in said
    volume = replace(volume, from_baseline={"enhancing": fifty})
    assert " % by " not in impression(analysis, replace(response, area=area, volume=volume))


def test_what_is_not_known_stands_in_the_line():
    analysis = patient((12, 12, 12))
    analysis.patient.events = [event for event in analysis.patient.events if event.kind != "reading"]
    update_lesions(analysis)
    said = line(analysis, "v2")
    response = analysis.response.of("v2", "RANO_2.0")
    unknown = {texts.sentence(message) for message in (*response.area.unknowns, *response.volume.unknowns)}
    assert len(unknown) == 3
    assert said.startswith("SD or PD: ")
    assert said.endswith(f" definite leptomeningeal disease (and {len(unknown) - 1} more that are not known).")
    tree = analysis.response.bt_rads_of("v2")
    first = "It is unknown how enhancement compares with the study before"
    assert tree_impression(tree) == f"1a, 2, 3b, 3c or 4. {first} (and 3 more that are not known)."


def test_another_baseline_is_named_where_it_says_something_else():
    """10 mm is a quarter of the volume of 16 mm and more than half of that of 12 mm."""
    analysis = patient((16, 12, 10))
    assert line(analysis, "v2").startswith("PR, partial response: ")
    assert with_other_baselines(analysis, analysis.response.of("v2", "RANO_2.0")) == ["2023-03-12: stable disease (SD)"]
    assert with_other_baselines(analysis, analysis.response.of("v1", "RANO_2.0")) == []
