"""Word classes: reads ``lexicon.txt`` and finds its words and phrases in a row of tokens.

It tells the network which words are relatives ("livid" is of the class of "angry"); it decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

LEXICON_FILE: Final = Path(__file__).with_name("lexicon.txt")
_MAX_PHRASE: Final = 5
_ENDINGS: Final = (("ies", "y"), ("ied", "y"), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("es", ""),
                   ("er", ""), ("est", ""), ("ly", ""), ("s", ""))  # fmt: skip
_MIN_STEM: Final = 3


@cache
def entries() -> dict[str, tuple[str, ...]]:
    """Word or phrase (words joined by a blank) -> its classes."""
    found: dict[str, list[str]] = {}
    for line in LEXICON_FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, members = line.partition(": ")
        for member in members.split():
            classes = found.setdefault(member.replace("_", " "), [])
            if name not in classes:
                classes.append(name)
    return {word: tuple(classes) for word, classes in found.items()}


@cache
def _longest_phrases() -> dict[str, int]:
    """First word of a phrase -> words in the longest phrase that begins with it."""
    longest: dict[str, int] = {}
    for phrase in entries():
        words = phrase.split(" ")
        if len(words) > 1:
            longest[words[0]] = max(longest.get(words[0], 0), min(len(words), _MAX_PHRASE))
    return longest


def classes_of(word: str) -> tuple[str, ...]:
    """The classes of one word, by itself or with a plain ending taken off; empty where it has none."""
    known = entries()
    if word in known:
        return known[word]
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            stem = word[: -len(ending)] + replacement
            if stem in known:
                return known[stem]
    return ()


def find(tokens: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Find the classes at each position: of the longest phrase that begins there, then of the word itself.

    Yields:
        Position, classes. Tokens without a class are passed over.
    """
    known, longest = entries(), _longest_phrases()
    for position, token in enumerate(tokens):
        found: tuple[str, ...] = ()
        for size in range(min(longest.get(token, 1), len(tokens) - position), 1, -1):
            found = known.get(" ".join(tokens[position : position + size]), ())
            if found:
                break
        own = classes_of(token)
        classes = found + tuple(name for name in own if name not in found)
        if classes:
            yield position, classes
