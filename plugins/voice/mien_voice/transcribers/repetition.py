"""Loops in a transcript: Whisper, given what it cannot read, says one phrase over and over. Words only, no model."""

from __future__ import annotations

import zlib
from typing import Final

LONGEST_PHRASE: Final = 12
"""Words; a longer phrase that comes back is a person's doing."""

MOST_REPEATS: Final = {1: 4, 2: 3}
"""Words of a phrase -> how often people say it in a row ("no no no no"); longer ones twice."""

_MOST_OF_LONGER: Final = 2


def without_loops(words: list[str]) -> tuple[list[str], bool]:
    """Cut phrases that repeat more often than people repeat themselves down to one.

    Args:
        words: Of the transcript.

    Returns:
        The words that are left, and whether any were cut.
    """
    kept: list[str] = []
    plain = [word.strip(".,!?;:\"'").lower() for word in words]
    index, was_cut = 0, False
    while index < len(words):
        length, times = _loop_at(plain, index)
        kept += words[index : index + length]
        was_cut = was_cut or times > 1
        index += length * times
    return kept, was_cut


def compression_ratio(text: str) -> float:
    """How many times smaller zlib makes a text: about 1 for a sentence, over 2.4 for a loop (as OpenAI's decoder)."""
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0


def _loop_at(plain: list[str], start: int) -> tuple[int, int]:
    """The phrase that loops from here, in words, and how often it comes; (1, 1) where none does."""
    for length in range(1, LONGEST_PHRASE + 1):
        phrase = plain[start : start + length]
        times = 1
        while plain[start + times * length : start + (times + 1) * length] == phrase and len(phrase) == length:
            times += 1
        if times > MOST_REPEATS.get(length, _MOST_OF_LONGER):
            return length, times
    return 1, 1
