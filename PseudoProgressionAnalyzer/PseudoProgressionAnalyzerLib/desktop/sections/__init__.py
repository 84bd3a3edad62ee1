"""The sections of the panel in their order, from top to bottom."""

from .align import AlignSection
from .assessment import AssessmentSection
from .lesions import LesionsSection
from .maps import MapsSection
from .measurements import MeasurementsSection
from .patient import PatientSection
from .regions import RegionsSection
from .spectroscopy import SpectroscopySection
from .timeline import TimelineSection

SECTIONS = (
    PatientSection,
    AlignSection,
    MapsSection,
    TimelineSection,
    RegionsSection,
    SpectroscopySection,
    MeasurementsSection,
    LesionsSection,
    AssessmentSection,
)
