"""Runs rendered visits through live sessions, as a kiosk does; what was said of each is kept, to be fused again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from mien import AudioClip, Engine, Fuser, ImageFrame, PluginHost, Prediction, TimeInterval, load_settings
from mien.kiosk.brain import LocalBrain
from mien.live import Update
from mien.session import Observation, Session, SessionConfig, SessionEnd, SessionSummary
from mien.types import SampleKind
from visits.pictures import Painter
from visits.rendering import Script, pictures, sound
from visits.voices import RATE

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples" / "kiosk"
FACE_ONLY: Final = EXAMPLES / "face_only.toml"
FACE_AND_VOICE: Final = EXAMPLES / "face_and_voice.toml"
PIECE_SECONDS: Final = 0.5
"""Of sound that is pushed at once."""


def open_product() -> tuple[PluginHost, LocalBrain, SessionConfig]:
    """The example kiosk that looks and listens, as it ships."""
    settings = load_settings(FACE_AND_VOICE)
    host = PluginHost.discover(settings)
    engine = Engine(host, settings)
    config = SessionConfig.from_settings(settings, consent="notice_shown")
    return host, LocalBrain(engine, host, settings), config


def follow(brain: LocalBrain, config: SessionConfig, script: Script, painter: Painter) -> list[dict[str, Any]]:
    """What the analyzers say of a visit, in the order in which it was counted."""
    return asyncio.run(_follow(brain, config, script, painter))


async def _follow(brain: LocalBrain, config: SessionConfig, script: Script, painter: Painter) -> list[dict[str, Any]]:
    interaction = await brain.open(config, lossless=True)
    said: list[dict[str, Any]] = []

    async def read() -> None:
        async for event in interaction.events():
            if isinstance(event, Update) and event.streams:
                said.extend(_plain(prediction) for prediction in event.predictions)

    reading = asyncio.create_task(read())
    heard = sound(script) if script.utterances else None
    pushed = 0
    for at, picture in pictures(script, painter, every=config.snapshot_interval_seconds):
        while heard is not None and pushed < at * RATE:
            pushed = await _push_sound(interaction, heard, pushed)
        await interaction.push(ImageFrame(picture, captured_at=at))
        await interaction.settle()
    while heard is not None and pushed < len(heard):
        pushed = await _push_sound(interaction, heard, pushed)
    await interaction.settle()
    await interaction.finish(SessionEnd.CLOSED)
    await reading
    return said


async def _push_sound(interaction: Any, heard: Any, pushed: int) -> int:
    piece = heard[pushed : pushed + int(PIECE_SECONDS * RATE)]
    await interaction.push(AudioClip(piece, RATE, captured_at=pushed / RATE))
    return pushed + len(piece)


def replay(said: list[dict[str, Any]], fuser: Fuser, config: SessionConfig) -> SessionSummary:
    """The visit's summary under other rules: sessions are pure, so that it is what they would have given live."""
    session = Session(config, fuser)
    for each in said:
        if each["modality"] in config.expected_modalities:
            prediction = _prediction(each)
            kind = SampleKind.IMAGE if each["modality"] == "face" else SampleKind.AUDIO
            session.push(Observation(kind=kind, at=each["end"], predictions=(prediction,)))
    return session.close()


def _plain(prediction: Prediction) -> dict[str, Any]:
    return {
        "modality": prediction.modality,
        "emotions": {label: round(share, 5) for label, share in prediction.emotions.items()},
        "satisfaction": prediction.satisfaction,
        "confidence": prediction.confidence,
        "start": prediction.interval.start,
        "end": prediction.interval.end,
        "subject_id": prediction.subject_id,
    }


def _prediction(said: dict[str, Any]) -> Prediction:
    return Prediction(
        modality=said["modality"],
        emotions=said["emotions"],
        valence=0.0,
        satisfaction=said["satisfaction"],
        confidence=said["confidence"],
        interval=TimeInterval(said["start"], said["end"]),
        subject_id=said["subject_id"],
    )
