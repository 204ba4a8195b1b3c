"""The seam between the voice analyzer and whatever reads the tone of words: what a tone is, and what reads one.

Three models stand behind it: ``tonenetwork.ToneNetwork``, embedded and the default; ``tonecheckpoint.ToneCheckpoint``,
which runs a Hugging Face text-classification checkpoint; and ``tonelanguages.ToneByLanguage``, which asks one of them
by the language. No model and no audio here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from mien_voice import language
from mien_voice.labels import EMOTIONS28, NEUTRAL, SENTIMENTS, Sentiment

ABSTAINING_CONFIDENCE: Final = 0.02
"""Of an answer about words that cannot be read: next to nothing, as the evidence says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """What a text expresses.

    Attributes:
        emotions28: Each of GoEmotions' labels -> its probability; several may be true at once.
        sentiment: Positive, negative, ambiguous, neutral -> probability; sums to 1.
        satisfaction: [0, 1]; 0.5 says nothing either way.
        valence: [-1, 1]; positive minus negative.
        confidence: [0, 1]; chance that the speaker is as satisfied or dissatisfied as told, rather than neither: near 0
            for a plain statement. The embedded network's is calibrated, and times the share of words known.
        out_of_vocabulary: Share of the words that the model does not know, [0, 1].
        language: BCP 47 tag; ``und`` where it cannot be told.
        notes: For a person: why it abstained, or what was left unread.
    """

    emotions28: Mapping[str, float]
    sentiment: Mapping[str, float]
    satisfaction: float
    valence: float
    confidence: float
    out_of_vocabulary: float = 0.0
    language: str = language.ENGLISH
    notes: tuple[str, ...] = ()

    def distribution(self) -> dict[str, float]:
        """The 28 probabilities scaled to sum to 1: shares of what is expressed, for ``Prediction.emotions``."""
        total = sum(self.emotions28.values())
        return {name: value / total for name, value in self.emotions28.items()}


class ToneModel(Protocol):
    """What reads the tone of words. Thread-safe and deterministic."""

    def reads(self, tag: str) -> bool:
        """Whether it reads the language of this BCP 47 tag."""

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        """The tone of each text, in order; an abstention where it cannot read one.

        Args:
            texts: What was said.
            languages: BCP 47 tag of each, empty where nobody told; none at all leaves all of them to be found out.
        """

    def warm_up(self) -> None:
        """Do all that the first call would otherwise wait for."""


def valence_of(sentiment: Mapping[str, float]) -> float:
    """Positive minus negative, [-1, 1]."""
    difference = sentiment[Sentiment.POSITIVE] - sentiment[Sentiment.NEGATIVE]
    return min(max(difference, -1.0), 1.0)


def abstention(*notes: str, language: str, unknown: float = 0.0) -> Tone:
    """Neutral evidence with next to no confidence.

    Args:
        notes: Why.
        language: BCP 47 tag of the words.
        unknown: Share of the words that are not known.
    """
    return Tone(
        emotions28=MappingProxyType({name: float(name == NEUTRAL) for name in EMOTIONS28}),
        sentiment=MappingProxyType({name: float(name == Sentiment.NEUTRAL) for name in SENTIMENTS}),
        satisfaction=0.5,
        valence=0.0,
        confidence=ABSTAINING_CONFIDENCE,
        out_of_vocabulary=unknown,
        language=language,
        notes=notes,
    )
