"""Known perturbations of real serial pairs: what registration recovers, beside SimpleITK's single start and elastix.

Run ``python Testing/Benchmarks/registration.py [PAIR ...] [known]``. For each trial the follow-up is turned and shifted
by a known amount, registered again and compared with the registration of the unperturbed follow-up over the brain.
Trials ``pose`` change the position alone; trials ``regrid`` resample the turned head on cubic voxels of 1.5 mm, with
what the scan did not cover left zero. Two comparators in the same run: the usual single start of SimpleITK, and the
default rigid registration of itk-elastix where that package can be imported (it is no dependency). The last columns
hold agreement (edge distance in mm) of the result, of an identity transform and of a random one: the first must pass
the limit, the others must not.

``known`` holds the printed uncertainty against the true error: the simulated cases, whose poses are known, turned by up
to 10 degrees and 12 mm more, as they are, in slices of 6 mm with noise of 3 %, and as a slab of 60 mm with noise of
10 %. All numbers are mean distances over the brain in mm.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PseudoProgressionAnalyzerLib import cases
from PseudoProgressionAnalyzerLib.formats import images
from PseudoProgressionAnalyzerLib.imaging import agreement, registration, resampling
from PseudoProgressionAnalyzerLib.imaging.head import Head
from PseudoProgressionAnalyzerLib.measures import Image, InputError

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data"))
PAIRS = DATA / "longitudinal" / "SagaraBattousai_BrainTumorProgression"
SPACING = (0.94, 0.94, 6.5)  # mm, assumed: the files lost it
TRIALS = ((10, 12, "pose"), (10, 12, "regrid"), (20, 25, "pose"), (20, 25, "regrid"))  # degrees, mm


def read_pair(pair: str, visit: str) -> tuple[Image, np.ndarray]:
    """A visit's image with the assumed voxel size, and its lesion as bool ``(k, j, i)``."""
    affine = images.ras_from_lps(np.diag([*SPACING, 1.0]))
    image = images.read_image(PAIRS / pair / f"{visit}_Scan_T1.nii.gz")
    lesion = images.read_image(PAIRS / pair / f"{visit}_Mask.nii.gz")
    return Image(image.array, affine), lesion.array > 0


def perturbation(rng: np.random.Generator, degrees: float, shift: float, centre: np.ndarray) -> np.ndarray:
    """4x4 RAS: a rotation about the centre by up to +-degrees about each axis, then up to +-shift mm along each."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-degrees, degrees, 3), degrees=True).as_matrix()
    matrix[:3, 3] = centre + rng.uniform(-shift, shift, 3) - matrix[:3, :3] @ centre
    return matrix


def perturbed(image: Image, lesion: np.ndarray, matrix: np.ndarray, kind: str) -> tuple[Image, np.ndarray]:
    """The head moved by the matrix: its voxels in another pose, or sampled anew on cubic voxels."""
    if kind == "pose":
        return Image(image.array, matrix @ image.affine), lesion
    grid = resampling.isotropic(image, 1.5)
    moved = resampling.resample(image, grid, matrix)
    return moved, resampling.resample(Image(lesion, image.affine), grid, matrix, interpolation="nearest").array


def single_start(fixed: Image, moving: Image) -> np.ndarray:
    """The usual recipe: moments, mutual information, a pyramid that shrinks every axis; moving to fixed, 4x4 RAS."""
    fixed_image, moving_image = (
        sitk.Cast(images.to_sitk(resampling.cropped(image, resampling.observed_block(image))), sitk.sitkFloat32)
        for image in (fixed, moving)
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    transform = sitk.CenteredTransformInitializer(
        fixed_image, moving_image, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed_image, moving_image)
    return _moving_to_fixed(transform)


def elastix(fixed: Image, moving: Image) -> np.ndarray | None:
    """The default rigid registration of itk-elastix from the images' centres; moving to fixed, 4x4 RAS, or None where
    the package is not there."""
    try:
        import itk
    except ImportError:
        return None
    both = []
    for image in (fixed, moving):
        whole = images.to_sitk(resampling.cropped(image, resampling.observed_block(image)))
        one = itk.image_from_array(sitk.GetArrayFromImage(whole).astype(np.float32))
        one.SetSpacing(whole.GetSpacing())
        one.SetOrigin(whole.GetOrigin())
        one.SetDirection(itk.matrix_from_array(np.reshape(whole.GetDirection(), (3, 3))))
        both.append(one)
    settings = itk.ParameterObject.New()
    rigid = settings.GetDefaultParameterMap("rigid")
    rigid["AutomaticTransformInitialization"] = ["true"]
    settings.AddParameterMap(rigid)
    _, found = itk.elastix_registration_method(*both, parameter_object=settings, log_to_console=False)
    said = found.GetParameterMap(0)
    *angles, x, y, z = (float(value) for value in said["TransformParameters"])
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(value) for value in said["CenterOfRotationPoint"]])
    transform.SetComputeZYX(said["ComputeZYX"][0] == "true")
    transform.SetRotation(*angles)
    transform.SetTranslation((x, y, z))
    return _moving_to_fixed(transform)


def _moving_to_fixed(transform: sitk.Euler3DTransform) -> np.ndarray:
    """The 4x4 RAS of moving to fixed, of a transform of fixed to moving points (LPS)."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    return np.linalg.inv(images.point_transform_ras_from_lps(matrix))


