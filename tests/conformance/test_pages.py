"""What the pages say of suites, rules and streams is so."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mien.testing
from mien import AnalyzerInfo, AudioClip, Box, FaceRegion, ImageFrame, Prediction, Sample, SampleKind, TimeInterval
from mien.testing import Conformance, FakeAnalyzer, StreamConformance, analyzer_info, make_face, make_session, rules_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
TESTING = (DOCS / "plugin-testing.md").read_text(encoding="utf-8")
STREAMS = (DOCS / "plugin-streams.md").read_text(encoding="utf-8")
SUITES = [each for name, each in vars(mien.testing).items() if name.endswith("Conformance") and each is not Conformance]


def test_the_page_of_rules_is_as_it_is_written() -> None:
    spec = importlib.util.spec_from_file_location("write_rules", DOCS / "write_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "make rules"


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_each_suite_is_documented_with_its_fixtures(suite: type[Conformance]) -> None:
    row = re.search(rf"^\| `{suite.__name__}`[^|]*\|([^|]*)\|$", TESTING, re.MULTILINE)
    assert row, f"docs/plugin-testing.md says nothing of {suite.__name__}"
    fixtures = {fixture for rule in rules_of(suite) for fixture in rule.fixtures}
    assert "the same" in row[1] or fixtures == set(re.findall(r"`(\w+)`", row[1]))


def test_each_option_of_the_check_is_documented() -> None:
    from mien.cli import plugin_check

    options = set(re.findall(r'"(--[a-z-]+)"', inspect.getsource(plugin_check)))
    assert options <= set(re.findall(r"`?(--[a-z-]+)", TESTING))


def stream_of_the_page() -> Any:
    found = re.search(r'^```python title="streams.py"\n(.*?)^```$', STREAMS, re.MULTILINE | re.DOTALL)
    assert found
    namespace: dict[str, Any] = {}
    exec(found[1], namespace)
    return namespace["FaceAndVoiceStream"]


class Seeing(FakeAnalyzer):
    """Sees one face in every picture, with the stream of the page."""

    def __init__(self) -> None:
        super().__init__("face", answer=face_of)

    open_stream = staticmethod(stream_of_the_page())  # type: ignore[assignment]


def face_of(sample: Sample) -> list[Prediction]:
    if not isinstance(sample, ImageFrame):
        return []
    return [
        Prediction(
            modality="face",
            emotions={"happy": 1.0, "neutral": 0.0, "sad": 0.0},
            valence=0.0,
            satisfaction=0.5,
            confidence=0.5,
            interval=TimeInterval(sample.captured_at, sample.captured_at),
            evidence=FaceRegion(Box(10.0, 10.0, 50.0, 50.0), quality=1.0),
        )
    ]


class TestStreamOfThePage(StreamConformance):
    @pytest.fixture
    def analyzer(self) -> Seeing:
        return Seeing()

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return analyzer_info("face", SampleKind.IMAGE, SampleKind.AUDIO)

    @pytest.fixture
    def samples(self) -> Sequence[Sample]:
        return make_session(seconds=4.0)


def test_the_stream_of_the_page_takes_pictures_and_utterances() -> None:
    stream = stream_of_the_page()(mien.StreamSettings(snapshot_interval_seconds=0.0))
    given = [ready for sample in make_session(seconds=6.0) for ready in stream.push(sample)] + stream.flush()
    assert sum(isinstance(each, ImageFrame) for each in given) == 6
    assert sum(isinstance(each, AudioClip) for each in given) == 1
    (seen,) = stream.observe(make_face(), face_of(make_face()))
    assert seen.subject_id == "face-1"
