"""Tells whether a text can be read at all: English words, another language, or nothing but signs.

A few function words and the scripts of Unicode, enough to abstain by; it is no general language detector.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

ENGLISH: Final = "en"
UNDETERMINED: Final = "und"
"""BCP 47's tag for a language that cannot be told."""

_FUNCTION_WORDS: Final[dict[str, frozenset[str]]] = {
    "en": frozenset(
        "the a an is are was were be been am i you he she it we they me my your his her our their this that these those of to in on "
        "at for with from by about not no yes and or but so if as do does did have has had will would can could what who "
        "when where why how there here very just all any some more than then too thanks thank please i'm it's don't".split()
    ),
    "de": frozenset(
        "der die das den dem des ein eine einen einem einer ist sind war waren ich du er sie es wir ihr mich mir dich dir nicht "
        "kein keine und oder aber wenn dass mit von zu zum zur auf für bei nach aus wie was wer wo warum auch noch schon "
        "sehr nur habe hat haben wird werden kann bitte danke ja nein im am vom".split()
    ),
    "fr": frozenset(
        "le la les un une des du de est sont était je tu il elle nous vous ils elles me te se ne pas plus et ou mais si que qui "
        "quoi où avec pour par sur dans au aux ce cette ces mon ma mes votre notre c'est j'ai n'est très bien merci oui non "
        "j'ai l'ai d'un d'une suis avez ont".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas es son era estoy está yo tú él ella nosotros ustedes me te se no sí y o pero si que quien "
        "qué dónde cómo con para por en de del al mi su este esta estos muy más gracias también hay tengo tiene lo le".split()
    ),
    "it": frozenset(
        "il lo la gli le un una è sono era io tu lui lei noi voi loro mi ti si non sì e o ma se che chi cosa dove come con per "
        "di da del della nel nella al alla mio questo questa molto più grazie anche ho ha hai abbiamo".split()
    ),
    "pt": frozenset(
        "o os as um uma é são era eu tu ele ela nós vocês me te se não sim e ou mas que quem onde como com para por em de do da "
        "dos das no na ao meu este esta muito mais obrigado obrigada também há tenho tem isso".split()
    ),
    "nl": frozenset(
        "de het een is zijn was waren ik jij je hij zij wij jullie mij niet geen en of maar als dat die dit met van naar op voor "
        "bij uit hoe wat wie waar waarom ook nog al heel zeer heb heeft hebben wordt kan bedankt ja nee".split()
    ),
    "pl": frozenset(
        "nie tak jest są był była ja ty on ona my wy oni mnie się i lub ale że co kto gdzie jak dlaczego z ze na w we do od dla "
        "po za to ten ta te bardzo już tylko dziękuję proszę mam ma".split()
    ),
    "sv": frozenset(
        "och att det är en ett som på av för med den till inte jag du han hon vi ni de har hade var kan ska om men eller mycket "
        "tack ja nej så från här där vad varför hur".split()
    ),
    "tr": frozenset(
        "ve bir bu şu o için ile de da değil çok ama ne neden nasıl ben sen biz siz onlar var yok mi mı evet hayır teşekkür "
        "gibi daha kadar sonra".split()
    ),
}  # fmt: skip

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
    counts = {tag: sum(word in known for word in words) for tag, known in _FUNCTION_WORDS.items()}
    best = max(counts, key=lambda tag: (counts[tag], tag == ENGLISH))
    lead = counts[best] - counts[ENGLISH]
    if lead >= _MIN_LEAD or (lead > 0 and counts[ENGLISH] == 0 and len(words) <= _FEW_WORDS):
        return Verdict(Readability.OTHER_LANGUAGE, best)
    return Verdict(Readability.ENGLISH, ENGLISH)


def _main_script(letters: str) -> str:
    """The script of most of the letters, by the first word of their Unicode names."""
    scripts = Counter(unicodedata.name(letter, "?").split(" ")[0] for letter in letters if letter.isalpha())
    if not scripts:
        return _LATIN
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0 and scripts["CJK"] > 0:
        return "HIRAGANA"
    return scripts.most_common(1)[0][0]
