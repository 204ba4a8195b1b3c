"""How much of a partial transcript will stay as it is: local agreement of successive hypotheses."""

from __future__ import annotations

from dataclasses import replace

from mien.types import Transcript


class LocalAgreement:
    """Numbers the transcripts of one utterance, and says how stable each is.

    What two successive hypotheses of a growing stretch of sound agree on from the beginning seldom changes any more:
    local agreement with n = 2 (Liu et al. 2020; Macháček, Dabre and Bojar 2023 for Whisper). So the stability of a
    hypothesis is the share of its words in its longest common prefix with the one before it. Case and punctuation are
    not looked at, as Whisper changes them with every word. Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._words: tuple[str, ...] = ()
        self._revision = 0

    @property
    def revision(self) -> int:
        """Of the last transcript; 0 before the first."""
        return self._revision

    def partial(self, hypothesis: Transcript) -> Transcript:
        """The next hypothesis as a partial transcript: with its stability and revision."""
        before, self._words = self._words, _words_of(hypothesis.text)
        agreed = next(
            (index for index, (one, other) in enumerate(zip(before, self._words, strict=False)) if one != other),
            min(len(before), len(self._words)),
        )
        stability = agreed / len(self._words) if self._words else 0.0
        return replace(hypothesis, is_final=False, stability=stability, revision=self._next())

    def final(self, transcript: Transcript) -> Transcript:
        """The transcript of the whole utterance, as the last revision; 0 where no partial one came before it."""
        revision = self._next() if self._revision else 0
        return replace(transcript, is_final=True, stability=1.0, revision=revision)

    def _next(self) -> int:
        self._revision += 1
        return self._revision


def _words_of(text: str) -> tuple[str, ...]:
    """The words without case and punctuation; what is nothing else counts as itself."""
    return tuple("".join(each for each in word if each.isalnum()).casefold() or word for word in text.split())
