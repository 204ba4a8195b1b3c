"""Copies of training texts as speech-to-text engines write them, and contrasts made of two of them.

Some engines write neither capitals nor stops, all mishear, drop and repeat words. Rules over any text, no templates.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from mien_voice_lab.training.synthetic import LabelledText

_SIGNS: Final = re.compile(r"[^\w\s'\[\]]+")
_FILLERS: Final = ("um", "uh", "er", "like", "you know", "i mean", "well", "so", "yeah")
_ALIKE: Final = (
    "their there they're", "to too two", "your you're", "its it's", "were we're where", "then than", "of have",
    "hear here", "by buy bye", "for four", "one won", "wait weight", "meet meat", "right write", "new knew",
    "our hour are", "weak week", "sea see", "son sun", "fair fare", "break brake", "piece peace", "hole whole",
    "male mail", "plain plane", "great grate", "steal steel", "staff stuff", "clothes close", "an and", "this these",
    "live leave", "been being", "ask asked", "a the", "in and", "is as",
)  # fmt: skip
"""Words that sound alike, or nearly."""

_CONTRASTS: Final = (
    "{0} but {1}",
    "{0} , but {1}",
    "{0} yet {1}",
    "{0} , however {1}",
    "although {0} , {1}",
    "{0} though {1}",
)
_SECOND_COUNTS: Final = 0.7
"""Of a contrast's satisfaction; the first part says the rest."""

_CLEAR: Final = 0.25
"""How far a text's satisfaction is from the middle for it to be on a side."""

_LONGEST: Final = 12
"""Words of either part of a contrast."""


@cache
def _twins() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _ALIKE:
        words = line.split()
        for word in words:
            found.setdefault(word, []).extend(other for other in words if other != word)
    return found


def without_signs(text: str) -> str:
    """Lower case, words and apostrophes only; the text itself where that leaves nothing."""
    return " ".join(_SIGNS.sub(" ", text.lower()).split()) or text


def misheard(text: str, chooser: random.Random, *, rate: float = 0.08) -> str:
    """A text with words misheard, dropped, repeated or filled in, each at ``rate``; half of them without signs."""
    twins = _twins()
    words = (without_signs(text) if chooser.random() < 0.5 else text).split()
    heard: list[str] = []
    for word in words:
        drawn = chooser.random() / rate
        plain = word.lower()
        if plain in twins and drawn < 3.0:
            heard.append(chooser.choice(twins[plain]))
        elif drawn < 0.4 and len(plain) <= 3 and "n" not in plain:  # short words are lost, negations kept
            continue
        elif drawn < 0.7:
            heard += [word, word]
        elif drawn < 1.0:
            heard += [chooser.choice(_FILLERS), word]
        elif drawn < 1.4 and "'" in word:
            heard.append(word.replace("'", ""))
        else:
            heard.append(word)
    return " ".join(heard) or text


def contrasts(texts: Sequence[str], satisfaction: Sequence[float], count: int, *, seed: int) -> list[LabelledText]:
    """Join a pleasant and an unpleasant text, either first; the second says more of how satisfied the speaker is.

    Args:
        texts: Labelled texts.
        satisfaction: What each says, [0, 1].
        count: How many to make.
        seed: Of the choices.
    """
    chooser = random.Random(seed)  # noqa: S311 - not cryptography
    short = [
        (without_signs(text), value)
        for text, value in zip(texts, satisfaction, strict=True)
        if len(text.split()) <= _LONGEST and abs(value - 0.5) > _CLEAR and "[" not in text
    ]
    high, low = [one for one in short if one[1] > 0.5], [one for one in short if one[1] < 0.5]
    made: list[LabelledText] = []
    for _ in range(count if high and low else 0):
        first, second = chooser.choice(high), chooser.choice(low)
        if chooser.random() < 0.5:
            first, second = second, first
        pattern = chooser.choice(_CONTRASTS)
        value = (1.0 - _SECOND_COUNTS) * first[1] + _SECOND_COUNTS * second[1]
        side = ("approval",) if second[1] > 0.5 else ("disappointment",)
        made.append(LabelledText(pattern.format(first[0], second[0]), side, value))
    return made
