"""The ICBM 152 template that the package nilearn carries: where it is, and what it holds.

Nonlinear symmetric template 2009a: Fonov et al. 2011, NeuroImage 54:313, doi 10.1016/j.neuroimage.2010.07.033.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from ..formats.images import read_image
from ..measures import Image, InputError

FILE_NAME = "mni_icbm152_{part}_tal_nlin_sym_09a_converted.nii.gz"
PARTS = ("t1", "gm", "wm")


def template_folder() -> Path:
    """The folder of nilearn's own data. Raises InputError ``template_package_missing`` without nilearn."""
    found = importlib.util.find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise InputError("template_package_missing")
    return Path(found.submodule_search_locations[0], "datasets", "data")


def read_template(folder: Path | None = None) -> dict[str, Image]:
    """T1 intensity (``t1``, 0 to 255, 0 outside the brain) and shares of grey (``gm``) and white matter (``wm``).

    Float32 (k, j, i) of 1 mm, axes along R, A, S. folder: where the files are, by default nilearn's.
    Raises InputError ``template_package_missing``, ``template_changed`` (a file is missing, or not on this grid).
    """
    folder = folder or template_folder()
    images = {}
    for part in PARTS:
        path = folder / FILE_NAME.format(part=part)
        if not path.is_file():
            raise InputError("template_changed", file=str(path))
        image = read_image(path)
        if image.shape != (189, 233, 197) or not np.allclose(image.affine[:3, :3], np.eye(3)):
            raise InputError("template_changed", file=str(path))
        scale = 1.0 if part == "t1" else 255.0
        images[part] = Image(image.array.astype(np.float32) / np.float32(scale), image.affine)
    return images
