"""An engine in small, and something that hangs, for the tests of the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mien import (
    AnalysisResult,
    Prediction,
    Sample,
    SampleKind,
    StreamState,
    Utterance,
)
from mien.config import Settings, parse_settings
from mien.engine import AnalysisRequest, Engine
from mien.testing import make_clip, make_image, make_prediction

LONG = 60.0
KINDS = {"face": SampleKind.IMAGE, "voice": SampleKind.AUDIO, "text": SampleKind.TEXT}
IMAGE, CLIP, TEXT = make_image(), make_clip(), Utterance("thank you")
MakeEngine = Callable[..., Engine]
Answer = Callable[[Sample], Any]


class Hang:
    """An answer that waits until it is told to go on; after that it is healthy."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self, sample: Sample) -> list[Prediction]:
        self.release.wait(LONG)
        return [make_prediction("voice")]


def deadline(seconds: float) -> Settings:
    return parse_settings({"engine": {"deadline_seconds": seconds}})


def request(*samples: Sample, **fields: Any) -> AnalysisRequest:
    return AnalysisRequest(samples=samples, **fields)


def states(result: AnalysisResult) -> dict[str, StreamState]:
    return {status.analyzer: status.state for status in result.streams}


def raises(error: BaseException) -> Answer:
    def answer(sample: Sample) -> Any:
        raise error

    return answer
