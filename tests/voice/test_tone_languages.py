"""Several tone models as one: each text goes to the model of its language, and the configuration names them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mien import ConfigError
from mien.testing import read_settings
from mien_voice import language
from mien_voice.settings import VoiceSettings
from mien_voice.tone import Tone, abstention
from mien_voice.tonelanguages import ToneByLanguage

GERMAN = "das Zimmer war nicht sauber und ich bin sehr enttäuscht"
FRENCH = "la chambre était très sale et je ne suis pas du tout content"


class Named:
    """Answers with its name as the note; reads one language."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.asked: list[tuple[list[str], list[str]]] = []
        self.warm = False

    def reads(self, tag: str) -> bool:
        return language.primary(tag) == self.tag

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        self.asked.append((list(texts), list(languages)))
        return [abstention(f"{self.tag}: {text}", language=self.tag) for text in texts]

    def warm_up(self) -> None:
        self.warm = True


@pytest.fixture
def models() -> dict[str, Named]:
    return {tag: Named(tag) for tag in ("en", "de", "fr")}


@pytest.fixture
def tone(models: dict[str, Named]) -> ToneByLanguage:
    return ToneByLanguage(models["en"], {"de": models["de"], "fr": models["fr"]})


def test_each_text_goes_to_the_model_of_its_language_and_comes_back_in_order(
    tone: ToneByLanguage, models: dict[str, Named]
) -> None:
    texts = [GERMAN, "the room was fine", FRENCH, GERMAN]
    assert [one.language for one in tone.predict(texts)] == ["de", "en", "fr", "de"]
    assert models["de"].asked == [([GERMAN, GERMAN], ["de", "de"])]


def test_what_the_engine_told_counts_more_than_the_words(tone: ToneByLanguage) -> None:
    told = tone.predict(["gut", "bon", "ok"], ["de-AT", "fr", ""])
    assert [one.language for one in told] == ["de", "fr", "en"]


def test_a_language_without_a_model_is_left_to_the_first(tone: ToneByLanguage, models: dict[str, Named]) -> None:
    assert tone.predict(["è stato un servizio che non era buono"], ["it"])[0].language == "en"
    assert models["en"].asked[0][1] == ["it"]
    assert [tone.reads(tag) for tag in ("en-GB", "de", "fr-CA", "it")] == [True, True, True, False]


def test_no_texts_ask_nobody(tone: ToneByLanguage, models: dict[str, Named]) -> None:
    assert tone.predict([]) == []
    assert not any(model.asked for model in models.values())


def test_all_are_warmed_up(tone: ToneByLanguage, models: dict[str, Named]) -> None:
    tone.warm_up()
    assert all(model.warm for model in models.values())


def test_the_settings_name_a_checkpoint_for_a_language() -> None:
    read = read_settings(VoiceSettings, {"tone": {"checkpoints": {"de": {"checkpoint": "x", "labels": {"A": "joy"}}}}})
    assert read.tone.checkpoints["de"].labels == {"A": "joy"}


@pytest.mark.parametrize(
    ("checkpoints", "words"),
    [
        ({"de-AT": {"checkpoint": "x"}}, "de-AT: a language is the first part"),
        ({"de": {}}, "checkpoint"),
        ({"de": {"checkpoint": ""}}, "checkpoint"),
        ({"de": {"checkpoint": "x", "labels": {"A": "happy"}}}, "happy: not a label of ours"),
    ],
)
def test_wrong_checkpoints_are_told(checkpoints: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_settings(VoiceSettings, {"tone": {"checkpoints": checkpoints}})
