"""What the analyzers say of single pictures and sentences, kept in a folder; the raw material of sampled visits."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import AudioClip, ImageFrame, PluginHost, Prediction, Utterance
from visits.people import Pixels, Portrait
from visits.pictures import Painter, some_pose
from visits.voices import RATE, Voices, room

BATCH: Final = 16
AROUND_SECONDS: Final = 0.6
"""Of the room before and after a sentence."""

VARIANTS: Final = 3
"""Pictures of each portrait, each in another pose."""


def read_faces(
    host: PluginHost, portraits: Sequence[Portrait], scenes: Sequence[Pixels], *, seed: int
) -> list[dict[str, Any]]:
    """Each portrait in several poses; pictures in which no face was found are left out.

    Returns:
        For each its ``person``, ``shown`` and ``pictures`` (``satisfaction``, ``confidence``, ``top``).
    """
    analyzer = host.analyzer("face")
    random = np.random.default_rng(seed)
    painter = Painter(scenes, random)
    found: list[dict[str, Any]] = []
    frames: list[ImageFrame] = []
    owners: list[int] = []

    def look() -> None:
        for owner, predictions in zip(owners, analyzer.analyze(frames), strict=True):
            if predictions:
                found[owner]["pictures"].append(_said(predictions[0]))
        frames.clear()
        owners.clear()

    for portrait in portraits:
        found.append({"person": portrait.person, "shown": str(portrait.shown), "pictures": []})
        pixels = portrait.decode()
        for _ in range(VARIANTS):
            picture = painter.paint(painter.backdrop(), portrait, pixels, some_pose(random))
            frames.append(ImageFrame(picture))
            owners.append(len(found) - 1)
            if len(frames) == BATCH:
                look()
    if frames:
        look()
    return found


def read_texts(host: PluginHost, texts: Sequence[str]) -> list[dict[str, Any]]:
    """What the tone network says of each text: ``satisfaction`` and ``confidence``."""
    analyzer = host.analyzer("voice")
    said: list[dict[str, Any]] = []
    for start in range(0, len(texts), 64):
        batch = [Utterance(text) for text in texts[start : start + 64]]
        for text, predictions in zip(texts[start : start + 64], analyzer.analyze(batch), strict=True):
            found = _said(predictions[0]) if predictions else {"satisfaction": 0.5, "confidence": 0.0}
            said.append({"text": text, **found})
    return said


def read_spoken(host: PluginHost, voices: Voices, text: str) -> list[dict[str, Any]]:
    """What the voice analyzer makes of a sentence that is spoken in a room: each utterance that it hears."""
    random = np.random.default_rng(zlib.crc32(text.encode()))
    samples = voices.speak(text, random)
    seconds = len(samples) / RATE + 2.0 * AROUND_SECONDS
    clip = AudioClip(room([(AROUND_SECONDS, samples)], seconds, random), RATE)
    (heard,) = host.analyzer("voice").analyze([clip])
    return [_said(prediction) for prediction in heard]


def kept(folder: Path, name: str, key: object, make: Callable[[], Any]) -> Any:
    """What ``make`` gives, from the folder where it was made before for the same ``key``."""
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:12]
    path = folder / f"{name}-{digest}.json"
    if path.exists():
        return json.loads(path.read_text())
    value = make()
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return value


def _said(prediction: Prediction) -> dict[str, Any]:
    return {
        "satisfaction": round(prediction.satisfaction, 5),
        "confidence": round(prediction.confidence, 5),
        "top": prediction.top_emotion,
    }
