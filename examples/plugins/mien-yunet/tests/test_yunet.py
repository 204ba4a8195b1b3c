"""The plugin is found by the host, checks its settings, and reads YuNet's answers; the network itself is OpenCV's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import Box, ConfigError, Detection, DetectorSettings, PluginHost, PluginState, Settings
from mien_yunet import plugin
from mien_yunet.detector import YuNetDetector, read_rows


def host_with(**table: Any) -> PluginHost:
    return PluginHost.from_plugins({"yunet": plugin}, Settings(plugins={"yunet": table}))


def test_the_detector_is_registered_and_needs_a_file() -> None:
    host = host_with()
    assert list(host.detectors) == ["yunet"]
    with pytest.raises(ConfigError, match=r"\[plugins.yunet\] path: the detector yunet needs the path"):
        host.detector("yunet", DetectorSettings())


def test_a_wrong_setting_is_told_with_the_key() -> None:
    (description,) = host_with(pth="x").plugins()
    assert description.state is PluginState.FAILED
    assert "[plugins.yunet] is not valid: pth: there is no such key; known here: path" in description.reason


def test_rows_become_detections_in_pixels_of_the_picture() -> None:
    row = np.array([[10, 20, 30, 40, *range(10), 0.75]], np.float32)
    (face,) = read_rows(row, scale=0.5, smallest=40)
    assert face == Detection(Box(20, 40, 60, 80), 0.75, ((0, 2), (4, 6), (8, 10), (12, 14), (16, 18)))


def test_rows_that_are_small_or_not_finite_are_left_out() -> None:
    rows = np.zeros((2, 15), np.float32)
    rows[:, 2:4] = [[10, 10], [np.nan, 90]]
    assert list(read_rows(rows, scale=1.0, smallest=20)) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    host = host_with(path=str(tmp_path / "no.onnx"))
    with pytest.raises(ConfigError, match=r"\[plugins.yunet\] path: there is no file .*no\.onnx"):
        host.detector("yunet", DetectorSettings())


@pytest.mark.parametrize("content", [b"", b"this is no network"])
def test_a_file_that_is_not_yunet_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not a YuNet file"):
        YuNetDetector(path, DetectorSettings(min_score=0.5))


def test_importing_the_plugin_loads_no_opencv() -> None:
    code = "import sys, mien_yunet.plugin; sys.exit('cv2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)}, timeout=60)
