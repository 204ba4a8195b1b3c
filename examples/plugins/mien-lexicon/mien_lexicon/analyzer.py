"""Words to satisfaction with the VADER lexicon: English, no learning, no irony. A prior to be fused, not an oracle."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from mien import Analyzer, InputError, Prediction, Sample, TimeInterval, Transcript, Utterance
from mien_lexicon.settings import LexiconSettings

NO_WORDS_CONFIDENCE: Final = 0.05
"""Where no word is in the lexicon: words were there, and they say next to nothing."""
BASE_CONFIDENCE: Final = 0.3
"""Where words of the lexicon cancel each other out."""
MAX_CONFIDENCE: Final = 0.8
"""Where all words point one way as strongly as can be; a lexicon hears no irony."""


class LexiconAnalyzer(Analyzer):
    """Rates utterances. Text in a language other than English gets a neutral prediction of confidence 0."""

    def __init__(self, settings: LexiconSettings) -> None:
        """Read the lexicon, which takes some 20 ms."""
        self._vader = SentimentIntensityAnalyzer()
        self._vader.lexicon.update(settings.extra_words)
        self._lock = threading.Lock()  # the library does not say that it may be called from several threads

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """One prediction for each utterance that holds words; see ``mien.Analyzer``.

        Raises:
            InputError: A sample is not text.
        """
        return [self._analyze(sample) for sample in samples]

    def _analyze(self, sample: Sample) -> list[Prediction]:
        if not isinstance(sample, Utterance):
            raise InputError(f"the lexicon reads text (Utterance), not {type(sample).__name__}")
        if not any(character.isalnum() for character in sample.text):
            return []
        english = sample.language.lower().split("-")[0] in ("", "en")
        text = sample.text if english else ""
        with self._lock:
            scores = self._vader.polarity_scores(text)
        # The shares of text are rounded to three digits, and are all 0 for a text without words.
        total = scores["pos"] + scores["neu"] + scores["neg"]
        shares = {"positive": scores["pos"], "neutral": scores["neu"], "negative": scores["neg"]}
        emotions = {label: share / total for label, share in shares.items()} if total else dict(_NEUTRAL)
        valence = float(scores["compound"])
        return [
            Prediction(
                modality="text",
                emotions=emotions,
                valence=valence,
                satisfaction=(valence + 1.0) / 2.0,
                confidence=_confidence(valence, emotions["neutral"]) if english else 0.0,
                interval=TimeInterval(sample.captured_at, sample.captured_at + sample.duration_seconds),
                evidence=Transcript(sample.text, language=sample.language),
            )
        ]


_NEUTRAL: Final = {"positive": 0.0, "neutral": 1.0, "negative": 0.0}


def _confidence(valence: float, neutral: float) -> float:
    if neutral == 1.0:
        return NO_WORDS_CONFIDENCE
    return BASE_CONFIDENCE + (MAX_CONFIDENCE - BASE_CONFIDENCE) * abs(valence)
