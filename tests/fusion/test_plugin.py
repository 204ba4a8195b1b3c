"""The plugin as the host sees it."""

from __future__ import annotations

from contextlib import closing

import pytest

from mien import FusionContext, Prediction, TimeInterval, Verdict
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien_fusion import plugin


def test_the_host_finds_the_fusers_with_their_settings() -> None:
    settings = parse_settings({"plugins": {"fusion": {"happy_label": "joy", "happy_threshold": 0.7}}})
    with closing(PluginHost.from_plugins({"fusion": plugin}, settings)) as host:
        assert set(host.fusers) == {"fitted", "happy_share", "weighted_sum"}
        face = Prediction(
            modality="face",
            emotions={"joy": 1.0},
            valence=1.0,
            satisfaction=0.9,
            confidence=0.9,
            interval=TimeInterval(0.0, 0.0),
        )
        assert host.fuser("happy_share").fuse([face], FusionContext()).verdict is Verdict.GOOD
        assert host.fuser("fitted").fuse([face], FusionContext()).score > 0.6
        assert host.fuser("weighted_sum").fuse([face], FusionContext()).score == pytest.approx(0.9)


def test_wrong_settings_are_the_reason_why_the_plugin_is_left_out() -> None:
    settings = parse_settings({"plugins": {"fusion": {"hapy_label": "joy"}}})
    with closing(PluginHost.from_plugins({"fusion": plugin}, settings)) as host:
        (description,) = host.plugins()
        assert "hapy_label" in description.reason
