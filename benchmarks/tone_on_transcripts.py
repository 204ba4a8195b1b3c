"""How much of the tone is lost between what was said and what the speech engine writes.

    python benchmarks/tone_on_transcripts.py [--goemotions FILE] [--texts 300] [--table FILE] [--speech FILE]
        [--json FILE]

Labelled sentences are spoken by synthetic voices (flite, espeak-ng) and recognised; the tone network reads both. So do
real recordings of which the words are known, where only the difference can be told, since nobody labelled their tone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from spoken import read_table
from visits.voices import RATE, Voices
from word_errors import total, word_errors

from mien import AudioClip, Transcriber
from mien_voice.segmentation import cut_into_utterances
from mien_voice.settings import SegmentationSettings, WhisperSettings
from mien_voice.tonenetwork import WEIGHTS, ToneNetwork
from mien_voice.transcribers.choice import load_whisper
from mien_voice_lab.behaviour import read_cases, run, summary
from mien_voice_lab.evaluation import evaluate_emotions
from mien_voice_lab.training.data import Corpus, read_goemotions

SHARED: Final = Path(__file__).parents[2] / "shared" / "data"
TABLE: Final = Path(__file__).parents[1] / "tests" / "voice" / "tone_behaviour_third.tsv"
CONDITIONS: Final = ("clean", "accent", "telephone")
MAX_WORDS: Final = 30


def heard(engine: Transcriber, clip: AudioClip) -> str:
    """What the engine writes of all utterances of a clip."""
    utterances = cut_into_utterances(clip, SegmentationSettings())
    return " ".join(engine.transcribe(utterance).text for utterance in utterances)


def spoken_and_heard(engine: Transcriber, texts: Sequence[str]) -> list[str]:
    """Each text by a voice that is drawn, over half a second of silence before and behind, as the engine writes it."""
    voices, chance = Voices(), np.random.default_rng(0)
    silence = np.zeros(RATE // 2, np.float32)
    return [
        heard(engine, AudioClip(np.concatenate([silence, voices.speak(text, chance), silence]), RATE)) for text in texts
    ]


def on_labels(engine: Transcriber, network: ToneNetwork, file: Path, count: int) -> dict[str, Any]:
    """Macro-F1 on sentences as they were written and as they were heard."""
    corpus = read_goemotions(file)
    sayable = [n for n, text in enumerate(corpus.texts) if "[" not in text and 2 <= len(text.split()) <= MAX_WORDS]
    chosen = sorted(np.random.default_rng(1).permutation(sayable)[:count].tolist())
    texts, targets = [corpus.texts[index] for index in chosen], corpus.targets[chosen]
    found = spoken_and_heard(engine, texts)
    keys = ("macro_f1", "sentiment_accuracy")
    return {
        "sentences": len(texts),
        "word error rate, %": error_rate(texts, found),
        "as written": {key: evaluate_emotions(network, Corpus(texts, targets))[key] for key in keys},
        "as heard": {key: evaluate_emotions(network, Corpus(found, targets))[key] for key in keys},
    }


def on_table(engine: Transcriber, network: ToneNetwork, file: Path) -> dict[str, Any]:
    """The share of a behavioural table that holds as written and as heard."""
    cases = read_cases(file)
    texts = [text for case in cases for text in case.texts]
    found = spoken_and_heard(engine, texts)
    rest = iter(found)
    said = [replace(case, texts=tuple(next(rest) for _ in case.texts)) for case in cases]
    return {
        "sentences": len(texts),
        "word error rate, %": error_rate(texts, found),
        "as written": summary(run(network, cases)),
        "as heard": summary(run(network, said)),
    }


def on_recordings(engine: Transcriber, network: ToneNetwork, file: Path) -> dict[str, Any]:
    """How far the tone of transcripts lies from the tone of what was said, in real recordings."""
    clips = [item for item in read_table(file) if item.condition in CONDITIONS and item.words]
    found = [heard(engine, item.clip) for item in clips]
    said = network.predict([item.words for item in clips])
    told = network.predict(found)
    moved = np.abs([a.satisfaction - b.satisfaction for a, b in zip(said, told, strict=True)])
    same = [
        max(a.sentiment, key=a.sentiment.__getitem__) == max(b.sentiment, key=b.sentiment.__getitem__)
        for a, b in zip(said, told, strict=True)
    ]
    return {
        "clips": len(clips),
        "word error rate, %": error_rate([item.words for item in clips], found),
        "same sentiment, %": round(100 * float(np.mean(same)), 1),
        "satisfaction moved by, mean": round(float(moved.mean()), 3),
        "satisfaction moved by, 95 % at most": round(float(np.percentile(moved, 95)), 3),
    }


def error_rate(words: Sequence[str], found: Sequence[str]) -> float:
    """Word error rate over all texts, %."""
    return round(100 * total(word_errors(a, b) for a, b in zip(words, found, strict=True)).rate, 1)


def main() -> int:
    """The figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--goemotions", type=Path, default=SHARED / "goemotions" / "dev.tsv")
    parser.add_argument("--texts", type=int, default=300, help="how many labelled sentences")
    parser.add_argument("--table", type=Path, default=TABLE, help="a behavioural table")
    parser.add_argument("--speech", type=Path, default=SHARED / "speech" / "dev.parquet")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    engine, network = load_whisper(WhisperSettings()), ToneNetwork(WEIGHTS)
    figures = {"behavioural table": on_table(engine, network, asked.table)}
    if asked.goemotions.is_file():
        figures["GoEmotions"] = on_labels(engine, network, asked.goemotions, asked.texts)
    if asked.speech.is_file():
        figures["real recordings"] = on_recordings(engine, network, asked.speech)
    text = json.dumps(figures, indent=2)
    if asked.json:
        asked.json.write_text(text + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
