"""Word error rate of English: texts brought to one spelling, and the edit distance between their words.

A recogniser writes "25 colours" where the reference has "twenty five colors"; neither is an error. Both texts go
through ``words_of``, which writes numbers digit by digit, British spelling as American, titles and contractions in
full, and leaves out hesitations and punctuation. What is left are errors. Not for other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

HESITATIONS: Final = frozenset({"uh", "um", "er", "erm", "hm", "hmm", "mm", "mhm", "uhm", "ah", "eh"})

_UNITS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINALS: Final = {
    "1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "6th": "sixth",
    "7th": "seventh", "8th": "eighth", "9th": "ninth", "10th": "tenth", "11th": "eleventh", "12th": "twelfth",
}  # fmt: skip
_FULL: Final = {
    "mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "etc": "etcetera", "ok": "okay",
    "grey": "gray", "centre": "center", "theatre": "theater", "metre": "meter", "litre": "liter", "fibre": "fiber",
    "tyre": "tire", "cheque": "check", "programme": "program", "plough": "plow", "storey": "story",
    "defence": "defense", "offence": "offense", "licence": "license", "practise": "practice", "alright": "all right",
}  # fmt: skip
_CONTRACTIONS: Final = {
    "n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am", "won't": "will not", "can't": "can not",
    "cannot": "can not", "let's": "let us", "it's": "it is", "that's": "that is", "he's": "he is", "she's": "she is",
    "what's": "what is", "there's": "there is", "here's": "here is", "who's": "who is",
}  # fmt: skip
_CONTRACTED: Final = re.compile(
    r"\b(?:won't|can't|cannot|let's|it's|that's|s?he's|what's|there's|here's|who's)\b|n't\b|'(?:re|ve|ll|m)\b"
)
_OUR: Final = re.compile(
    r"^(arm|behavi|col|endeav|fav|flav|harb|hon|hum|lab|neighb|od|parl|rum|sav|sple?nd|vap|vig)our"
)
_ISE: Final = re.compile(r"(?<=..)(i|y)s(e|ed|es|er|ers|ing|ation|ations)$")
_DOUBLED: Final = re.compile(r"(?<=[aeiou])ll(ed|ing|er|ers)$")
_TOKEN: Final = re.compile(r"[a-z0-9][a-z0-9']*")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors of a transcript against what was said.

    Attributes:
        errors: Words to put in, take out or replace.
        words: That were said.
    """

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Errors a word said; over 1 where more was put in than said, 0 where nothing was said or heard."""
        return self.errors / self.words if self.words else float(self.errors > 0)

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.errors + other.errors, self.words + other.words)


def total(parts: Iterable[WordErrors]) -> WordErrors:
    """The errors of all texts together."""
    return sum(parts, WordErrors(0, 0))


def word_errors(said: str, heard: str) -> WordErrors:
    """Compare a transcript with what was said."""
    reference = words_of(said)
    return WordErrors(edit_distance(reference, words_of(heard)), len(reference))


def words_of(text: str) -> list[str]:
    """The words of a text in the one spelling that is compared; numbers as single digits."""
    plain = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("%", " percent ").replace("&", " and ")
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    plain = _CONTRACTED.sub(lambda found: _CONTRACTIONS[found.group(0)], plain)
    tokens = [token.strip("'") for token in _TOKEN.findall(plain)]
    spelled = [_spelled(token) for token in tokens if token and token not in HESITATIONS]
    return _with_digits(_with_initials(" ".join(spelled).split()))


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein's distance: the fewest insertions, deletions and replacements between two sequences."""
    row = list(range(len(hypothesis) + 1))
    for index, said in enumerate(reference, start=1):
        diagonal, row[0] = row[0], index
        for column, heard in enumerate(hypothesis, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (said != heard)),
            )
    return row[-1]


def _spelled(token: str) -> str:
    token = _FULL.get(token, _ORDINALS.get(token, token))
    token = _OUR.sub(lambda found: found.group(0)[:-3] + "or", token)
    token = _DOUBLED.sub(r"l\1", token)
    return _ISE.sub(r"\1z\2", token)


def _with_initials(tokens: Sequence[str]) -> list[str]:
    """Letters one after the other as one word: "t v" and "TV" become "tv"; "a" and "i" are words by themselves."""
    out: list[str] = []
    was_letter = False
    for token in tokens:
        is_letter = len(token) == 1 and token.isalpha() and token not in "ai"
        if is_letter and was_letter:
            out[-1] += token
        else:
            out.append(token)
        was_letter = is_letter
    return out


def _with_digits(tokens: list[str]) -> list[str]:
    """Numbers in words as digits, each digit a token: "twenty five" and "25" become "2", "5"."""
    out: list[str] = []
    run: list[str] = []
    for token in [*tokens, ""]:
        if token in _UNITS or token in _TENS or (token in _SCALES and run):
            run.append(token)
            continue
        if token == "and" and run and run[-1] in _SCALES:
            continue  # "two hundred and five"; at the end of a number it joins nothing that is scored
        out += _digits(run)
        run = []
        if token:
            out += list(token) if token.isdigit() else [token]
    return out


def _digits(run: Sequence[str]) -> list[str]:
    """A run of number words, digit by digit; numbers said one after the other ("nineteen sixty") follow each other."""
    digits: list[str] = []
    number = _Number()
    for word in run:
        if not number.takes(word):
            digits += number.digits
            number = _Number()
        number.add(word)
    return digits + number.digits


class _Number:
    """One number as it is said, from the left."""

    def __init__(self) -> None:
        self._thousands = 0  # what was said up to "thousand" or "million"
        self._rest: int | None = None
        self._room = 0  # a number under this may follow: 10 after "twenty", 100 after "hundred"

    @property
    def digits(self) -> list[str]:
        return [] if self._rest is None else list(str(self._thousands + self._rest))

    def takes(self, word: str) -> bool:
        if self._rest is None or word in _SCALES:
            return True
        return 0 < _UNITS.get(word, _TENS.get(word, 0)) < self._room

    def add(self, word: str) -> None:
        if word not in _SCALES:
            self._rest = (self._rest or 0) + _UNITS.get(word, _TENS.get(word, 0))
            self._room = 10 if word in _TENS else 0
        elif _SCALES[word] == 100:
            self._rest, self._room = (self._rest or 1) * 100, 100
        else:
            self._thousands += (self._rest or 1) * _SCALES[word]
            self._rest, self._room = 0, 1000


__all__ = ["HESITATIONS", "WordErrors", "edit_distance", "total", "word_errors", "words_of"]
