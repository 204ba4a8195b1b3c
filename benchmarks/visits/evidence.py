"""Gathers what the analyzers say of portraits and sentences, from the cache where they were asked before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow.parquet as parquet

from mien import PluginHost, load_settings
from visits.asking import VARIANTS, kept, read_faces, read_spoken, read_texts
from visits.people import Pixels, Portrait, read_portraits
from visits.product import FACE_AND_VOICE
from visits.sentences import other_sentences, own_sentences
from visits.voices import Voices

SEED: Final = 7
NEUTRAL: Final = 420
SMILING: Final = 420
"""Portraits that take part, beside all negative ones."""

SCENES: Final = 40
READ_TRUST: Final = 0.8
"""Confidence of a transcript without errors."""

OTHERS_EACH: Final = 200
"""Sentences of each source and kind."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was said.

    Attributes:
        faces: As ``asking.read_faces`` gives it.
        texts: As ``asking.read_texts`` gives it, with ``said`` and whether the sentence is our ``own``.
        heard: Our own sentences, spoken: ``text``, ``said``, and ``utterances`` as the voice analyzer hears them.
        versions: Analyzer -> digest of its weights.
        digest: Of all of it.
    """

    faces: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    heard: list[dict[str, Any]]
    versions: dict[str, str]
    digest: str


def gather(data: Path, cache: Path) -> Evidence:
    """Ask the analyzers, or the cache."""
    settings = load_settings(FACE_AND_VOICE)
    host = PluginHost.discover(settings)
    try:
        versions = {name: weights_digest(f"mien_{name}") for name in ("face", "voice")}
        portraits = portraits_of(data)
        faces = kept(
            cache,
            "faces",
            (versions["face"], NEUTRAL, SMILING, SEED, VARIANTS),
            lambda: read_faces(host, portraits, scenes_of(data), seed=SEED),
        )
        sentences = [*own_sentences(), *other_sentences(data, each=OTHERS_EACH, seed=SEED)]
        own = {each.text for each in own_sentences()}
        words = [each.text for each in sentences]
        texts = kept(cache, "texts", (versions["voice"], words), lambda: read_texts(host, words))
        voices, heard = Voices(), []
        for sentence in own_sentences():
            key = (versions["voice"], settings.plugins.get("voice"), sentence.text)
            utterances = kept(cache, "spoken", key, partial(read_spoken, host, voices, sentence.text))
            heard.append({"text": sentence.text, "said": str(sentence.said), "utterances": utterances})
    finally:
        host.close()
    for said, sentence in zip(texts, sentences, strict=True):
        said["said"], said["own"] = str(sentence.said), sentence.text in own
    digest = hashlib.sha256(repr((faces, texts, heard)).encode()).hexdigest()[:16]
    return Evidence(faces, texts, heard, versions, digest)


def as_read(evidence: Evidence) -> Evidence:
    """The same, with our sentences as a recogniser would give them that mishears nothing."""
    heard = [
        {
            "text": text["text"],
            "said": text["said"],
            "utterances": [{**text, "confidence": text["confidence"] * READ_TRUST}],
        }
        for text in evidence.texts
        if text["own"]
    ]
    return replace(evidence, heard=heard)


def weights_digest(package: str) -> str:
    """A fingerprint of all weights that a plugin ships."""
    folder = Path(str(files(package))) / "weights"
    fingerprint = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        fingerprint.update(file.name.encode() + file.read_bytes())
    return fingerprint.hexdigest()[:16]


def portraits_of(data: Path) -> list[Portrait]:
    """The portraits that take part."""
    return read_portraits(data / "faces" / "portraits.parquet", seed=SEED, neutral=NEUTRAL, smiling=SMILING)


def scenes_of(data: Path) -> Sequence[Pixels]:
    """What may be behind a customer."""
    images = parquet.read_table(data / "faces" / "scenes.parquet", columns=["image"])["image"].to_pylist()[:SCENES]
    decoded = [cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR) for image in images]
    return [cv2.cvtColor(each, cv2.COLOR_BGR2RGB) for each in decoded]