def error(found: np.ndarray, expected: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """Mean and largest distance in mm between where two transforms take the points."""
    distance = np.linalg.norm(
        resampling.transform_points(found, points) - resampling.transform_points(expected, points), axis=1
    )
    return float(distance.mean()), float(distance.max())


def run(pair: str, seed: int) -> list[float]:
    """Prints the pair's rows and returns the largest error of each trial."""
    fixed, fixed_lesion = read_pair(pair, "Pre")
    moving, moving_lesion = read_pair(pair, "Post")
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    plain = registration.register_rigid(fixed, moving, exclude_fixed=fixed_lesion, exclude_moving=moving_lesion)
    seconds = time.perf_counter() - began
    single_plain, elastix_plain = single_start(fixed, moving), elastix(fixed, moving)
    fixed_edges = agreement.edges(Head(fixed, None, fixed_lesion))
    points = Head(moving).brain_points()
    centre = points.mean(axis=0)
    codes = " ".join(flag.code for flag in plain.flags)
    apart = [
        error(other, plain.moving_to_fixed, points)[0] for other in (single_plain, elastix_plain) if other is not None
    ]
    print(
        f"{pair}  unperturbed       uncertainty {plain.uncertainty:.2f} mm, edges {plain.agreement_before:.2f} -> "
        f"{plain.agreement:.2f} mm, {seconds:.1f} s {codes}   from single start and elastix: "
        f"{', '.join(f'{distance:.2f}' for distance in apart)} mm"
    )
    errors = []
    for degrees, shift, kind in TRIALS:
        matrix = perturbation(rng, degrees, shift, centre)
        image, lesion = perturbed(moving, moving_lesion, matrix, kind)
        began = time.perf_counter()
        found = registration.register_rigid(fixed, image, exclude_fixed=fixed_lesion, exclude_moving=lesion)
        seconds = time.perf_counter() - began
        mean, largest = error(found.moving_to_fixed @ matrix, plain.moving_to_fixed, points)
        began = time.perf_counter()
        single, _ = error(single_start(fixed, image) @ matrix, single_plain, points)
        single_seconds = time.perf_counter() - began
        beside = f"single start {single:6.2f} mm {single_seconds:5.1f} s"
        if elastix_plain is not None:
            began = time.perf_counter()
            other, _ = error(elastix(fixed, image) @ matrix, elastix_plain, points)
            beside += f"   elastix {other:6.2f} mm {time.perf_counter() - began:5.1f} s"
        edges = agreement.edges(Head(image, None, lesion))
        random = perturbation(rng, 20, 25, resampling.transform_points(matrix, centre[np.newaxis])[0])
        identity_edges = agreement.edge_distance(fixed_edges, edges, np.eye(4))
        random_edges = agreement.edge_distance(fixed_edges, edges, found.moving_to_fixed @ random)
        shown = [f"{value:.1f}" if value is not None else "none" for value in (identity_edges, random_edges)]
        print(
            f"{pair}  {degrees:2d} deg {shift:2d} mm {kind:6s}  error {mean:5.2f} (max {largest:5.2f}) mm "
            f"{seconds:5.1f} s   {beside}   uncertainty {found.uncertainty:.2f} mm   edges "
            f"{found.agreement:.2f}, identity {shown[0]}, random {shown[1]} "
            f"(limit {agreement.LIMIT}) {' '.join(flag.code for flag in found.flags)}",
            flush=True,
        )
        errors.append(largest)
    return errors


def degraded(image: Image, lesion: np.ndarray, kind: str, seed: int) -> tuple[Image, np.ndarray]:
    """An image of fine voxels as it is (``fine``), in slices of 6 mm with noise (``thick``), or a noisy slab of these
    (``slab``)."""
    if kind == "fine":
        return image, lesion
    voxel = np.array([0.94, 0.94, 6.0])
    affine = image.affine @ np.diag([*(voxel / image.spacing), 1.0])
    size = (np.array(image.shape)[::-1] * image.spacing / voxel).astype(int)
    if kind == "slab":
        affine[:3, 3] += affine[:3, 2] * (size[2] // 2 - 5)
        size[2] = 10
    grid = Image(np.zeros(tuple(size[::-1]), np.uint8), affine)
    thick = ndimage.gaussian_filter1d(image.array.astype(np.float32), 6.0 / np.sqrt(12) / image.spacing[2], axis=0)
    array = resampling.resample(Image(thick, image.affine), grid, np.eye(4)).array
    share = 0.1 if kind == "slab" else 0.03
    array += np.random.default_rng(seed).normal(0, share * np.percentile(array, 98), array.shape).astype(np.float32)
    mask = resampling.resample(Image(lesion, image.affine), grid, np.eye(4), interpolation="nearest").array
    return Image(array, affine), mask


def known() -> None:
    """Prints the true error beside the printed uncertainty, and how often the latter covers it."""
    covered = []
    for case in cases.names():
        folder = cases.cached(case)
        poses = {
            visit["id"]: np.array(visit["head_to_visit"])
            for visit in json.loads((folder / "truth.json").read_text())["visits"]
        }
        whole = {
            visit: [images.read_image(folder / visit / f"{name}.nii.gz") for name in ("T1CE", "lesion")]
            for visit in poses
        }
        first, *others = poses
        for number, visit in enumerate(others):
            rng = np.random.default_rng(number)
            centre = Head(whole[visit][0]).brain_points().mean(axis=0)
            more = perturbation(rng, 10, 12, centre)
            truth = poses[first] @ np.linalg.inv(more @ poses[visit])
            for kind in ("fine", "thick", "slab"):
                both = []
                for seed, which in enumerate((first, visit)):
                    image, mask = whole[which]
                    both.append(degraded(image, mask.array > 0, kind, 2 * number + seed))
                (fixed, fixed_lesion), (moving, lesion) = both
                moving = Image(moving.array, more @ moving.affine)
                began = time.process_time()
                try:
                    found = registration.register_rigid(
                        fixed, moving, exclude_fixed=fixed_lesion, exclude_moving=lesion
                    )
                except InputError as problem:
                    print(f"{case} {visit} {kind:5s} refused: {problem.message.code}", flush=True)
                    continue
                seconds = time.process_time() - began
                points = Head(moving, None, lesion).brain_points()
                away, _ = error(found.moving_to_fixed, truth, points)
                covered.append((kind, found.trusted, away <= found.uncertainty, away))
                parts = ", ".join(f"{name} {apart:.2f}" for name, apart in found.spread.items())
                print(
                    f"{case} {visit} {kind:5s} error {away:5.2f}   uncertainty {found.uncertainty:5.2f} ({parts})   "
                    f"{seconds:.1f} CPU s {' '.join(flag.code for flag in found.flags)}",
                    flush=True,
                )
    for kind in ("fine", "thick", "slab"):
        of_kind = [inside for one, _, inside, _ in covered if one == kind]
        print(f"{kind}: the uncertainty covers the error in {sum(of_kind)} of {len(of_kind)}")
    wrong = [away for _, trusted, _, away in covered if trusted and away > registration.UNCERTAINTY_LIMIT]
    print(f"trusted although the error is above {registration.UNCERTAINTY_LIMIT} mm: {len(wrong)}")


def main() -> None:
    wanted = sys.argv[1:] or ["01", "02", "05", "known"]
    if "known" in wanted:
        known()
        wanted.remove("known")
    if not wanted:
        return
    if not PAIRS.is_dir():
        print(f"The real serial pairs are missing ({PAIRS.name}); set PPA_REFERENCE_DATA to the reference data.")
        return
    errors = [error for pair in wanted for error in run(pair, int(pair))]
    print(f"{sum(value < 1 for value in errors)} of {len(errors)} trials within 1 mm everywhere in the brain")


if __name__ == "__main__":
    main()
