"""Puts the face analyzer together from its settings. Imports OpenCV and JAX only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien_face.settings import SEARCH_SIDE, DetectorName, FaceSettings

if TYPE_CHECKING:
    from mien_face.detector import Detector


def build_detector(settings: FaceSettings) -> Detector:
    """Load the detector that the settings name.

    Raises:
        ConfigError: YuNet's file is missing, or is not YuNet.
        PluginError: OpenCV came without its cascades.
    """
    search_side = settings.search_side or SEARCH_SIDE[settings.detector]
    if settings.detector is DetectorName.YUNET and settings.yunet_path is not None:
        from mien_face.yunet import YuNetDetector

        return YuNetDetector(
            settings.yunet_path,
            search_side=search_side,
            min_face_pixels=settings.min_face_pixels,
            min_face_fraction=settings.min_face_fraction,
            min_score=settings.min_detection_score,
        )
    from mien_face.haar import HaarDetector

    return HaarDetector(
        search_side=search_side,
        min_face_pixels=settings.min_face_pixels,
        min_face_fraction=settings.min_face_fraction,
    )
