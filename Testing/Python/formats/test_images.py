"""Images and their geometry, against nibabel (RAS by definition) and headers written by hand."""

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.formats import images
from PseudoProgressionAnalyzerLib.measures import Image, InputError


def rotation(axis: int, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    matrix = np.eye(3)
    a, b = [n for n in range(3) if n != axis]
    matrix[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return matrix


def head_affine(flip=(1, 1, 1), degrees=(0.0, 0.0, 0.0), spacing=(1.0, 1.5, 2.5)) -> np.ndarray:
    affine = np.eye(4)
    turn = rotation(0, degrees[0]) @ rotation(1, degrees[1]) @ rotation(2, degrees[2])
    affine[:3, :3] = turn @ np.diag(np.array(spacing) * flip)
    affine[:3, 3] = (-30.0, 12.0, 7.0)
    return affine


def marked(affine: np.ndarray, point: np.ndarray, shape=(9, 10, 11)) -> np.ndarray:
    """An array (i, j, k order, as nibabel has it) with 1 at the voxel nearest to a RAS point."""
    array = np.zeros(shape[::-1], dtype=np.int16)
    index = np.rint(np.linalg.solve(affine, [*point, 1]))[:3].astype(int)
    array[tuple(index)] = 1
    return array


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (12, -7, 20)])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd"])
def test_a_marker_stays_left_anterior_superior(tmp_path, flip, degrees, suffix):
    affine = head_affine(flip, degrees)
    centre = affine @ [5, 5, 4, 1]
    left_anterior_superior = centre[:3] + (-3.0, 4.0, 5.0)
    array = marked(affine, left_anterior_superior)
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "source.nii.gz")
    image = images.read_image(tmp_path / "source.nii.gz")
    again = tmp_path / f"again{suffix}"
    images.write_image(image, again)
    for found in (image, images.read_image(again)):
        np.testing.assert_allclose(found.affine, affine, atol=1e-4)
        k, j, i = np.argwhere(found.array == 1)[0]
        np.testing.assert_allclose((found.affine @ [i, j, k, 1])[:3], left_anterior_superior, atol=1.5)
    if suffix != ".nrrd":
        reread = nibabel.load(again)
        np.testing.assert_allclose(reread.affine, affine, atol=1e-4)
        np.testing.assert_array_equal(np.asarray(reread.dataobj), array)


def test_a_mirrored_marker_is_noticed(tmp_path):
    """The check above can fail: the same voxels under a left-right flipped affine lie elsewhere."""
    affine = head_affine()
    array = marked(affine, (affine @ [5, 5, 4, 1])[:3] + (-3.0, 4.0, 5.0))
    wrong = np.diag([-1.0, 1, 1, 1]) @ affine
    nibabel.save(nibabel.Nifti1Image(array, wrong), tmp_path / "wrong.nii.gz")
    image = images.read_image(tmp_path / "wrong.nii.gz")
    k, j, i = np.argwhere(image.array == 1)[0]
    right = (image.affine @ [i, j, k, 1])[0] > (image.affine @ [5, 5, 4, 1])[0]
    assert right


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_time_series_keep_their_frames(tmp_path, suffix):
    frames = np.arange(4 * 3 * 4 * 5, dtype=np.int16).reshape(4, 3, 4, 5)
    affine = head_affine((-1, -1, 1), (5, 0, 0))
    images.write_image(Image(frames, affine), tmp_path / f"series{suffix}")
    found = images.read_image(tmp_path / f"series{suffix}")
    np.testing.assert_array_equal(found.array, frames)
    np.testing.assert_allclose(found.affine, affine, atol=1e-4)
    assert images.read_header(tmp_path / f"series{suffix}").array.shape == frames.shape


def test_nrrd_with_time_as_components(tmp_path):
    """NRRD time series as 3D Slicer writes them: one list of frames in each voxel."""
    frames = np.random.default_rng(0).integers(0, 99, (6, 3, 4, 5)).astype(np.int16)
    source = sitk.GetImageFromArray(np.moveaxis(frames, 0, -1).copy(), isVector=True)
    sitk.WriteImage(source, str(tmp_path / "list.nrrd"))
    np.testing.assert_array_equal(images.read_image(tmp_path / "list.nrrd").array, frames)


