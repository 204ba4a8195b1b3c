"""For tests of plugins: conformance suites to subclass, and fakes to test against.

A plugin's test subclasses a suite and defines its fixtures with pytest; the suite brings the tests. This package
imports no pytest itself, and no part of mien that runs in production uses it. See ``docs/plugins.md``.
"""

from mien.testing.conformance import AnalyzerConformance, assert_predictions_close
from mien.testing.fakes import (
    FakeAnalyzer,
    FakeFuser,
    FakePlugin,
    FakeSink,
    FakeTranscriber,
    analyzer_info,
    make_clip,
    make_image,
    make_prediction,
    read_settings,
)
from mien.testing.fusion import FuserConformance
from mien.testing.sinks import SinkConformance
from mien.testing.speech import TranscriberConformance

__all__ = [
    "AnalyzerConformance",
    "FakeAnalyzer",
    "FakeFuser",
    "FakePlugin",
    "FakeSink",
    "FakeTranscriber",
    "FuserConformance",
    "SinkConformance",
    "TranscriberConformance",
    "analyzer_info",
    "assert_predictions_close",
    "make_clip",
    "make_image",
    "make_prediction",
    "read_settings",
]
