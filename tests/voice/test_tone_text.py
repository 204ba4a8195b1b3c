"""Text to features: normalising, tokens, hashed n-grams, word classes, subwords, language. No network is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import WeightsError
from mien_voice import features, language, lexicon
from mien_voice.featuretable import FeatureTable
from mien_voice.language import Readability
from mien_voice.tokenizer import MAX_TOKENS, UNKNOWN_ID, SubwordTokenizer, train_tokenizer

ANY_TEXT = st.text(max_size=300)


def test_normalising_folds_case_quotes_and_drawn_out_letters() -> None:
    assert features.normalise("I\u2019m SOOOO happy") == "i'm soo happy"


@pytest.mark.parametrize("unseen", ["\u200b", "\u200d", "\u00ad", "\ufeff", "\u2060", "&#8203;", "\u202e"])
def test_what_cannot_be_seen_parts_no_word(unseen: str) -> None:
    assert features.tokenise(features.normalise(f"ter{unseen}rible ser{unseen}vice{unseen}")) == ["terrible", "service"]


def test_tokens_keep_words_numbers_emoji_and_marks_apart() -> None:
    assert features.tokenise("i'm not ok, 45 😡😡 [name]!") == [
        "i'm",
        "not",
        "ok",
        ",",
        "45",
        "😡",
        "😡",
        "[name]",
        "!",
    ]


def test_all_numbers_are_one_feature() -> None:
    assert features.word_features(["45", "minutes"]) == features.word_features(["50", "minutes"])


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("not good at all", [False, True, True, True]),
        ("good not bad", [False, False, True]),
        ("never , good", [False, True, False]),
        ("i don't like it", [False, False, True, True]),
    ],
)
def test_a_negation_reaches_a_few_words_and_ends_at_a_stop(text: str, negated: list[bool]) -> None:
    assert features.negation(text.split()) == negated


def test_relatives_share_a_word_class() -> None:
    assert "anger" in lexicon.classes_of("livid")
    assert "anger" in lexicon.classes_of("furious")


def test_plain_endings_are_taken_off() -> None:
    assert lexicon.classes_of("delights") == lexicon.classes_of("delight")


def test_a_phrase_is_found_beside_its_words() -> None:
    found = dict(lexicon.find(["waste", "of", "time"]))
    assert "disappoint" in found[0]


def test_hashes_are_the_same_on_every_machine() -> None:
    words, characters, classes = features.blocks("not happy")
    assert words[:2] == [219_540_850, 3_961_192_570]
    assert characters[0] == 4_207_167_830
    assert len(classes) > 0


@given(ANY_TEXT)
def test_features_are_deterministic_and_never_fail(text: str) -> None:
    assert [list(block) for block in features.blocks(text)] == [list(block) for block in features.blocks(text)]
    assert len(features.tokenise(features.normalise(text))) <= features.MAX_TOKENS


@given(ANY_TEXT)
def test_every_block_of_values_has_its_length(text: str) -> None:
    known = np.unique(np.concatenate([np.asarray(block, np.uint32) for block in features.blocks("not " + text)]))
    table = FeatureTable(known, np.ones(len(known), np.float32))
    rows, values = table.encode("not " + text)
    assert len(rows) == len(values)
    assert bool((values > 0).all())
    assert float(np.sum(values**2)) == pytest.approx(1.0 + 0.8**2 + 0.8**2, rel=1e-3)


def test_a_limit_keeps_the_largest_values() -> None:
    known = np.unique(np.concatenate([np.asarray(block, np.uint32) for block in features.blocks("very good food")]))
    table = FeatureTable(known, np.linspace(1, 2, len(known), dtype=np.float32))
    _, every = table.encode("very good food")
    _, some = table.encode("very good food", limit=5)
    assert sorted(some) == sorted(every)[-5:]


def test_a_table_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        FeatureTable(np.array([3, 2], np.uint32), np.ones(2, np.float32))


@pytest.mark.parametrize(
    ("text", "readability", "tag"),
    [
        ("the room was not clean", Readability.ENGLISH, "en"),
        ("terrible service", Readability.ENGLISH, "en"),
        ("das Zimmer war nicht sauber und ich bin sehr enttäuscht", Readability.OTHER_LANGUAGE, "de"),
        ("je ne suis pas content de la chambre", Readability.OTHER_LANGUAGE, "fr"),
        ("la habitación no estaba limpia y el personal es muy grosero", Readability.OTHER_LANGUAGE, "es"),
        ("Это ужасно", Readability.OTHER_LANGUAGE, "ru"),
        ("この店は最悪です", Readability.OTHER_LANGUAGE, "ja"),
        ("非常感谢", Readability.OTHER_LANGUAGE, "zh"),
        ("😡😡😡", Readability.NO_WORDS, "und"),
        ("", Readability.NO_WORDS, "und"),
        ("42 !!", Readability.NO_WORDS, "und"),
    ],
)
def test_language_is_told_or_left_open(text: str, readability: Readability, tag: str) -> None:
    assert language.identify(features.tokenise(features.normalise(text))) == (readability, tag)


@given(ANY_TEXT)
def test_language_never_fails(text: str) -> None:
    assert language.identify(features.tokenise(features.normalise(text))).language


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> SubwordTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train_tokenizer(["the food was good", "the food was bad", "good good service"] * 3, path, size=60)
    return SubwordTokenizer(path)


def test_subwords_do_not_depend_on_neighbours(tokenizer: SubwordTokenizer) -> None:
    alone = tokenizer.encode(["the food"])[0]
    beside = tokenizer.encode(["good service was bad", "the food"])[1]
    assert alone.tolist() == beside.tolist()


def test_what_was_never_seen_is_unknown(tokenizer: SubwordTokenizer) -> None:
    assert tokenizer.encode(["ж"])[0].tolist() == [UNKNOWN_ID]


def test_subwords_are_cut(tokenizer: SubwordTokenizer) -> None:
    assert len(tokenizer.encode(["good " * 500])[0]) == MAX_TOKENS


def test_no_texts_give_no_subwords(tokenizer: SubwordTokenizer) -> None:
    assert tokenizer.encode([]) == []


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"missing\.json"):
        SubwordTokenizer(tmp_path / "missing.json")


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(WeightsError, match="not a tokenizer"):
        SubwordTokenizer(path)
