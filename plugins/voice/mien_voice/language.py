"""Tells whether a text can be read at all: English words, another language, or nothing but signs.

A few function words and the scripts of Unicode, enough to abstain by; it is no general language detector.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ENGLISH: Final = "en"
UNDETERMINED: Final = "und"
"""BCP 47's tag for a language that cannot be told."""

WORDS_FILE: Final = Path(__file__).with_name("function_words.txt")

_SCRIPTS: Final[dict[str, str]] = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th", "HANGUL": "ko",
    "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "ARMENIAN": "hy", "GEORGIAN": "ka", "BENGALI": "bn", "TAMIL": "ta",
}  # fmt: skip
"""First word of a character's Unicode name -> the language most written so."""

_LATIN: Final = "LATIN"
_MIN_LEAD: Final = 2
"""Function words by which another language must lead English before it is believed."""

_FEW_WORDS: Final = 3
"""Up to so many words a text may have no function word and still be English ("terrible service")."""


@cache
def function_words() -> dict[str, frozenset[str]]:
    """BCP 47 tag -> the language's function words."""
    found = {}
    for line in WORDS_FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            tag, _, words = line.partition(": ")
            found[tag] = frozenset(words.split())
    return found


class Readability(StrEnum):
    """What a text is to a network that reads English."""

    ENGLISH = "english"
    OTHER_LANGUAGE = "other_language"
    NO_WORDS = "no_words"


class Verdict(NamedTuple):
    """What a text is, and its language as a BCP 47 tag."""

    readability: Readability
    language: str


def identify(tokens: Sequence[str]) -> Verdict:
    """Tell what a text is.

    Args:
        tokens: From ``features.tokenise``.

    Returns:
        NO_WORDS with ``und`` where there are no letters; OTHER_LANGUAGE with a tag, ``und`` where it cannot be told;
        else ENGLISH.
    """
    words = [token for token in tokens if token[0].isalpha()]
    if not words:
        return Verdict(Readability.NO_WORDS, UNDETERMINED)
    script = _main_script("".join(words))
    if script != _LATIN:
        return Verdict(Readability.OTHER_LANGUAGE, _SCRIPTS.get(script, UNDETERMINED))
    counts = {tag: sum(word in known for word in words) for tag, known in function_words().items()}
    best = max(counts, key=lambda tag: (counts[tag], tag == ENGLISH))
    lead = counts[best] - counts[ENGLISH]
    if lead >= _MIN_LEAD or (lead > 0 and counts[ENGLISH] == 0 and len(words) <= _FEW_WORDS):
        return Verdict(Readability.OTHER_LANGUAGE, best)
    return Verdict(Readability.ENGLISH, ENGLISH)


def primary(tag: str) -> str:
    """The language of a BCP 47 tag, without script and region: ``en`` of ``en-US`` and of ``en_GB``."""
    return tag.replace("_", "-").split("-")[0].lower()


def _main_script(letters: str) -> str:
    """The script of most of the letters, by the first word of their Unicode names."""
    scripts = Counter(unicodedata.name(letter, "?").split(" ")[0] for letter in letters if letter.isalpha())
    if not scripts:
        return _LATIN
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0 and scripts["CJK"] > 0:
        return "HIRAGANA"
    return scripts.most_common(1)[0][0]
