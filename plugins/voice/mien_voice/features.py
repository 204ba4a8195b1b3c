"""Text -> the hashed n-gram features of the tone network's wide half.

Deterministic on every machine: text is normalised, cut into tokens, and every n-gram is named by a CRC-32. Which of
them the network knows, and how much each weighs, is in its weights; nothing is learned here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zlib import crc32

from mien_voice import lexicon

MAX_TOKENS: Final = 160
"""Tokens that are read of one utterance; GoEmotions' longest has 60, a minute of speech about 150."""

MAX_CHARACTERS: Final = 2_000
"""Characters that are read of one utterance."""

_TOKEN: Final = re.compile(r"\[[a-z]+\]|<3|[:;=]-?[()dp/|]|[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]|_")
_REPEATED: Final = re.compile(r"(.)\1{2,}", re.DOTALL)
_QUOTES: Final = str.maketrans(
    {
        "\u2019": "'",
        "\u2018": "'",
        "`": "'",
        "\u00b4": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2026": " ... ",
        "\ufe0f": "",  # picture variant of an emoji
    }
)
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters that nobody sees: soft hyphens, joiners, directions, tags. They must not part a word."""

_SKIN_TONES: Final = re.compile("[\U0001f3fb-\U0001f3ff]")
_STOPS: Final = frozenset(".!?,;:")
_NEGATED_REACH: Final = 4
_CHAR_SIZES: Final = (2, 3, 4, 5)
_MAX_WORD: Final = 24


def normalise(text: str) -> str:
    """Fold case, width, quotes and drawn-out letters ("soooo" -> "soo"); cut to ``MAX_CHARACTERS``.

    What cannot be seen, such as a joiner inside a word, is left out.
    """
    shown = _UNSEEN.sub("", html.unescape(_UNSEEN.sub("", text)[:MAX_CHARACTERS]))
    text = unicodedata.normalize("NFKC", shown.translate(_QUOTES))
    text = _SKIN_TONES.sub("", text.translate(_QUOTES)).lower()
    return _REPEATED.sub(r"\1\1", text)[:MAX_CHARACTERS]


def tokenise(text: str) -> list[str]:
    """Words, numbers, emoji and punctuation marks of a normalised text, at most ``MAX_TOKENS``."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        tokens.append(match.group())
        if len(tokens) == MAX_TOKENS:
            break
    return tokens


def word_features(tokens: Sequence[str]) -> list[str]:
    """Words, pairs and triples, and words marked as standing within reach of a negation."""
    shown = ["<n>" if token.isdigit() else token for token in tokens]
    padded = ["<s>", *shown, "</s>"]
    features = [f"1 {token}" for token in shown]
    features += [f"2 {a} {b}" for a, b in pairwise(padded)]
    features += [f"3 {a} {b} {c}" for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)]
    features += [f"! {token}" for token, negated in zip(shown, negation(tokens), strict=True) if negated]
    return features


def negation(tokens: Sequence[str]) -> list[bool]:
    """Whether each token stands within reach of a negation before it; a stop mark ends the reach."""
    marks: list[bool] = []
    reach = 0
    for token in tokens:
        marks.append(reach > 0)
        if token in _STOPS:
            reach = 0
        elif "negator" in lexicon.classes_of(token):
            reach = _NEGATED_REACH
        else:
            reach = max(reach - 1, 0)
    return marks


def class_features(tokens: Sequence[str]) -> list[str]:
    """Word classes, marked where negated, alone and in pairs of neighbours; and the first and the last."""
    marks = negation(tokens)
    names: list[str] = []
    features: list[str] = []
    for position, classes in lexicon.find(tokens):
        mark = "-" if marks[position] else "+"
        features += [f"c{mark}{name}" for name in classes]
        names.append(f"{mark}{classes[0]}")
    padded = ["<s>", *names, "</s>"]
    features += [f"cc {a} {b}" for a, b in pairwise(padded)]
    if tokens:
        features.append(f"first {tokens[0]}")
        features.append(f"last {tokens[-1]}")
    features.append(f"length {min(len(tokens).bit_length(), 6)}")
    return features


@lru_cache(maxsize=65_536)
def char_hashes(word: str) -> tuple[int, ...]:
    """Hashes of the character 2- to 5-grams of one word with its edges marked."""
    edged = f" {word[:_MAX_WORD]} "
    return tuple(
        crc32(b"#" + edged[start : start + size].encode())
        for size in _CHAR_SIZES
        for start in range(len(edged) - size + 1)
    )


def hashed(names: Sequence[str]) -> list[int]:
    """CRC-32 of each name."""
    return [crc32(name.encode("utf-8", "surrogatepass")) for name in names]


def blocks(text: str) -> Iterator[list[int]]:
    """The hashed features of one text, block by block: words, characters, word classes; with repetitions."""
    tokens = tokenise(normalise(text))
    yield hashed(word_features(tokens))
    yield [value for token in tokens for value in char_hashes(token)]
    yield hashed(class_features(tokens))
