"""For tests of plugins: conformance suites to subclass, samples to test with, and fakes to test against.

A plugin's test subclasses a suite and defines its fixtures with pytest; the suite brings the tests. This package
imports no pytest itself, and no part of mien that runs in production uses it. See ``docs/plugin-testing.md``.
"""

from mien.testing.accumulators import AccumulatorConformance
from mien.testing.backends import BackendConformance
from mien.testing.commands import CommandsConformance
from mien.testing.conformance import AnalyzerConformance
from mien.testing.detectors import DetectorConformance
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
from mien.testing.networks import LinearNetwork
from mien.testing.predictions import assert_predictions_close
from mien.testing.rules import GRADES, Conformance, Grade, Rule, rule, rules_of
from mien.testing.samples import make_face, make_session, make_speech
from mien.testing.sinks import SinkConformance
from mien.testing.speech import TranscriberConformance
from mien.testing.streams import StreamConformance

__all__ = [
    "GRADES",
    "AccumulatorConformance",
    "AnalyzerConformance",
    "BackendConformance",
    "CommandsConformance",
    "Conformance",
    "DetectorConformance",
    "FakeAnalyzer",
    "FakeFuser",
    "FakePlugin",
    "FakeSink",
    "FakeTranscriber",
    "FuserConformance",
    "Grade",
    "LinearNetwork",
    "Rule",
    "SinkConformance",
    "StreamConformance",
    "TranscriberConformance",
    "analyzer_info",
    "assert_predictions_close",
    "make_clip",
    "make_face",
    "make_image",
    "make_prediction",
    "make_session",
    "make_speech",
    "read_settings",
    "rule",
    "rules_of",
]
