"""The plugin's hooks. Importing this loads no OpenCV: that waits until somebody has faces to find."""

from __future__ import annotations

from functools import partial

from mien import ConfigError, DetectorInfo, DetectorSettings, FaceDetector, PluginContext, RegisterDetector, hookimpl
from mien_yunet.settings import YuNetSettings

MIEN_API_VERSION = 1
"""The version of mien's plugin contract that this was written for."""

INFO = DetectorInfo(
    version="0.1.0",
    weights_license="MIT",
    description="YuNet of OpenCV's model zoo, with landmarks; needs its file",
)


@hookimpl
def mien_register_detectors(register: RegisterDetector, context: PluginContext) -> None:
    """Register the detector ``yunet``; its settings come from ``[plugins.yunet]``."""
    settings = context.settings("yunet", YuNetSettings)
    register("yunet", INFO, partial(_load, settings))


def _load(settings: YuNetSettings, asked: DetectorSettings) -> FaceDetector:
    from mien_yunet.detector import YuNetDetector

    if settings.path is None:
        raise ConfigError("[plugins.yunet] path: the detector yunet needs the path of YuNet's ONNX file")
    return YuNetDetector(settings.path, asked)
