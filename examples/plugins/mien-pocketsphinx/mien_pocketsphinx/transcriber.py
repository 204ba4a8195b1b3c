"""PocketSphinx with the US-English model that its wheel brings: offline, small, and no more.

Word-perfect or nearly so on clear synthetic speech, weak on people, where its confidence falls as well.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final

from mien import AudioClip, InputError, TimeInterval, Transcriber, Transcript, Word

NAME: Final = "pocketsphinx"
LANGUAGE: Final = "en-US"

SAMPLE_RATE: Final = 16_000
"""Hz; what mien gives a transcriber."""

FRAME_SECONDS: Final = 0.01
"""The decoder counts in frames of 10 ms."""

_MIN_SECONDS: Final = 0.1  # a shorter piece has too few frames for any word
_SILENCE_PEAK: Final = 1e-3  # -60 dB; the decoder hears words in quieter sound than that
_FULL_SCALE: Final = 32_767.0
_FILLER: Final = re.compile(r"^(<.*>|\[.*\]|\+\+.*\+\+)$")  # silences, breaths and noises are words to the decoder
_VARIANT: Final = re.compile(r"\(\d+\)$")  # "for(3)": the third way to say "for"

# The beam keeps so many states a frame and words a frame: two thirds of the time, the same words on clear speech.
_SEARCH: Final = {"maxhmmpf": 3_000, "maxwpf": 20}


class PocketSphinxTranscriber(Transcriber):
    """One decoder behind a lock: calls from several threads take turns.

    Raises:
        PluginError: By way of the host, where the package or its model is damaged.
    """

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        # cmn="batch" normalises each utterance by itself, rather than by a mean over what was heard before.
        self._decoder: Any = Decoder(samprate=float(SAMPLE_RATE), cmn="batch", loglevel="FATAL", **_SEARCH)
        self._lock = threading.Lock()

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance.

        Args:
            clip: 16 kHz mono.

        Returns:
            The words with times and posterior probabilities; the confidence is their mean, weighted by length.

        Raises:
            InputError: The clip has another rate.
        """
        if clip.sample_rate != SAMPLE_RATE:
            raise InputError(f"speech must be sampled at {SAMPLE_RATE} Hz, got {clip.sample_rate}; resample it first")
        if clip.duration_seconds < _MIN_SECONDS or float(abs(clip.samples).max()) < _SILENCE_PEAK:
            return _nothing()
        pcm = (clip.samples * _FULL_SCALE).astype("<i2").tobytes()
        with self._lock:
            self._decoder.reinit_feat()  # else the front end carries over a little, and an answer depends on the last
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, no_search=False, full_utt=True)
            self._decoder.end_utt()
            words = self._words(clip.captured_at)
        if not words:
            return _nothing()
        lengths = [word.interval.end - word.interval.start for word in words]
        confidence = sum(w.confidence * s for w, s in zip(words, lengths, strict=True)) / sum(lengths)
        return Transcript(
            text=" ".join(word.text for word in words),
            words=tuple(words),
            language=LANGUAGE,
            engine=NAME,
            confidence=min(confidence, 1.0),
        )

    def _words(self, start: float) -> list[Word]:
        """The words of the best hypothesis, without fillers and variant marks."""
        return [
            Word(
                text=_VARIANT.sub("", segment.word),
                interval=TimeInterval(
                    start + segment.start_frame * FRAME_SECONDS, start + (segment.end_frame + 1) * FRAME_SECONDS
                ),
                confidence=min(max(float(segment.prob), 0.0), 1.0),
            )
            for segment in self._decoder.seg() or ()
            if not _FILLER.match(segment.word)
        ]


def _nothing() -> Transcript:
    return Transcript(text="", language=LANGUAGE, engine=NAME, confidence=0.0)
