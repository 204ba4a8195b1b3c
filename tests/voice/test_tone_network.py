"""The shipped tone network: its answers are well-formed on any text, it abstains where it cannot read, and it reads
customer-service language as the behavioural table expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mien import WeightsError, load_weights, save_weights
from mien_voice.tone import Tone
from mien_voice.tonenetwork import BATCH_SIZES, NETWORK, WEIGHTS, ToneNetwork
from mien_voice_lab import behaviour, commands

BEHAVIOUR = Path(__file__).with_name("tone_behaviour.tsv")
GOEMOTIONS = Path(__file__).parents[2].parent / "shared" / "data" / "goemotions"

NEW_BEHAVIOUR = BEHAVIOUR.with_name("tone_behaviour_new.tsv")
THIRD_BEHAVIOUR = BEHAVIOUR.with_name("tone_behaviour_third.tsv")

EXPECTED = {BEHAVIOUR: (150, 0.9), NEW_BEHAVIOUR: (35, 0.55), THIRD_BEHAVIOUR: (160, 0.65)}
"""Checks and pass rate that each behavioural table must reach; the exact rates are in the model card."""


@pytest.fixture(scope="module")
def network() -> ToneNetwork:
    return ToneNetwork()


def assert_well_formed(tone: Tone) -> None:
    assert sum(tone.sentiment.values()) == pytest.approx(1.0, abs=1e-4)
    assert sum(tone.distribution().values()) == pytest.approx(1.0, abs=1e-4)
    assert all(0.0 <= value <= 1.0 for value in tone.emotions28.values())
    for value in (tone.satisfaction, tone.confidence, tone.out_of_vocabulary):
        assert 0.0 <= value <= 1.0
    assert -1.0 <= tone.valence <= 1.0
    assert tone.language


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_a_well_formed_answer(network: ToneNetwork, text: str) -> None:
    assert_well_formed(network.predict([text])[0])


@given(st.lists(st.sampled_from(["not", "happy", "very", "bad", "thanks", "I", "waited", "hours", ",", "!", "😡"])))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_get_a_well_formed_answer(network: ToneNetwork, words: list[str]) -> None:
    assert_well_formed(network.predict([" ".join(words)])[0])


@pytest.mark.parametrize("count", [2, BATCH_SIZES[1] + 1, BATCH_SIZES[-1] + 3])
def test_a_text_is_answered_the_same_alone_and_in_a_batch(network: ToneNetwork, count: int) -> None:
    texts = [f"the food was good and I waited {number} hours" + " for it" * (number % 7) for number in range(count)]
    for text, together in zip(texts, network.predict(texts), strict=True):
        alone = network.predict([text])[0]
        assert alone.satisfaction == pytest.approx(together.satisfaction, abs=1e-4)
        assert list(alone.emotions28.values()) == pytest.approx(list(together.emotions28.values()), abs=1e-4)


def test_no_texts_give_no_answers(network: ToneNetwork) -> None:
    assert network.predict([]) == []


def test_the_same_text_is_answered_the_same_by_a_network_loaded_anew(network: ToneNetwork) -> None:
    assert ToneNetwork().predict(["I am not happy"]) == network.predict(["I am not happy"])


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("das Zimmer war nicht sauber und ich bin sehr enttäuscht", "de"),
        ("Это ужасно, я очень недоволен", "ru"),
        ("😡😡😡", "und"),
        ("", "und"),
        ("qwrtz bflmp xkcdv zzgrw", "und"),
    ],
)
def test_it_abstains_where_it_cannot_read(network: ToneNetwork, text: str, tag: str) -> None:
    tone = network.predict([text])[0]
    assert tone.language == tag
    assert tone.satisfaction == 0.5
    assert tone.valence == 0.0
    assert tone.confidence < 0.1
    assert tone.notes


def test_a_very_long_text_is_cut_and_says_so(network: ToneNetwork) -> None:
    tone = network.predict(["this is terrible " * 6_000])[0]
    assert_well_formed(tone)
    assert tone.satisfaction < 0.4
    assert "only the first" in tone.notes[-1]


def test_plain_english_needs_no_notes(network: ToneNetwork) -> None:
    assert network.predict(["the room was lovely"])[0].notes == ()


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("thank you so much for your help", "gratitude"),
        ("I am so angry with you", "anger"),
        ("I'm sorry, it was my mistake", "remorse"),
        ("wow what a surprise", "surprise"),
        ("I love it", "love"),
    ],
)
def test_the_plainest_words_are_read(network: ToneNetwork, text: str, emotion: str) -> None:
    tone = network.predict([text])[0]
    assert max(tone.emotions28, key=tone.emotions28.__getitem__) == emotion


@pytest.mark.parametrize("table", EXPECTED, ids=lambda path: path.stem)
def test_behaviour_on_customer_service_language(network: ToneNetwork, table: Path) -> None:
    figures = behaviour.figures(network, table)
    count, rate = EXPECTED[table]
    assert figures["cases"] >= count
    assert figures["pass_rate"] >= rate, figures["failed"]


@pytest.mark.parametrize(
    "text",
    ["i have never been so disappointed", "i have never been so insulted", "this is the worst service i have ever had",
     "i am furious", "This is unacceptable, I want my money back!"],
)  # fmt: skip
def test_a_clear_complaint_is_one_and_confident(network: ToneNetwork, text: str) -> None:
    tone = network.predict([text])[0]
    assert tone.satisfaction <= 0.4
    assert tone.confidence >= 0.5  # from which the fuser tells of a mismatch


@pytest.mark.parametrize(
    "text", ["can't recommend this enough", "thank you so much, that was wonderful", "I love it here"]
)
def test_praise_is_praise_and_confident(network: ToneNetwork, text: str) -> None:
    tone = network.predict([text])[0]
    assert tone.satisfaction >= 0.6
    assert tone.confidence >= 0.4


@pytest.mark.parametrize(
    "text",
    ["the train leaves at noon", "The store closes at eight.", "it is Tuesday", "i would like a table for two",
     "I'm calling about a ticket"],
)  # fmt: skip
def test_a_plain_statement_says_nothing_either_way(network: ToneNetwork, text: str) -> None:
    tone = network.predict([text])[0]
    assert 0.38 <= tone.satisfaction <= 0.62
    assert tone.confidence < 0.5


def test_characters_that_cannot_be_seen_change_nothing(network: ToneNetwork) -> None:
    assert network.predict(["ter\u200brible ser\u200dvice"]) == network.predict(["terrible service"])


def test_the_network_keeps_within_its_size() -> None:
    manifest, arrays = load_weights(WEIGHTS)
    assert sum(array.size for array in arrays.values()) <= 8_000_000 + len(arrays["features/hashes"])
    assert sum(path.stat().st_size for path in WEIGHTS.parent.iterdir()) <= 25_000_000
    assert manifest.license


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_weights(
        tmp_path / "tone.json", {"a": np.zeros(1)}, labels={}, name="x", version="1", network="other", license="none"
    )
    with pytest.raises(WeightsError, match=NETWORK):
        ToneNetwork(tmp_path / "tone.json")


def test_weights_without_a_calibration_are_refused(tmp_path: Path) -> None:
    save_weights(
        tmp_path / "tone.json", {"a": np.zeros(1)}, labels={}, name="x", version="1", network=NETWORK, license="none"
    )
    with pytest.raises(WeightsError, match="does not fit"):
        ToneNetwork(tmp_path / "tone.json")


def run_command(arguments: list[str]) -> Any:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_evaluate_writes_the_figures_as_json(tmp_path: Path) -> None:
    table = tmp_path / "small.tsv"
    table.write_text("I love this\t18\ta\nthis makes me so angry\t2\tb\nthe bus leaves at nine\t27\tc\n")
    card = tmp_path / "CARD.md"
    checks = tmp_path / "checks.tsv"
    checks.write_text("complaint\tdissatisfied\tthis is terrible service\n")
    result = run_command(
        ["evaluate", "tone", "--data", str(table), "--json", "-", "--card", str(card), "--behaviour", str(checks),
         "--plots", str(tmp_path)]
    )  # fmt: skip
    figures = json.loads(result.output)
    assert set(figures["macro_f1"]) == {"sentiment", "ekman", "emotions28"}
    assert 0.0 <= figures["ece"] <= 1.0
    assert figures["behaviour"]["checks.tsv"]["pass_rate"] == 1.0
    assert (tmp_path / "tone-small-sentiment.png").stat().st_size > 0
    assert f"{figures['macro_f1']['sentiment']:.3f}" in card.read_text()


def test_evaluate_measures_dialogues_beside_baselines(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    turns = ["thank you that was great\tX\t5,5", "this is awful\tX\t1,2", "a table for two\tX\t3"]
    path.write_text("".join(f"USER\t{turn}\nUSER\tOVERALL\t\t{turn[-1]}\n\n" for turn in turns * 4))
    result = run_command(["evaluate", "tone", "--data", str(path), "--json", "-"])
    own = json.loads(result.output)["talk"]
    assert set(own) == {"network", "lexicon", "majority"}
    assert own["network"]["turn_spearman"] > 0.5 > own["majority"]["turn_spearman"]


@pytest.mark.skipif(not GOEMOTIONS.is_dir(), reason="needs ../shared/data/goemotions")
def test_shipped_figures_are_what_dev_gives(tmp_path: Path) -> None:
    result = run_command(["evaluate", "tone", "--data", str(GOEMOTIONS / "dev.tsv"), "--json", "-"])
    macro = json.loads(result.output)["macro_f1"]
    manifest, _ = load_weights(WEIGHTS)
    for task, value in macro.items():
        assert value == pytest.approx(manifest.metrics[f"dev_macro_f1_{task}"], abs=0.003)
