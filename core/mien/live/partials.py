"""Which of the provisional predictions are still news: not those of an utterance whose final words were told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, TypeAlias

from mien.types import Prediction, Transcript

REMEMBERED: Final = 64
"""Utterances; a partial transcript comes late by one or two."""

Utterance: TypeAlias = tuple[str, float]
"""Analyzer, and when it began: what all transcripts of one utterance share."""


class Finals:
    """Remembers the newest final transcripts. Used by one thread at a time."""

    def __init__(self) -> None:
        self._revisions: OrderedDict[Utterance, int] = OrderedDict()

    def note(self, predictions: Iterable[Prediction]) -> None:
        """Words were told that are final."""
        for prediction in predictions:
            if isinstance(prediction.evidence, Transcript):
                self._revisions[_utterance(prediction)] = prediction.evidence.revision
                while len(self._revisions) > REMEMBERED:
                    self._revisions.popitem(last=False)

    def is_news(self, prediction: Prediction) -> bool:
        """Whether a provisional prediction may still be told."""
        return _utterance(prediction) not in self._revisions


def _utterance(prediction: Prediction) -> Utterance:
    return prediction.analyzer, prediction.interval.start
