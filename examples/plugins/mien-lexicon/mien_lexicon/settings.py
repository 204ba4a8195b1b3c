"""``[plugins.lexicon]``: the plugin's own table of the configuration, checked while the plugin registers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mien import ConfigError

MAX_VALENCE: Final = 4.0
"""The lexicon rates words from -4 (worst) to 4 (best)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconSettings:
    """What can be set.

    Attributes:
        extra_words: Lower-case word -> its rating from -4 to 4; added to the lexicon, or put in place of its own.
    """

    extra_words: Mapping[str, float] = field(default_factory=dict)


def read_settings(table: Mapping[str, Any]) -> LexiconSettings:
    """Check the table.

    Raises:
        ConfigError: A key is unknown, or a value is wrong.
    """
    unknown = sorted(set(table) - {"extra_words"})
    if unknown:
        raise ConfigError(f"[plugins.lexicon] has no key {unknown[0]!r}; known here: extra_words")
    words = table.get("extra_words", {})
    if not isinstance(words, Mapping):
        raise ConfigError(f"[plugins.lexicon] extra_words: expected a table of word = rating, got {words!r}")
    for word, rating in words.items():
        number = isinstance(rating, int | float) and not isinstance(rating, bool)
        if not number or not math.isfinite(rating) or abs(rating) > MAX_VALENCE:
            raise ConfigError(
                f"[plugins.lexicon] extra_words: {word} needs a rating from -{MAX_VALENCE:g} to {MAX_VALENCE:g}, "
                f"got {rating!r}"
            )
    return LexiconSettings(extra_words={word.lower(): float(rating) for word, rating in words.items()})
