"""Makers of what a session is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mien import Box, FaceRegion, Prediction, SampleKind, TimeInterval
from mien.session import Observation, Session, SessionConfig
from mien_fusion.weighted_sum import WeightedSum

FRAME = (640, 480)


def make_face(
    satisfaction: float = 0.9,
    *,
    at: float = 0.0,
    subject_id: str = "track-1",
    emotion: str = "happy",
    confidence: float = 0.9,
    box: Box | None = None,
) -> Prediction:
    emotions = {"happy": 0.1, "neutral": 0.1, "sad": 0.1}
    emotions[emotion] = 0.8
    return Prediction(
        modality="face",
        emotions=emotions,
        valence=2.0 * satisfaction - 1.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at),
        subject_id=subject_id,
        evidence=FaceRegion(box=box or Box(270, 190, 100, 100), quality=0.9),
    )


def make_snapshot(*faces: Prediction, at: float = 0.0) -> Observation:
    return Observation(kind=SampleKind.IMAGE, at=at, predictions=faces, frame_size=FRAME)


def make_words(satisfaction: float, *, at: float = 0.0, duration: float = 2.0, confidence: float = 0.9) -> Observation:
    prediction = Prediction(
        modality="voice",
        emotions={"neutral": 1.0},
        valence=2.0 * satisfaction - 1.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at + duration),
    )
    return Observation(kind=SampleKind.AUDIO, at=at, predictions=(prediction,))


def make_session(**options: object) -> Session:
    return Session(SessionConfig(**options), WeightedSum())  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def face() -> Callable[..., Prediction]:
    return make_face


@pytest.fixture(scope="session")
def snapshot() -> Callable[..., Observation]:
    return make_snapshot


@pytest.fixture(scope="session")
def words() -> Callable[..., Observation]:
    return make_words


@pytest.fixture(scope="session")
def session() -> Callable[..., Session]:
    return make_session
