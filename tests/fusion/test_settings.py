"""``[plugins.fusion]``: what is wrong is said by name."""

from __future__ import annotations

import pytest

from mien import ConfigError
from mien.testing import read_settings
from mien_fusion.settings import FusionPluginSettings, PlattCalibration


def test_a_calibration_is_read_by_its_kind() -> None:
    settings = read_settings(FusionPluginSettings, {"calibration": {"kind": "platt", "slope": 2.0, "intercept": -1.0}})
    assert settings.calibration == PlattCalibration(slope=2.0, intercept=-1.0)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"hapy_label": "joy"}, "hapy_label"),
        ({"mismatch_margin": 0.7}, "mismatch_margin"),
        ({"calibration": {"kind": "platt", "slope": -2.0, "intercept": 0.0}}, "slope"),
        ({"calibration": {"kind": "isotonic", "scores": [0.5, 0.2], "probabilities": [0.1, 0.2]}}, "scores must rise"),
        ({"calibration": {"kind": "isotonic", "scores": [0.1, 0.2], "probabilities": [0.5, 0.2]}}, "must not fall"),
        ({"calibration": {"kind": "isotonic", "scores": [0.1, 0.2, 0.3], "probabilities": [0.1, 0.2]}}, "3 scores"),
    ],
)
def test_a_wrong_table_is_refused_with_the_key(table: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read_settings(FusionPluginSettings, table)
