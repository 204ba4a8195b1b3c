"""How well voice activity detectors tell speech from noise, babble and music: area under the ROC curve, frame by frame.

Clean clips with pauses between them; a frame is speech where the clean sound is loud. The detectors hear the mixture.
WebRTC's detector, which PocketSphinx brings, says yes or no in four modes; its score is how many of them say yes,
over 0.3 s as PocketSphinx's endpointer smooths it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from spoken import Spoken

from mien_voice.audio import SAMPLE_RATE
from mien_voice.voiceactivity import FRAME, SpeechDetector

LEVEL: Final = 0.05
"""Root mean square of the speech."""

SNRS: Final = (10, 0)  # dB
TALKERS: Final = 6
_HOP: Final = SAMPLE_RATE // 100
_WEBRTC_FRAME: Final = 480  # 30 ms

Samples = npt.NDArray[np.floating]


def measure_activity(spoken: Sequence[Spoken]) -> dict[str, dict[str, float]]:
    """Detector -> what it is mixed with -> area under the curve; ``all`` is over all frames."""
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    clean = [item.clip.samples for item in spoken if item.condition in ("clean", "accent", "command", "synthetic")]
    speech, is_speech = _with_pauses(clean[::2], random)
    scores: dict[str, list[Samples]] = {"silero": [], "webrtc": []}
    figures: dict[str, dict[str, float]] = {name: {} for name in scores}
    labels = []
    for what, mixture in _mixtures(speech, clean[1::2] or clean, random):
        labels.append(is_speech)
        for name, score in (("silero", _silero(mixture)), ("webrtc", _webrtc(mixture))):
            scores[name].append(score)
            figures[name][what] = round(float(roc_auc_score(is_speech, score)), 3)
    for name, found in scores.items():
        figures[name]["all"] = round(float(roc_auc_score(np.concatenate(labels), np.concatenate(found))), 3)
    return figures


def _with_pauses(clips: Sequence[Samples], random: np.random.Generator) -> tuple[Samples, npt.NDArray[np.bool_]]:
    """The clips with pauses of 0.5 s to 3 s behind them, and for each of the detector's frames whether it is speech."""
    pieces, marks = [], []
    for clip in clips:
        scaled = clip * LEVEL / max(float(np.sqrt(np.mean(clip**2))), 1e-6)
        pause = int(random.uniform(0.5, 3.0) * SAMPLE_RATE)
        pieces += [scaled, np.zeros(pause)]
        marks += [_loud(scaled), np.zeros(pause, bool)]
    speech, marked = np.concatenate(pieces), np.concatenate(marks)
    frames = len(speech) // FRAME
    return speech[: frames * FRAME], marked[: frames * FRAME].reshape(frames, FRAME).mean(axis=1) > 0.5


def _loud(clip: Samples) -> npt.NDArray[np.bool_]:
    """Samples within 30 dB of the loud parts, gaps of up to 0.2 s closed."""
    hops = len(clip) // _HOP
    level = np.sqrt(np.mean(clip[: hops * _HOP].reshape(hops, _HOP) ** 2, axis=1))
    threshold = max(np.percentile(level, 95) * 10 ** (-30 / 20), np.percentile(level, 5) * 2.5)
    loud = (level > threshold).astype(int)
    window = np.ones(21, int)
    closed = np.convolve((np.convolve(loud, window, "same") > 0).astype(int), window, "same") >= len(window)
    marked = np.repeat(closed | (loud > 0), _HOP)
    return np.pad(marked, (0, len(clip) - len(marked)))


def _mixtures(
    speech: Samples, others: Sequence[Samples], random: np.random.Generator
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    yield "nothing", speech.astype(np.float32)
    length = len(speech)
    made = {
        "white noise": random.normal(0, 1, length),
        "pink noise": _pink(length, random),
        "babble": sum((_talk(others, length, random) for _ in range(TALKERS)), np.zeros(length)),
        "music": _music(length, random),
    }
    for name, noise in made.items():
        for snr in SNRS:
            scale = LEVEL * 10 ** (-snr / 20) / np.sqrt(np.mean(noise**2))
            yield f"{name}, {snr} dB", np.clip(speech + scale * noise, -1, 1).astype(np.float32)


def _pink(length: int, random: np.random.Generator) -> Samples:
    spectrum = np.fft.rfft(random.normal(0, 1, length))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), length)


def _talk(clips: Sequence[Samples], length: int, random: np.random.Generator) -> Samples:
    """One talker who never stops."""
    parts: list[Samples] = []
    while sum(map(len, parts)) < length:
        clip = clips[random.integers(len(clips))]
        parts.append(clip / np.sqrt(np.mean(clip**2)))
    return np.concatenate(parts)[:length]


def _music(length: int, random: np.random.Generator) -> Samples:
    """Chords of decaying notes with overtones, and a drum now and then."""
    out = np.zeros(length)
    start = 0
    while start < length:
        span = min(int(random.choice([0.25, 0.5, 1.0]) * SAMPLE_RATE), length - start)
        beat = np.arange(span) / SAMPLE_RATE
        root = 220 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11]) / 12)
        for interval in (1.0, 1.26, 1.5):
            for overtone in range(1, 6):
                out[start : start + span] += (
                    np.exp(-2 * beat) * np.sin(2 * np.pi * root * interval * overtone * beat) / overtone
                )
        if random.random() < 0.5:
            out[start : start + span] += random.normal(0, 1, span) * np.exp(-50 * beat)
        start += span
    return out


def _silero(mixture: npt.NDArray[np.float32]) -> Samples:
    return SpeechDetector().probabilities(mixture)


def _webrtc(mixture: npt.NDArray[np.float32]) -> Samples:
    from pocketsphinx import Vad

    pcm = (mixture * 32_767).astype("<i2")
    pieces = [pcm[start : start + _WEBRTC_FRAME].tobytes() for start in range(0, len(pcm), _WEBRTC_FRAME)]
    pieces = [piece for piece in pieces if len(piece) == 2 * _WEBRTC_FRAME]
    votes = np.zeros(len(pieces))
    for mode in range(4):
        detector = Vad(mode, SAMPLE_RATE, _WEBRTC_FRAME / SAMPLE_RATE)
        votes += [detector.is_speech(piece) for piece in pieces]
    middles = np.arange(len(mixture) // FRAME) * FRAME + FRAME // 2
    return np.convolve(votes[np.minimum(middles // _WEBRTC_FRAME, len(votes) - 1)], np.ones(9) / 9, "same")
