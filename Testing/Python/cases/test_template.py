"""The template: symmetric as published, found without importing nilearn, and a clear sentence without it."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.cases import template
from PseudoProgressionAnalyzerLib.measures import InputError


def test_template_is_exactly_symmetric(read_template):
    """So a found midline or a mirrored region could be right for the wrong reason; the head must not be (see below)."""
    for image in read_template.values():
        assert np.array_equal(image.array, image.array[:, :, ::-1])
        assert image.affine[0, 3] == -(image.array.shape[2] - 1) / 2  # the mirror is x = 0


def test_shares_are_shares(read_template):
    grey, white = read_template["gm"].array, read_template["wm"].array
    assert min(grey.min(), white.min()) >= 0 and max(grey.max(), white.max()) <= 1
    assert 1000 < (grey.sum() + white.sum()) / 1000 < 1700  # mL of brain tissue in adults


def test_reading_does_not_import_nilearn():
    code = (
        "import sys; from PseudoProgressionAnalyzerLib.cases import template; template.template_folder();"
        "sys.exit('nilearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_nilearn_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError) as raised:
        template.read_template()
    assert raised.value.message.code == "template_package_missing"
    assert "pip install" in texts.sentence(raised.value.message)


@pytest.mark.parametrize("fault", ["missing", "cropped"])
def test_a_changed_template_is_refused(tmp_path, fault):
    for part in template.PARTS:
        name = template.FILE_NAME.format(part=part)
        shutil.copy(template.template_folder() / name, tmp_path / name)
    assert template.read_template(tmp_path)
    broken = tmp_path / template.FILE_NAME.format(part="wm")
    if fault == "missing":
        broken.unlink()
    else:
        sitk.WriteImage(sitk.ReadImage(str(broken))[:-1], str(broken))
    with pytest.raises(InputError) as raised:
        template.read_template(tmp_path)
    assert raised.value.message.code == "template_changed"
    assert str(broken) in texts.sentence(raised.value.message)
