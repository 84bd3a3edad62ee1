"""One-click proposals on a shaded phantom with a vessel, and on real lesions against their masks."""

import numpy as np
import pytest
from scipy import ndimage

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion.proposal import brightness, propose
from PseudoProgressionAnalyzerLib.measures import InputError

SHAPE = (40, 90, 80)
AFFINE = np.array([[-1.2, 0, 0, 50], [0, 1.1, 0.3, -40], [0, -0.1, 2.0, -30], [0, 0, 0, 1]])


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def place(mask):
    """RAS mm of the voxel that lies deepest in a mask."""
    voxel = np.unravel_index(np.argmax(ndimage.distance_transform_edt(mask)), mask.shape)
    return (AFFINE @ [*voxel[::-1], 1])[:3]


@pytest.fixture(scope="module")
def phantom():
    """A ring lesion and a second one, a vessel that joins them to a bright sinus, shaded by a factor of two."""
    rng = np.random.default_rng(0)
    k, j, i = np.indices(SHAPE)
    points = np.stack([i, j, k], axis=-1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    centre = (AFFINE @ [40, 45, 20, 1])[:3]
    brain = ((points - centre) ** 2 / np.array([42, 44, 36]) ** 2).sum(axis=-1) < 1
    away = np.linalg.norm(points - centre - (18, 10, 0), axis=-1)
    ring, core = (away < 12) & (away > 6), away <= 6
    second = np.linalg.norm(points - centre + (20, 12, 0), axis=-1) < 7
    vessel = brain & (np.abs(j - 49) < 1) & (np.abs(k - 20) < 1)
    sinus = brain & (j > 82)
    image = 100 + 8.0 * (ndimage.gaussian_filter(rng.normal(size=SHAPE), 2) > 0) + rng.normal(0, 3, SHAPE)
    image[ring | second] += 45
    image[core] -= 30
    image[vessel | sinus] += 80
    shaded = image * (1 + i / SHAPE[2])
    return shaded, brain, ring, second


def test_one_click_gives_the_lesion_without_vessel_necrosis_and_neighbour(phantom):
    image, brain, ring, second = phantom
    bright = brightness(image, AFFINE, brain)
    assert dice(propose(bright, AFFINE, [place(ring)]).mask, ring) > 0.9
    both = propose(bright, AFFINE, [place(ring), place(second)])
    assert dice(both.mask, ring | second) > 0.9
    assert both.flags == ()


def test_plain_brightness_of_a_shaded_image_would_not_do(phantom):
    """The same search on brightness against the whole brain loses the lesion on the dark side or floods the other."""
    image, brain, ring, second = phantom
    plain = np.where(brain, (image - np.median(image[brain])) / image[brain].std(), np.nan)
    worst = min(dice(propose(plain, AFFINE, [place(one)]).mask, one) for one in (ring, second))
    assert worst < 0.6


def test_excluded_voxels_stay_out_and_the_limit_narrows(phantom):
    image, brain, ring, _ = phantom
    bright = brightness(image, AFFINE, brain)
    half = np.indices(SHAPE)[1] > np.argwhere(ring)[:, 1].mean()
    mask = propose(bright, AFFINE, [place(ring & ~half)], excluded=half).mask
    assert not (mask & half).any()
    assert mask.any()
    volumes = [propose(bright, AFFINE, [place(ring)], limit=limit).mask.sum() for limit in (1.0, 3.0, 1000.0)]
    assert volumes[0] >= volumes[1] > volumes[2] == 0


def test_the_region_of_an_earlier_visit_finds_its_lesion(phantom):
    """The lesion was smaller and half a centimetre away."""
    image, brain, ring, _ = phantom
    bright = brightness(image, AFFINE, brain)
    earlier = np.roll(ndimage.binary_erosion(ring), 4, axis=1)
    assert dice(propose(bright, AFFINE, carried=earlier).mask, ring) > 0.9
    nothing = propose(bright, AFFINE, carried=np.zeros(SHAPE, bool))
    assert not nothing.mask.any()
    assert nothing.flags[0].code == "lesion_proposal_nothing"


def test_a_click_that_hits_nothing_says_so(phantom):
    image, brain, _, _ = phantom
    bright = brightness(image, AFFINE, brain)
    dark = propose(bright, AFFINE, [(AFFINE @ [40, 25, 30, 1])[:3]])
    assert not dark.mask.any()
    assert dark.flags[0].code == "lesion_proposal_nothing"
    with pytest.raises(InputError) as error:
        propose(bright, AFFINE, [(AFFINE @ [-5, 25, 30, 1])[:3]])
    assert error.value.message.code == "lesion_proposal_outside"
    with pytest.raises(InputError) as error:
        brightness(image, AFFINE, np.zeros(SHAPE, bool))
    assert error.value.message.code == "lesion_proposal_brain"


@pytest.mark.parametrize(
    ("folder", "file", "enough"),
    [("BrainLesion_BraTS", "segmentation", 0.9), ("BrainLesion_deep_quality_estimation", "seg-BraTS23_1", 0.8)],
)
def test_real_lesions_after_one_click(reference_data, folder, file, enough):
    """Skull-stripped cases, ring lesions drawn by others; the click falls where a person would put it."""
    place_ = reference_data(f"longitudinal/{folder}")
    post, drawn = read_image(place_ / "t1c.nii.gz"), read_image(place_ / f"{file}.nii.gz").array == 3
    bright = brightness(post.array, post.affine, post.array > 0)
    voxel = np.argwhere(drawn & (bright >= np.nanmedian(bright[drawn])))[1234]
    mask = propose(bright, post.affine, [(post.affine @ [*voxel[::-1], 1])[:3]]).mask
    assert dice(mask, drawn) > enough
    assert dice(np.roll(mask, 8, axis=2), drawn) < enough
