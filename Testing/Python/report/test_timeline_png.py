"""timeline.png: the right slice, the right way round, the same scale in every column, and nobody's name."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Message, Region, Visit
from PseudoProgressionAnalyzerLib.report import aligned, canvas, colours, timeline_png
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures

OWN = np.array(colours.OWN)


def from_scene(analysis):
    """The pictures of the analysis in a scene of its own."""
    made = application()
    build_scene(made, analysis)
    pictures = ScenePictures(made.scene)
    pictures.application = made  # to live as long
    return pictures


both_ways = pytest.mark.parametrize("pictures", [lambda analysis: None, from_scene], ids=["drawn here", "from a scene"])


@pytest.fixture
def small(monkeypatch):
    """Small pictures, where their size does not matter."""
    monkeypatch.setattr(timeline_png, "HEIGHT", 300)


def picture(analysis, title=None, pictures=None):
    """The timeline as pixels."""
    return timeline_png.sheet(analysis, title, pictures=pictures).draw()


def alone(analysis):
    """The first visit without regions and maps: grey pictures only."""
    first = analysis.patient.visits[0]
    patient = dataclasses.replace(analysis.patient, visits=[first], regions=[])
    return dataclasses.replace(analysis, patient=patient, maps={}, references={}, measurements=[])


def tiles(pixels):
    """(top, bottom, left, right) of the pictures in the first row: their upper edges are black from end to end."""
    black = np.all(pixels == 0, axis=-1)
    top = int(np.argmax([row.sum() > 150 for row in black]))
    steps = np.flatnonzero(np.diff(np.concatenate([[0], black[top].astype(int), [0]])))
    found = []
    for left, right in zip(steps[::2], steps[1::2], strict=True):
        bottom = top + int(np.argmin(black[top:, left]))
        found.append((top, bottom, int(left), int(right)))
    return found


def markers(pixels, tile):
    """Middles (share down, share across) of the bright blobs of a picture, letters left out."""
    top, bottom, left, right = tile
    bright = np.all(pixels[top:bottom, left:right] > 0.98, axis=-1)
    bright[:30] = False
    labels, number = ndimage.label(bright)
    sizes = ndimage.sum(bright, labels, range(1, number + 1))
    large = [label + 1 for label in range(number) if sizes[label] > 100]
    if not large:
        return []
    middles = np.array(ndimage.center_of_mass(bright, labels, large)) / (bottom - top, right - left)
    return sorted(middles, key=lambda middle: middle[1])


@both_ways
@pytest.mark.parametrize("flip", [np.diag([1, 1, 1.0]), np.diag([-1, -1, 1.0]), np.diag([-1, 1, 1.0])])
def test_the_patients_left_is_on_the_right_and_the_front_on_top(analysis, phantom, flip, pictures):
    shown = alone(analysis)
    shape = (30, 44, 36)
    affine = phantom["centred"](flip, (3.6, 3.9, 4.1), shape)
    name = shown.patient.visits[0].id
    shown.images[name, "T1CE"] = phantom["head_image"](affine, shape)
    shown.brains[name] = phantom["in_brain"](phantom["points"](affine, shape))
    # The plane is the middle slice, where both the left and the front ball lie.
    pixels = picture(shown, pictures=pictures(shown))
    (tile,) = tiles(pixels)
    front, left = markers(pixels, tile)
    assert front[0] < 0.3 and abs(front[1] - 0.5) < 0.15
    assert left[1] > 0.65 and abs(left[0] - 0.5) < 0.15
    assert front[1] < 0.5  # the front ball lies 6 mm to the patient's right


@both_ways
@pytest.mark.parametrize("upside_down", [False, True])
def test_a_marker_on_top_of_the_head_is_seen_at_its_height_in_every_visit(analysis, phantom, pictures, upside_down):
    """The lesions lie around the top ball, so the slice does: 6 mm to the right, a little to the back."""
    for (visit, name), mask in analysis.regions.items():
        where = phantom["points"](analysis.visit_to_reference[visit] @ mask.affine, mask.shape)
        centre = phantom["top"] * ([1, 1, -1] if upside_down else 1)
        analysis.regions[visit, name] = Image(phantom["in_ball"](where, centre, 9), mask.affine)
    analysis.maps.clear()
    pixels = picture(analysis, pictures=pictures(analysis))
    for tile in tiles(pixels):
        found = [np.allclose(middle, [0.55, 0.46], atol=0.06) for middle in markers(pixels, tile)]
        assert sum(found) == (0 if upside_down else 1)


def test_the_letters_stand_on_the_right_sides(analysis):
    pixels = picture(alone(analysis))
    ((top, _, left, right),) = tiles(pixels)

    def likeness(letter, column):
        glyph = canvas._glyphs(letter, timeline_png.MIDDLE, True)
        corner = pixels[top : top + 34, column : column + 34, 0]
        places = np.lib.stride_tricks.sliding_window_view(corner, glyph.shape).reshape(-1, glyph.size)
        places = places[np.ptp(places, axis=1) > 0]
        return max(np.corrcoef(glyph.ravel(), place)[0, 1] for place in places)

    assert likeness("R", left) > 0.95 > likeness("L", left)
    assert likeness("L", right - 34) > 0.95 > likeness("R", right - 34)


def test_the_slice_is_where_the_lesions_are_seen_best(analysis):
    place = aligned.choose_place(analysis)
    # The left ball's middle lies 4 mm up; the 30 slices are 4.1 mm apart around 0.
    assert abs(place.offset - 4) <= 4.1 / 2
    assert place.offset == pytest.approx((place.number - 1 - 14.5) * 4.1)
    assert place.of == 30


def test_a_small_lesion_elsewhere_counts_as_much_as_a_large_one(analysis, phantom):
    """The large lesion lies 10 mm above the two small ones: the slice must show all three."""
    for number, visit in enumerate(analysis.patient.visits):
        mask = analysis.regions[visit.id, "lesion"]
        where = phantom["points"](analysis.visit_to_reference[visit.id] @ mask.affine, mask.shape)
        centre = phantom["left"] + np.array([0, 0, 10.0 * (number == 1)])
        analysis.regions[visit.id, "lesion"] = Image(phantom["in_ball"](where, centre, (9, 18, 9)[number]), mask.affine)
    plane = aligned.choose_place(analysis).plane(1.0)
    for visit, radius in zip(analysis.patient.visits, (9, 18, 9), strict=True):
        area = (aligned.cut_visit(analysis, visit, plane).own >= 0.5).sum()
        assert area > 0.6 * np.pi * radius**2


def test_the_slice_follows_the_lesion(analysis, phantom):
    for (visit, name), mask in analysis.regions.items():
        where = phantom["points"](analysis.visit_to_reference[visit] @ mask.affine, mask.shape)
        analysis.regions[visit, name] = Image(phantom["in_ball"](where, phantom["top"], 9), mask.affine)
    assert aligned.choose_place(analysis).offset == pytest.approx(38, abs=4.1 / 2)


@both_ways
def test_all_visits_share_one_scale_and_lie_on_one_another(analysis, pictures):
    pixels = picture(analysis, pictures=pictures(analysis))
    first, second, third = tiles(pixels)
    assert first[1] - first[0] == second[1] - second[0]
    # The front ball and the brain look alike although the raw values differ by a factor of 35.
    for other in (second, third):
        upper = slice(first[0] + 40, first[0] + (first[1] - first[0]) // 3)
        one = pixels[upper, first[2] : first[3], 0]
        two = pixels[upper, other[2] : other[2] + one.shape[1], 0]
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95
        assert np.abs(one - two).mean() < 0.05


def own_area(pixels, tile):
    """Pixels inside of the own outline, from the size of its bounding box."""
    top, bottom, left, right = tile
    line = np.abs(pixels[top:bottom, left:right] - OWN).max(axis=-1) < 0.1
    rows, columns = np.nonzero(line)
    return np.ptp(rows) * np.ptp(columns)


@both_ways
def test_growth_and_shrinkage_can_be_seen(analysis, pictures):
    pixels = picture(analysis, pictures=pictures(analysis))
    first, second, third = (own_area(pixels, tile) for tile in tiles(pixels))
    assert second / first == pytest.approx((14 / 11) ** 2, rel=0.25)
    assert third / first == pytest.approx((8 / 11) ** 2, rel=0.3)


def test_the_map_is_coloured_in_the_brain_where_it_can_be_trusted(analysis):
    plane = aligned.choose_place(analysis).plane(1.0)
    column = aligned.cut_visit(analysis, analysis.patient.visits[1], plane)
    values, shown = column.maps["rCBV_ratio"]
    assert values[shown].max() < 3.1  # the nonsense of the untrusted back is nowhere
    assert not shown[~column.brain].any()
    back, front = column.brain.copy(), column.brain.copy()
    back[:-22], front[plane.shape[1] // 2 :] = False, False  # the last 22 mm hold 10 mm of margin and 12 mm of brain
    assert back.any() and not (shown & back).any()
    assert (shown & front).sum() == front.sum()


def empty_fields(pixels):
    """How many fields say that something is absent; their words cover a little of them."""
    empty = np.all(np.abs(pixels - colours.ABSENT) < 1e-6, axis=-1)
    top, bottom, left, right = tiles(pixels)[0]
    return empty.sum() / ((bottom - top) * (right - left))


@both_ways
def test_a_visit_without_a_map_or_without_t1ce_says_so(analysis, pictures):
    analysis.patient.visits.append(Visit("later", None))
    pixels = picture(analysis, pictures=pictures(analysis))
    # No map at the first visit (2 fields), nothing at the last (3 fields).
    assert 4.6 < empty_fields(pixels) < 5


@both_ways
def test_a_visit_without_flair_shows_no_other_image_in_its_place(analysis, pictures):
    second = analysis.patient.visits[1].id
    analysis.maps.clear()
    analysis.images[second, "FLAIR"] = analysis.images[second, "T1CE"]
    analysis.series_to_visit[second, "FLAIR"] = np.eye(4)
    assert 1.8 < empty_fields(picture(analysis, pictures=pictures(analysis))) < 2


def test_a_visit_that_is_not_aligned_is_not_shown_as_if_it_were(analysis):
    del analysis.visit_to_reference[analysis.patient.visits[2].id]
    analysis.maps.clear()
    assert 0.9 < empty_fields(picture(analysis, pictures=from_scene(analysis))) < 1


class Painted:
    """Grey pictures of one colour."""

    GREY = (0.4, 0.4, 0.4)

    def __init__(self):
        self.asked, self.lacks = [], set()

    def cell(self, visit, image, plane):
        self.asked.append((visit, image))
        return None if visit in self.lacks else np.full((*plane.shape[1:], 3), self.GREY)


def count(pixels, colour):
    return np.all(np.abs(pixels - colour) < 1e-6, axis=-1).sum()


def test_grey_pictures_are_those_that_are_given_and_maps_are_laid_over_them_here(analysis):
    names = [visit.id for visit in analysis.patient.visits]
    painted = Painted()
    pixels = picture(analysis, pictures=painted)
    assert sorted(painted.asked) == sorted((name, "T1CE") for name in names)  # each once, for all rows
    assert count(pixels, Painted.GREY) > 0 == count(picture(analysis), Painted.GREY)
    painted.lacks = {names[1]}
    lacking = picture(analysis, pictures=painted)
    assert count(lacking, colours.ABSENT) > 1.4 * count(pixels, colours.ABSENT)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_scale_is_the_reports_own_and_stands_beside_the_map(analysis, monkeypatch, factor):
    """The same ends whatever the maps hold, so that two reports can be laid side by side; a value has one colour."""
    said, laid = [], []
    monkeypatch.setattr(canvas.Canvas, "text", lambda self, words, *place, **how: said.append(words))
    monkeypatch.setattr(timeline_png.slices, "lay_over", lambda pixels, values, shown, top: laid.append(top))
    for map_ in analysis.maps.values():
        map_.array = map_.array * factor
    picture(analysis)
    assert sorted(set(laid)) == [2.0, 4.0]  # Cho/NAA and rCBV
    assert said.count("\u2265 4") == said.count("\u2265 2") == 1
    assert [row.top for row in aligned.MAP_ROWS] == [4.0, 4.0, 2.0, 6.0]
    assert "the same in every report" in texts.sentence(Message("report_images_caption"))


def test_the_scenes_cells_differ_from_those_drawn_here_only_in_their_window(analysis):
    """Two ways of reslicing one plane: equal up to one straight line from grey to grey."""
    plane = aligned.choose_place(analysis).plane(1.0)
    columns = [aligned.cut_visit(analysis, visit, plane) for visit in analysis.patient.visits]
    here, scene = timeline_png._Drawn(columns), from_scene(analysis)
    for column in columns:
        one, two = (pictures.cell(column.visit.id, "T1CE", plane)[..., 0] for pictures in (here, scene))
        between = (one > 0.02) & (one < 0.98) & (two > 0.02) & (two < 0.98)
        slope, offset = np.polyfit(one[between], two[between], 1)
        assert between.mean() > 0.3 and slope > 0.2
        assert np.abs(slope * one + offset - two)[between].max() < 1.5 / 255
        assert np.abs(slope * one + offset - np.roll(two, 1, axis=1))[between].max() > 30 / 255


def test_many_visits_go_on_below(analysis, small):
    narrow = picture(analysis)
    analysis.patient.visits = analysis.patient.visits * 3
    wide = picture(analysis)
    assert wide.shape[1] < 1.5 * narrow.shape[1]
    assert wide.shape[0] > 1.3 * narrow.shape[0]


def test_the_patients_id_is_not_in_the_picture_but_the_title_is(analysis, small):
    other = dataclasses.replace(analysis, patient=dataclasses.replace(analysis.patient, id="Another^Person"))
    assert np.array_equal(picture(analysis), picture(other))
    assert not np.array_equal(picture(analysis), picture(analysis, "Case 7"))
    assert analysis.patient.id.encode() not in canvas.png(picture(analysis))


def test_a_free_region_is_drawn_in_every_visit(analysis):
    first = analysis.patient.visits[0].id
    analysis.patient.regions[:] = [Region("spot", first, "free", analysis.patient.regions[0].path)]
    analysis.regions[first, "spot"] = analysis.regions.pop((first, "lesion"))
    place = aligned.choose_place(analysis)
    assert not place.has_lesion
    place = dataclasses.replace(place, offset=4.0)
    for visit in analysis.patient.visits:
        column = aligned.cut_visit(analysis, visit, place.plane(2.0))
        assert column.fixed.max() > 0.9 and column.own.max() == 0


def test_nothing_aligned_is_an_error_in_words(analysis):
    analysis.images.clear()
    with pytest.raises(InputError) as refused:
        picture(analysis)
    assert refused.value.message.code == "report_nothing_aligned"


def test_the_description_gives_the_volumes(analysis):
    words = timeline_png.description(analysis)
    assert "2020-01-10: 4.10 mL; 2020-03-02: 9.70 mL; 2021-01-15: 2.20 mL" in words


@pytest.mark.parametrize("visits", [2, 3, 4])
def test_the_strips_letters_can_be_read_where_a_page_shows_it(analysis, visits):
    """Beside a table it is 430 pixels wide: R and L are at least 8 high there, dates fit above their pictures."""
    last = analysis.patient.visits[-1]
    while len(analysis.patient.visits) < visits:
        analysis.patient.visits.append(dataclasses.replace(last, id="later"))
    del analysis.patient.visits[visits:]
    sheet = timeline_png.sheet(analysis)
    strip = sheet.draw_strip()
    letters = [round(size * strip.shape[1] / 430) for size in timeline_png.STRIP_LETTERS]
    glyph = canvas._glyphs("R", letters[1], True)
    assert np.any(glyph > 0.5, axis=1).sum() * 430 / strip.shape[1] >= 8
    assert canvas.text_width("2020-01-10", letters[0], True) <= sheet.width
    top, _, left, _ = tiles(strip)[0]
    corner = strip[top + 2 : top + 2 * letters[1], left + 2 : left + 2 * letters[1]]
    assert np.all(corner > 0.9, axis=-1).sum() > 0.5 * (glyph > 0.9).sum(), "the letter of the patient's right"


def test_no_words_below_a_picture_run_into_those_of_its_neighbour(analysis, monkeypatch):
    said = "RANO 2.0: partial response, unconfirmed (counts as stable disease)"
    monkeypatch.setattr(timeline_png, "visit_lines", lambda *arguments: [said])
    sheet = timeline_png.sheet(analysis)
    for visit in analysis.patient.visits:
        below = sheet._volume_lines(visit)
        assert max(canvas.text_width(line, timeline_png.MIDDLE, bold) for line, bold in below) <= sheet.width
        assert " ".join(line for line, _ in below).endswith(said)
    assert sheet.draw().shape[0] > 300
