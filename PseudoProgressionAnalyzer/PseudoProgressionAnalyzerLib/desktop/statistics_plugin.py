"""Our measures in Slicer's Segment Statistics module, for everybody who looks for them there."""

from __future__ import annotations

import slicer
from SegmentStatisticsPlugins import SegmentStatisticsPluginBase
from slicer.i18n import tr as _

KEYS = ("mean", "median", "p95", "effective_voxels", "covered_percent", "ratio_mean", "ratio_p95")
_RATIO = ("1", "UCUM", "no units")
_VOXELS = ("{voxels}", "UCUM", "voxels")
_PERCENT = ("%", "UCUM", "percent")
_DERIVATIONS = {
    "mean": ("373098007", "SCT", "Mean"),
    "median": ("373099004", "SCT", "Median"),
    "ratio_mean": ("373098007", "SCT", "Mean"),
}


class PseudoProgressionMapSegmentStatisticsPlugin(SegmentStatisticsPluginBase):
    """Overlap-weighted statistics of a map under a segment, and their ratio to reference tissue."""

    def __init__(self):
        super().__init__()
        self.name = "PseudoProgression map"
        self.title = _("Map in region, overlap-weighted")
        self.keys = list(KEYS)
        self.defaultKeys = list(KEYS)

    def computeStatistics(self, segmentID):  # noqa: N802, N803 (Slicer calls it by this name)
        """The requested ones of ``measure_segment``."""
        from ..scene.segment_statistics import measure_segment  # heavy, and Slicer asks for plug-ins when it starts

        parameters, requested = self.getParameterNode(), self.getRequestedKeys()
        segmentation = slicer.mrmlScene.GetNodeByID(parameters.GetParameter("Segmentation"))
        volume = slicer.mrmlScene.GetNodeByID(parameters.GetParameter("ScalarVolume"))
        if segmentation is None or volume is None or not requested:
            return {}
        found = measure_segment(segmentation, segmentID, volume)
        return {key: value for key, value in found.items() if key in requested}

    def getMeasurementInfo(self, key):  # noqa: N802 (Slicer calls it by this name)
        """Name, description, unit and codes of a measure."""
        texts = {
            "mean": (_("Weighted mean"), _("Mean, weighted by the share of each voxel inside the segment")),
            "median": (_("Weighted median"), _("Median, weighted by the share of each voxel inside the segment")),
            "p95": (_("Weighted 95th percentile"), _("95th percentile, weighted in the same way")),
            "effective_voxels": (_("Effective voxels"), _("Number of voxels that the weights are worth")),
            "covered_percent": (_("Covered"), _("Share of the segment on finite values of the volume")),
            "ratio_mean": (_("Mean over reference"), _("Weighted mean over the mean of reference tissue")),
            "ratio_p95": (_("95th percentile over reference"), _("Over the mean of reference tissue")),
        }
        if key not in texts:
            return None
        codes = {"effective_voxels": _VOXELS, "covered_percent": _PERCENT, "ratio_mean": _RATIO, "ratio_p95": _RATIO}
        volume = slicer.mrmlScene.GetNodeByID(self.getParameterNode().GetParameter("ScalarVolume"))
        entry = volume.GetVoxelValueUnits() if volume is not None else None
        unit = codes.get(key)
        title, description = texts[key]
        derivation = _DERIVATIONS.get(key)
        return self.createMeasurementInfo(
            key,
            title,
            description,
            unit[2] if unit else entry.GetCodeMeaning() if entry is not None else "",
            unitsDicomCode=self.createCodedEntry(*unit, True) if unit else entry.GetAsString() if entry else None,
            derivationDicomCode=self.createCodedEntry(*derivation, True) if derivation else None,
        )


def register() -> None:
    """Adds the plug-in once, however often the module is loaded."""
    from SegmentStatistics import SegmentStatisticsLogic

    name = PseudoProgressionMapSegmentStatisticsPlugin.__name__
    if name not in [plugin.__name__ for plugin in SegmentStatisticsLogic.registeredPlugins]:
        SegmentStatisticsLogic.registerPlugin(PseudoProgressionMapSegmentStatisticsPlugin())
