"""The tone of a Hugging Face text-classification checkpoint: a tiny random one loads, runs, has its labels mapped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from voice.checkpoints import save_text_classifier

from mien import ConfigError, MissingDependencyError, PluginError, Utterance
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien.testing import read_settings
from mien_voice import plugin
from mien_voice.labels import EMOTIONS28, SATISFACTION_OF, TONE_LABELS
from mien_voice.settings import ToneSettings, VoiceSettings
from mien_voice.tonecheckpoint import BATCH_SIZE, ToneCheckpoint, label_weights

pytest.importorskip("torch", reason="the extra mien[transformers] is not installed")

# transformers' own loading code uses what newer versions of its dependencies have announced to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

THEIRS = ("LABEL_0", "LABEL_1", "Joy")
MAPPING = {"LABEL_0": "negative", "LABEL_1": "neutral"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_text_classifier(tmp_path_factory.mktemp("classifier"), THEIRS)


@pytest.fixture
def make(folder: Path) -> Callable[..., ToneCheckpoint]:
    def make(**changes: Any) -> ToneCheckpoint:
        return ToneCheckpoint(
            ToneSettings(**{"checkpoint": str(folder), "labels": MAPPING, "offline": True, **changes})
        )

    return make


def row(theirs: str, mapping: dict[str, str]) -> dict[str, float]:
    """What one label counts for, without the zeros."""
    weights = label_weights([theirs], mapping)[0]
    return {name: float(weight) for name, weight in zip(EMOTIONS28, weights, strict=True) if weight}


def test_an_emotion_counts_for_itself_whatever_its_case() -> None:
    assert row("Joy", {}) == {"joy": 1.0}
    assert row("LABEL_3", {"label_3": "anger"}) == {"anger": 1.0}


def test_a_sentiment_is_spread_over_its_emotions() -> None:
    assert row("AMBIGUOUS", {}) == dict.fromkeys(("confusion", "curiosity", "realization", "surprise"), 0.25)
    assert row("0 stars", {"0 stars": "neutral"}) == {"neutral": 1.0}


def test_labels_that_are_not_mapped_are_told_with_both_sets(make: Callable[..., ToneCheckpoint]) -> None:
    with pytest.raises(ConfigError) as caught:
        make(labels={"LABEL_0": "negative"})
    message = str(caught.value)
    assert "'LABEL_1' is not mapped" in message
    assert ", ".join(THEIRS) in message
    assert ", ".join(TONE_LABELS) in message


def test_labels_that_the_checkpoint_does_not_have_are_told(make: Callable[..., ToneCheckpoint]) -> None:
    with pytest.raises(ConfigError, match=r"'LABEL_9' is none of the checkpoint's.*LABEL_0, LABEL_1, Joy"):
        make(labels={**MAPPING, "LABEL_9": "anger"})


def test_labels_that_are_not_ours_are_told_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match=r"tone.labels: happy: not a label of ours; those are admiration.*negative"):
        read_settings(VoiceSettings, {"tone": {"checkpoint": "x", "labels": {"LABEL_0": "happy"}}})
    with pytest.raises(ConfigError, match="no checkpoint is given"):
        read_settings(VoiceSettings, {"tone": {"labels": {"LABEL_0": "joy"}}})


def test_its_answers_follow_the_mapping(make: Callable[..., ToneCheckpoint]) -> None:
    tone = make().predict(["the food was good"])[0]
    assert sum(tone.emotions28.values()) == pytest.approx(1.0)
    assert sum(tone.sentiment.values()) == pytest.approx(1.0)
    assert tone.sentiment["positive"] == pytest.approx(tone.emotions28["joy"])
    assert tone.emotions28["anger"] == pytest.approx(tone.sentiment["negative"] / 11)
    assert tone.emotions28["love"] == 0.0
    assert tone.valence == pytest.approx(tone.sentiment["positive"] - tone.sentiment["negative"])
    assert tone.confidence == max(tone.sentiment.values())
    assert tone.satisfaction == pytest.approx(sum(tone.emotions28[name] * SATISFACTION_OF[name] for name in EMOTIONS28))


def test_of_labels_that_exclude_nothing_what_is_left_is_neutral(tmp_path: Path) -> None:
    folder = save_text_classifier(tmp_path, ("joy", "anger"), several=True)
    for tone in ToneCheckpoint(ToneSettings(checkpoint=str(folder), offline=True)).predict(["good", "bad", "the food"]):
        said = tone.emotions28["joy"] + tone.emotions28["anger"]
        assert tone.emotions28["neutral"] == pytest.approx(1.0 - said, abs=1e-9)
        assert 0.0 < said <= 1.0 + 1e-9


def test_a_text_is_answered_the_same_alone_and_in_batches(make: Callable[..., ToneCheckpoint]) -> None:
    model = make()
    words = ("thank you", "i am angry", "the food was good", "bad", "the food was bad i am angry")
    texts = [words[index % len(words)] for index in range(BATCH_SIZE + 3)]
    together = model.predict(texts)
    assert len({tone.satisfaction for tone in together}) >= len(words)
    for text, tone in zip(texts, together, strict=True):
        assert model.predict([text])[0].satisfaction == pytest.approx(tone.satisfaction, abs=1e-5)


def test_what_has_no_words_or_is_in_a_language_it_does_not_read_is_neutral(make: Callable[..., ToneCheckpoint]) -> None:
    german = "das Zimmer war nicht sauber und ich bin sehr enttäuscht"
    for tone in make().predict(["😡😡", "", german]):
        assert (tone.satisfaction, tone.valence) == (0.5, 0.0)
        assert tone.confidence < 0.1
        assert tone.notes
    assert make(languages=("de",)).predict([german])[0].notes == ()
    assert make(languages=()).predict([german])[0].language == "de"


def test_a_text_longer_than_it_can_take_is_cut(make: Callable[..., ToneCheckpoint]) -> None:
    assert make().predict(["the food was good " * 500])[0].confidence > 0


def test_languages_are_told_by_their_first_part(make: Callable[..., ToneCheckpoint]) -> None:
    model = make(languages=("de-AT", "en"))
    assert model.reads("de")
    assert model.reads("en_GB")
    assert not model.reads("fr")
    assert make(languages=()).reads("fr")


def test_the_configuration_puts_it_in_the_networks_place(folder: Path) -> None:
    tone = {"checkpoint": str(folder), "labels": MAPPING, "offline": True}
    settings = {"engine": {"analyzers": ["voice"]}, "plugins": {"voice": {"tone": tone}}}
    with closing(PluginHost.from_plugins({"voice": plugin}, parse_settings(settings))) as host:
        assert str(folder) in host.analyzers["voice"].info.description
        ((prediction,),) = host.analyzer("voice").analyze([Utterance("thank you")])
    expected = ToneCheckpoint(ToneSettings(**tone)).predict(["thank you"])[0]
    assert prediction.satisfaction == pytest.approx(expected.satisfaction)


def test_the_configuration_puts_it_beside_the_network_for_its_language(folder: Path) -> None:
    tone = {"checkpoints": {"de": {"checkpoint": str(folder), "labels": MAPPING}}, "offline": True}
    settings = {"engine": {"analyzers": ["voice"]}, "plugins": {"voice": {"tone": tone}}}
    with closing(PluginHost.from_plugins({"voice": plugin}, parse_settings(settings))) as host:
        assert f"in de by {str(folder)!r}" in host.analyzers["voice"].info.description
        spoken = [Utterance("gut", language="de"), Utterance("I am so angry"), Utterance("c'est bon", language="fr")]
        ((german,), (english,), (french,)) = host.analyzer("voice").analyze(spoken)
    only = ToneSettings(checkpoint=str(folder), labels=MAPPING, languages=("de",), offline=True)
    assert german.satisfaction == pytest.approx(ToneCheckpoint(only).predict(["gut"], ["de"])[0].satisfaction)
    assert english.satisfaction is not None
    assert english.satisfaction < 0.4
    assert (french.satisfaction, french.confidence) == (0.5, pytest.approx(0.02))


def test_a_checkpoint_that_classifies_nothing_is_refused(tmp_path: Path) -> None:
    folder = save_text_classifier(tmp_path, ("joy", "anger"), head=False)
    with pytest.raises(PluginError, match="not one for text classification: it has no classifier"):
        ToneCheckpoint(ToneSettings(checkpoint=str(folder), offline=True))


def test_a_missing_folder_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"there is no folder .* with a text-classification checkpoint"):
        ToneCheckpoint(ToneSettings(checkpoint=str(tmp_path / "none")))
    with pytest.raises(PluginError, match=r"cannot load the text-classification checkpoint.*plugins.voice.tone"):
        ToneCheckpoint(ToneSettings(checkpoint=str(tmp_path), offline=True))


@pytest.mark.usefixtures("no_network")
def test_offline_asks_no_hub() -> None:
    with pytest.raises(PluginError, match=r"nobody/nothing.*local folder"):
        ToneCheckpoint(ToneSettings(checkpoint="nobody/nothing", offline=True))


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"tone checkpoint needs .*mien\[transformers\]"):
        ToneCheckpoint(ToneSettings(checkpoint="x"))