def test_spacing_and_voxel_volume():
    image = Image(np.zeros((2, 3, 4)), head_affine((-1, -1, 1), (10, 20, 30), spacing=(0.5, 0.8, 5.0)))
    np.testing.assert_allclose(image.spacing, [0.5, 0.8, 5.0])
    assert image.voxel_volume == pytest.approx(0.002)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-40, 40), min_size=6, max_size=6))
def test_point_transforms_turn_there_and_back(numbers):
    matrix = head_affine(degrees=tuple(numbers[:3]), spacing=(1, 1, 1))
    matrix[:3, 3] = numbers[3:]
    turned = images.point_transform_ras_from_lps(matrix)
    point = np.array([3.0, -2.0, 5.0, 1.0])
    lps = np.array([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(turned @ point, lps * (matrix @ (lps * point)), atol=1e-9)
    np.testing.assert_allclose(images.point_transform_ras_from_lps(turned), matrix, atol=1e-12)


def refused(path) -> str:
    with pytest.raises(InputError) as error:
        images.read_image(path)
    assert error.value.message.parameters["file"] == str(path)
    with pytest.raises(InputError):
        images.read_header(path)
    return error.value.message.code


def test_broken_files_are_refused(tmp_path):
    good = tmp_path / "good.nii.gz"
    images.write_image(Image(np.random.default_rng(0).random((8, 9, 10)), head_affine()), good)
    assert refused(tmp_path / "absent.nii.gz") == "file_missing"
    (tmp_path / "text.nii.gz").write_text("not an image")
    assert refused(tmp_path / "text.nii.gz") == "file_unreadable"
    (tmp_path / "empty.nrrd").write_bytes(b"")
    assert refused(tmp_path / "empty.nrrd") == "file_unreadable"


def test_axes_that_are_not_at_right_angles_are_said(tmp_path):
    sheared = head_affine()
    sheared[0, 1] = 0.3
    image = nibabel.Nifti1Image(np.ones((4, 5, 6), np.int16), sheared)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "sheared.nii.gz")
    assert refused(tmp_path / "sheared.nii.gz") == "image_sheared"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_2_image_is_called_so(tmp_path, suffix):
    nibabel.save(nibabel.Nifti2Image(np.ones((4, 5, 6), np.int16), head_affine()), tmp_path / f"two{suffix}")
    assert refused(tmp_path / f"two{suffix}") == "image_nifti_2"


def test_complex_values_are_refused(tmp_path):
    path = tmp_path / "complex.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, 6), 1 + 2j, np.complex64), head_affine()), path)
    with pytest.raises(InputError) as error:
        images.read_image(path)
    assert error.value.message.code == "image_complex"


def test_whether_a_header_says_which_way_the_patient_lies(tmp_path):
    image = nibabel.Nifti1Image(np.ones((4, 5, 6), np.int16), head_affine())
    for name, qform, sform in (("none", 0, 0), ("q", 1, 0), ("s", 0, 2)):
        image.set_qform(head_affine(), qform)
        image.set_sform(head_affine(), sform)
        nibabel.save(image, tmp_path / f"{name}.nii.gz")
    images.write_image(Image(np.ones((4, 5, 6)), head_affine()), tmp_path / "ours.nrrd")
    start = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nspacings: 1 1 2\nencoding: raw\n\n"
    (tmp_path / "spacings.nrrd").write_bytes(start + bytes(range(8)))
    files = ("none.nii.gz", "q.nii.gz", "s.nii.gz", "ours.nrrd", "spacings.nrrd")
    assert [images.orientation_said(tmp_path / file) for file in files] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("step", "unit", "seconds"),
    [(1.5, "sec", 1.5), (1500, "msec", 1.5), (1.5, "unknown", None), (0, "sec", None), (1, "sec", None)],
)
def test_the_time_between_frames_by_the_header(tmp_path, step, unit, seconds):
    image = nibabel.Nifti1Image(np.ones((4, 5, 6, 3), np.int16), head_affine())
    image.header.set_zooms((*image.header.get_zooms()[:3], step))
    image.header.set_xyzt_units("mm", unit)
    nibabel.save(image, tmp_path / "series.nii.gz")
    assert images.frame_interval(tmp_path / "series.nii.gz") == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("share", [0.4, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, suffix, share):
    whole = tmp_path / f"whole{suffix}"
    images.write_image(Image(np.random.default_rng(0).random((8, 9, 10)), head_affine()), whole)
    images.read_image(whole)
    data = whole.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError) as error:
        images.read_image(cut)
    assert error.value.message.code in ("file_truncated", "file_unreadable")


