"""The plugin keeps mien's contract (the suite), is found by the host, and reads plain English."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mien import (
    AnalysisRequest,
    AnalyzerInfo,
    Engine,
    InputError,
    PluginHost,
    Prediction,
    Sample,
    Utterance,
    parse_settings,
)
from mien.testing import AnalyzerConformance, FakeFuser, FakePlugin, make_image
from mien_lexicon import plugin
from mien_lexicon.analyzer import NO_WORDS_CONFIDENCE, LexiconAnalyzer
from mien_lexicon.settings import LexiconSettings


class TestConformance(AnalyzerConformance):
    @pytest.fixture
    def analyzer(self) -> LexiconAnalyzer:
        return LexiconAnalyzer(LexiconSettings())

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return plugin.INFO

    @pytest.fixture
    def samples(self) -> list[Sample]:
        texts = ("Wonderful, thank you so much!", "Terrible. I waited for an hour.", "The cup is on the table.", "")
        return [Utterance(text, captured_at=float(index)) for index, text in enumerate(texts)]


def read(text: str, *, language: str = "", **extra_words: float) -> Prediction:
    analyzer = LexiconAnalyzer(LexiconSettings(extra_words=extra_words))
    return analyzer.analyze([Utterance(text, language)])[0][0]


def test_praise_is_satisfied_and_complaint_is_not() -> None:
    assert read("The staff were lovely and helpful").satisfaction > 0.7
    assert read("Rude staff, awful coffee").satisfaction < 0.3
    assert read("not good").satisfaction < 0.5 < read("not bad at all").satisfaction


def test_words_outside_the_lexicon_are_neutral_and_hardly_trusted() -> None:
    prediction = read("a cup and a spoon")
    assert (prediction.satisfaction, prediction.confidence) == (0.5, NO_WORDS_CONFIDENCE)
    assert prediction.top_emotion == "neutral"


def test_another_language_is_not_guessed_at() -> None:
    assert read("fatal, kind, gift", language="de-DE").confidence == 0.0


def test_silence_is_an_empty_answer() -> None:
    assert LexiconAnalyzer(LexiconSettings()).analyze([Utterance(""), Utterance(" ... ")]) == [[], []]


def test_a_picture_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="reads text"):
        LexiconAnalyzer(LexiconSettings()).analyze([make_image()])


def test_extra_words_count() -> None:
    assert read("so frobnicated", frobnicated=3.0).valence > 0.3 > read("so frobnicated").valence


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"extra_wrods": {}}, "extra_wrods: there is no such key; known here: extra_words"),
        ({"extra_words": ["good"]}, "extra_words: Input should be a valid dictionary (got ['good'])"),
        ({"extra_words": {"meh": 9}}, "extra_words.meh: Input should be less than or equal to 4 (got 9)"),
        ({"extra_words": {"meh": float("nan")}}, "extra_words.meh"),
        ({"extra_words": {"meh": True}}, "extra_words.meh"),
    ],
)
def test_wrong_settings_are_reported_with_the_key(table: dict[str, object], message: str) -> None:
    settings = parse_settings({"plugins": {"lexicon": table}})
    (description,) = PluginHost.from_plugins({"lexicon": plugin}, settings).plugins()
    assert message in description.reason


def test_text_is_analysed_and_fused_through_the_host() -> None:
    fusion = FakePlugin(fusers={"fitted": FakeFuser})
    settings = parse_settings({"plugins": {"lexicon": {"extra_words": {"frobnicated": 3.0}}}})
    host = PluginHost.from_plugins({"lexicon": plugin, "fusion": fusion}, settings)
    engine = Engine(host, settings)
    result = engine.analyze(AnalysisRequest(samples=(Utterance("Thank you, truly frobnicated service!"),)))
    assert not result.missing
    assert result.predictions[0].analyzer == "lexicon"
    assert result.satisfaction.contributions["text"].score > 0.7


def test_importing_the_plugin_loads_no_lexicon() -> None:
    code = "import sys, mien_lexicon.plugin; sys.exit('vaderSentiment' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)}, timeout=60)
