"""``[plugins.yunet]``: the plugin's own table of the configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class YuNetSettings(BaseModel):
    """What can be set.

    Attributes:
        path: The ONNX file of YuNet (``face_detection_yunet_2023mar.onnx`` of OpenCV's model zoo).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = None
