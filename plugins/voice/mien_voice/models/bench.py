"""What a speech model costs on this machine: seconds of the processor for a second of sound, and where that is kept."""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien_voice.audio import SAMPLE_RATE
from mien_voice.models.places import Place
from mien_voice.transcribers.whisper import FRAMES_A_SECOND, SHORT_WINDOW_SECONDS, load_model

UTTERANCE_SECONDS: Final = 5.0
"""Of sound: what a customer says at a time."""

TOKENS: Final = 20
"""That are written for it, three words a second; they are forced, as the sound has no words."""

REPEATS: Final = 3


def real_time_factor(place: Place, *, threads: int = 1) -> float:
    """Seconds of the processor for a second of sound, by the median of a few utterances.

    Args:
        place: The model.
        threads: That compute.

    Raises:
        PluginError: It cannot be loaded.
    """
    model = load_model(place, threads=threads)
    sound = np.random.default_rng(0).normal(0, 0.1, round(SHORT_WINDOW_SECONDS * SAMPLE_RATE)).astype(np.float32)
    _one_utterance(model, sound)  # the first call makes buffers
    return statistics.median(_one_utterance(model, sound) for _ in range(REPEATS)) / UTTERANCE_SECONDS


def remembered() -> dict[str, float]:
    """What was measured on this machine before: model -> real-time factor. Empty where nothing, or nothing readable."""
    try:
        found = json.loads(results_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): float(factor) for name, factor in found.items()} if isinstance(found, dict) else {}


def remember(name: str, factor: float) -> None:
    """Keep a model's real-time factor for ``mien models list``."""
    path = results_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**remembered(), name: round(factor, 3)}, indent=2) + "\n", encoding="utf-8")


def results_file() -> Path:
    """In the user's cache folder: ``XDG_CACHE_HOME``, or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien" / "speech-models.json"


def _one_utterance(model: Any, sound: np.ndarray) -> float:
    """Processor seconds to encode a window and to write ``TOKENS`` tokens."""
    from faster_whisper.tokenizer import Tokenizer

    start = time.process_time()
    features = model.feature_extractor(sound, padding=0)[:, : round(SHORT_WINDOW_SECONDS * FRAMES_A_SECOND)]
    encoded = model.encode(features)
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    model.model.generate(
        encoded, [prompt], beam_size=1, max_length=len(prompt) + TOKENS, suppress_tokens=[-1, tokenizer.eot]
    )
    return time.process_time() - start
