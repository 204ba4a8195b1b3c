"""Whisper on the processor: faster-whisper's model and tokenizer (CTranslate2, int8, no PyTorch), our own decoding.

Whisper reads windows of 30 s, and costs what 30 s cost whatever is in them. Utterances are shorter: the encoder is
given a window that fits, which takes a quarter of the time, and the whole one only where the short one ends in a loop
or a guess. Like all of its family it makes up sentences where nobody speaks; ``Decoded`` says how that is told.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import AudioClip, InputError, PluginError, TimeInterval, Transcriber, Transcript, Word
from mien_voice.audio import SAMPLE_RATE
from mien_voice.language import primary
from mien_voice.models.places import Place
from mien_voice.settings import WhisperSettings
from mien_voice.transcribers.priority import in_a_nice_thread
from mien_voice.transcribers.repetition import compression_ratio, without_loops

NAME: Final = "whisper"

WINDOW_SECONDS: Final = 30.0
"""The longest that the model reads at once."""

SHORT_WINDOW_SECONDS: Final = 10.0
"""The shortest window; in a shorter one the model loses the end of what is said and loops."""

PADDING_SECONDS: Final = 3.0
"""Silence behind the utterance in a short window, by which the model sees that it has ended."""

NO_SPEECH: Final = 0.6
"""Probability of no speech from which an unsure text is taken for made up (OpenAI's decoder has the same)."""

UNSURE_LOG_PROBABILITY: Final = -1.0
"""Mean of a text's tokens under which it is unsure, and decoded again in the whole window (OpenAI's decoder: too)."""

MADE_UP_LOG_PROBABILITY: Final = -1.8
"""Under which a text is no text. Measured: noise, hum, music and a kitchen -1.9 and less, speech in babble -1.5."""

BABBLE_WORDS_A_SECOND: Final = 1.0
"""Fewer words than this in ``BABBLE_SECONDS`` and more, half guessed, are picked from other people's talk. Measured:
0.6 to 0.9 of babble alone, 1.3 and more of a speaker, also in babble."""

BABBLE_SECONDS: Final = 3.0

LOOPING_RATIO: Final = 2.4
"""Compression ratio over which a text repeats itself (OpenAI's decoder has the same)."""

RETRY_BEAM: Final = 5

_MIN_SECONDS: Final = 0.1
_SILENCE_PEAK: Final = 1e-3  # -60 dB
FRAMES_A_SECOND: Final = 100
_TOKENS_A_SECOND: Final = 8  # fast English has 5
_SPARE_TOKENS: Final = 16
_MOST_TOKENS: Final = 448
_UNREPEATED_TOKENS: Final = 3  # in a second try after a loop
_UNSURE_AFTER_LOOP: Final = 0.5  # a text of which a loop was cut is worth half as much

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What one decoding gave.

    Attributes:
        tokens: Of the text.
        text: As the model wrote it.
        log_probability: Mean of the tokens'.
        no_speech: Probability that nobody speaks, [0, 1].
        was_cut: It did not come to an end.
        seconds: Of sound.
    """

    tokens: tuple[int, ...]
    text: str
    log_probability: float
    no_speech: float
    was_cut: bool
    seconds: float

    @property
    def is_made_up(self) -> bool:
        """Whether nothing was said."""
        if not any(character.isalnum() for character in self.text):
            return True
        unsure = self.log_probability < UNSURE_LOG_PROBABILITY
        if self.log_probability < MADE_UP_LOG_PROBABILITY or (self.no_speech > NO_SPEECH and unsure):
            return True
        guessed = self.log_probability < UNSURE_LOG_PROBABILITY / 2
        return guessed and self.seconds >= BABBLE_SECONDS and self._words < BABBLE_WORDS_A_SECOND * self.seconds

    @property
    def _words(self) -> int:
        return len(without_loops(self.text.split())[0])

    @property
    def is_doubtful(self) -> bool:
        """Whether the whole window may do better."""
        return self.never_ends or self.log_probability < UNSURE_LOG_PROBABILITY

    @property
    def never_ends(self) -> bool:
        """Whether it would have gone on: more was written than anybody says in the time, or the same again."""
        return self.was_cut or self.loops

    @property
    def badness(self) -> tuple[bool, float]:
        """To compare two texts for one sound by; less is better."""
        return self.never_ends, -self.log_probability

    @property
    def loops(self) -> bool:
        """Whether it says the same over and over."""
        return compression_ratio(self.text) > LOOPING_RATIO or without_loops(self.text.split())[1]


class WhisperTranscriber(Transcriber):
    """One model that recognises so many utterances at once, on so many threads each; Python's lock is free meanwhile.

    Args:
        settings: Language, beam and threads.
        place: The model's files.

    Raises:
        PluginError: The files are not those of a whole Whisper model, or it does not read the language.
    """

    def __init__(self, settings: WhisperSettings, place: Place) -> None:
        self._settings = settings
        self._model = load_model(place, threads=settings.threads, recognisers=settings.recognisers)
        self._language = _language(self._model, settings.language, place)
        self._turns = threading.Semaphore(settings.recognisers)

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance.

        Args:
            clip: 16 kHz mono, up to 30 s.

        Returns:
            The words with times; the confidence is the geometric mean of the tokens' probabilities, less where the
            model doubts that anybody speaks or repeats itself.

        Raises:
            InputError: The clip has another rate, or is longer.
        """
        return self._checked_and_recognised(clip, is_draft=False)

    def draft(self, clip: AudioClip) -> Transcript:
        """The same of an utterance that goes on: without a second try in the whole window, and without words' times.

        Sound that ends in the middle of a word makes the model unsure, and a second try costs four times the first.
        """
        return self._checked_and_recognised(clip, is_draft=True)

    def _checked_and_recognised(self, clip: AudioClip, *, is_draft: bool) -> Transcript:
        if clip.sample_rate != SAMPLE_RATE:
            raise InputError(f"speech must be sampled at {SAMPLE_RATE} Hz, got {clip.sample_rate}; resample it first")
        if clip.duration_seconds > WINDOW_SECONDS:
            raise InputError(f"the utterance is {clip.duration_seconds:.1f} s long, more than {WINDOW_SECONDS:.0f} s")
        if clip.duration_seconds < _MIN_SECONDS or float(np.abs(clip.samples).max()) < _SILENCE_PEAK:
            return self._nothing(self._language)
        with self._turns:
            return self._recognised(clip, is_draft=is_draft)

    def _recognised(self, clip: AudioClip, *, is_draft: bool) -> Transcript:
        seconds = clip.duration_seconds
        window = min(max(SHORT_WINDOW_SECONDS, seconds + PADDING_SECONDS), WINDOW_SECONDS)
        encoded = self._encoded(clip.samples, window)
        language, sureness = self._spoken(encoded)
        found = self._decoded(encoded, language, seconds, beam=self._settings.beam)
        if found.is_doubtful and not is_draft:
            whole = self._encoded(clip.samples, WINDOW_SECONDS)
            again = self._decoded(
                whole,
                language,
                seconds,
                beam=max(RETRY_BEAM, self._settings.beam),
                unrepeated=_UNREPEATED_TOKENS if found.never_ends else 0,
            )
            if again.badness < found.badness:
                encoded, found = whole, again
        if found.is_made_up:
            return self._nothing(language)
        words, was_cut = without_loops(found.text.split())
        confidence = math.exp(found.log_probability) * (1.0 - found.no_speech) * sureness
        if was_cut or found.never_ends:
            confidence *= _UNSURE_AFTER_LOOP
        return Transcript(
            text=" ".join(words),
            words=() if was_cut or is_draft else self._words(encoded, found, language, clip),
            language=language,
            engine=NAME,
            confidence=min(max(confidence, 0.0), 1.0),
        )

    def _encoded(self, samples: npt.NDArray[np.float32], window: float) -> Any:
        """The encoder's view of a window of so many seconds: the sound, then silence."""
        padded = np.zeros(round(window * SAMPLE_RATE), np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        features = self._model.feature_extractor(padded, padding=0)  # [bands, frames]
        return self._model.encode(features[:, : round(window * FRAMES_A_SECOND)])

    def _spoken(self, encoded: Any) -> tuple[str, float]:
        """The language, and how sure the model is of it."""
        if self._language:
            return self._language, 1.0
        token, probability = self._model.model.detect_language(encoded)[0][0]
        return str(token).strip("<|>"), float(probability)

    def _decoded(self, encoded: Any, language: str, seconds: float, *, beam: int, unrepeated: int = 0) -> Decoded:
        """The likeliest text; so many tokens in a row may not come a second time, where ``unrepeated`` is not 0."""
        tokenizer = self._tokenizer(language)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        limit = len(prompt) + min(round(seconds * _TOKENS_A_SECOND) + _SPARE_TOKENS, _MOST_TOKENS - len(prompt))
        (result,) = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=limit,
            no_repeat_ngram_size=unrepeated,
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = tuple(result.sequences_ids[0])
        return Decoded(
            tokens=tokens,
            text=tokenizer.decode(list(tokens)).strip(),
            log_probability=float(result.scores[0]),
            no_speech=float(result.no_speech_prob),
            was_cut=len(tokens) + len(prompt) >= limit,
            seconds=seconds,
        )

    def _words(self, encoded: Any, found: Decoded, language: str, clip: AudioClip) -> tuple[Word, ...]:
        """The words with times on the caller's clock, by the attention of the decoder's alignment heads."""
        tokenizer = self._tokenizer(language)
        tokens = [token for token in found.tokens if token < tokenizer.eot]
        frames = round(clip.duration_seconds * FRAMES_A_SECOND)
        (aligned,) = self._model.find_alignment(tokenizer, [tokens], encoded, frames)
        words: list[Word] = []
        for part in aligned:
            text = str(part["word"]).strip()
            if any(character.isalnum() for character in text):
                words.append(_word(text, part, clip, after=words[-1].interval.start if words else clip.captured_at))
        return tuple(words)

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language=language
        )

    def _nothing(self, language: str) -> Transcript:
        return Transcript(text="", language=language, engine=NAME, confidence=0.0)


def load_model(place: Place, *, threads: int = 1, recognisers: int = 1) -> Any:
    """Check a model's files, and load them.

    Args:
        place: Where they are.
        threads: That may compute at once, for each utterance.
        recognisers: Utterances that may be recognised at once.

    Returns:
        A ``faster_whisper.WhisperModel``.

    Raises:
        PluginError: They are damaged, or not a Whisper model.
    """
    place.check()
    from faster_whisper import WhisperModel

    def load() -> Any:
        return WhisperModel(
            str(place.folder),
            device="cpu",
            compute_type=compute_type(),
            cpu_threads=threads,
            num_workers=recognisers,
            local_files_only=True,
        )

    try:
        return in_a_nice_thread(load)
    except Exception as error:  # the libraries raise what they like, RuntimeError and ValueError among it
        raise PluginError(
            f"the folder {place.folder} holds no Whisper model that can be loaded: {_first_line(error)}. Fetch it "
            'again ("mien models fetch"), or name another ([plugins.voice.whisper] model)'
        ) from error


def compute_type() -> str:
    """The arithmetic: int8, or float32 where the processor has no instructions for int8."""
    import ctranslate2

    if "int8" in ctranslate2.get_supported_compute_types("cpu"):
        return "int8"
    _log.warning("this processor computes no int8: the speech engine uses float32, and takes longer and more memory")
    return "float32"


def _language(model: Any, asked: str, place: Place) -> str:
    """The language to write; empty to find out."""
    wanted = primary(asked) if asked else ""
    if not model.model.is_multilingual:
        if wanted not in ("", "en"):
            raise PluginError(
                f"the speech model {place.name} reads English only, and [plugins.voice.whisper] language is {asked!r}; "
                "name a model without .en"
            )
        return "en"
    known = model.supported_languages
    if wanted and wanted not in known:
        raise PluginError(
            f"[plugins.voice.whisper] language: Whisper does not know {asked!r}; it knows {', '.join(sorted(known))}"
        )
    return wanted


def _word(text: str, part: Any, clip: AudioClip, *, after: float) -> Word:
    end_of_clip = clip.captured_at + clip.duration_seconds
    start = min(max(clip.captured_at + float(part["start"]), after), end_of_clip)
    end = min(max(clip.captured_at + float(part["end"]), start), end_of_clip)
    return Word(text=text, interval=TimeInterval(start, end), confidence=min(max(float(part["probability"]), 0.0), 1.0))


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
