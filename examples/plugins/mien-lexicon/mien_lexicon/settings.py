"""``[plugins.lexicon]``: the plugin's own table of the configuration; mien checks it while the plugin registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_VALENCE: Final = 4.0
"""The lexicon rates words from -4 (worst) to 4 (best)."""

Rating = Annotated[float, Field(ge=-MAX_VALENCE, le=MAX_VALENCE, strict=True)]


class LexiconSettings(BaseModel):
    """What can be set.

    Attributes:
        extra_words: Word -> its rating from -4 to 4; added to the lexicon, or put in place of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    extra_words: Mapping[str, Rating] = Field(default_factory=dict)

    @field_validator("extra_words")
    @classmethod
    def _as_the_lexicon_spells(cls, words: Mapping[str, float]) -> Mapping[str, float]:
        return {word.lower(): rating for word, rating in words.items()}