def test_a_gzip_file_of_several_members_is_read(tmp_path):
    plain = tmp_path / "plain.nii"
    array = np.random.default_rng(0).random((8, 9, 10))
    images.write_image(Image(array, head_affine()), plain)
    data = plain.read_bytes()
    (tmp_path / "members.nii.gz").write_bytes(gzip.compress(data[:3000]) + gzip.compress(data[3000:]))
    np.testing.assert_array_equal(images.read_image(tmp_path / "members.nii.gz").array, array)


def test_an_image_without_a_finite_value_is_refused(tmp_path):
    images.write_image(Image(np.full((3, 3, 3), np.nan), np.eye(4)), tmp_path / "nan.nrrd")
    with pytest.raises(InputError) as error:
        images.read_image(tmp_path / "nan.nrrd")
    assert error.value.message.code == "image_no_values"


def test_a_flat_image_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5))), str(tmp_path / "flat.nrrd"))
    assert refused(tmp_path / "flat.nrrd") == "image_dimension"


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "mine.nii.gz"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        images.write_image(Image(np.zeros((2, 2, 2)), np.eye(4)), path)
    assert path.read_text() == "mine"


def test_same_grid():
    image = Image(np.zeros((5, 6, 7)), head_affine(degrees=(3, 0, 0)))
    shifted = head_affine(degrees=(3, 0, 0))
    shifted[0, 3] += 0.5
    assert images.same_grid(image, Image(np.ones((5, 6, 7)), image.affine.copy()))
    assert not images.same_grid(image, Image(image.array, shifted))
    assert not images.same_grid(image, Image(np.zeros((5, 6, 8)), image.affine))


@pytest.mark.parametrize(
    ("codes", "shift", "apart"),
    [((1, 1), 0.0, 0.0), ((1, 1), 12.0, 12.0), ((1, 2), 12.0, 12.0), ((0, 1), 12.0, 0.0), ((1, 0), 12.0, 0.0)],
)
@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1)])
def test_two_places_in_one_header(tmp_path, codes, shift, apart, flip):
    """codes: of qform and sform, which differ by a shift."""
    affine, other = head_affine(flip, degrees=(12, -7, 20)), head_affine(flip, degrees=(12, -7, 20))
    other[0, 3] += shift
    image = nibabel.Nifti1Image(np.ones((4, 5, 6), np.int16), affine)
    image.set_qform(affine, codes[0])
    image.set_sform(other, codes[1])
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert images.places_apart(tmp_path / "a.nii.gz") == pytest.approx(apart, abs=1e-3)


@pytest.mark.parametrize(("slope", "intercept"), [(0, 5), (0, 0), (2, 5), (float("nan"), float("nan"))])
def test_an_intercept_counts_with_a_slope_alone(tmp_path, slope, intercept):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4)), path)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([slope, intercept], "<f4").tobytes()
    path.write_bytes(content)
    np.testing.assert_allclose(images.read_image(path).array.T, nibabel.load(path).get_fdata())


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_voxels_of_a_metre_are_refused(tmp_path, unit):
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    for read in (images.read_image, images.read_header):
        with pytest.raises(InputError) as caught:
            read(tmp_path / "a.nii")
        assert caught.value.message.code == "image_geometry"
