"""Fixtures that all tests share, and the last line that counts checks skipped for missing reference data."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parents[2]
REFERENCE_DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data"))
_MISSING = "reference data missing"

# How long an example takes tells of the machine, and of what else runs on it.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return PROJECT


@pytest.fixture
def reference_data():
    """A function from a path below the reference data to where it is; skips the test where it is missing."""

    def find(relative: str) -> Path:
        path = REFERENCE_DATA / relative
        if not path.exists():
            pytest.skip(f"{_MISSING}: {relative} (set PPA_REFERENCE_DATA)")
        return path

    return find


def pytest_terminal_summary(terminalreporter):
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if _MISSING in str(report.longrepr)]
    terminalreporter.write_line(f"checks skipped for missing reference data: {len(skipped)}")
