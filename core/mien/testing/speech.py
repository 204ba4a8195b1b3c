"""What every transcriber must do, as tests to subclass, for whole utterances and for streams.

The tests ask for their subjects as pytest fixtures, which the subclass defines; no pytest is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from mien.errors import InputError
from mien.interfaces import Transcriber, TranscriberStream, TranscriberStreamSettings
from mien.plugins.checking import SPAN_TOLERANCE_SECONDS
from mien.plugins.guard import CallKind, Deadlines, Guard
from mien.plugins.transcription import HostedTranscriber
from mien.testing.fakes import make_clip
from mien.testing.memory import require_no_growth
from mien.testing.rules import Conformance, Grade, in_threads, plain_number, require, rule, within
from mien.testing.samples import fresh, odd_samples, same_sample
from mien.testing.surroundings import left_alone
from mien.types import AudioClip, Transcript


class TranscriberConformance(Conformance):
    """The contract of ``mien.Transcriber``. Subclass it, name the subclass ``Test...`` and define two fixtures.

    An engine that streams is tested as it streams, another one as the host asks it again and again. Each call into a
    stream goes through the host's guard, with a deadline.

    Fixtures:
        transcriber: The engine, loaded. Of scope ``class`` or narrower: the last test closes it.
        speech: A clip (16 kHz mono, up to 30 s) in which it hears words.

    Attributes:
        push_seconds: How long opening a stream and taking in a piece of sound may take; the caller waits for neither.
        finish_seconds: How long the final words may take.
        odd_inputs: How many clips it is to survive.
    """

    push_seconds: ClassVar[float] = 5.0
    finish_seconds: ClassVar[float] = 60.0
    odd_inputs: ClassVar[int] = 20

    @rule(Grade.BRONZE)
    def test_speech_gives_words(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """The words come with the engine's name."""
        transcript = transcriber.transcribe(speech)
        require(isinstance(transcript, Transcript), f"expected a Transcript, got {type(transcript).__name__}")
        require(bool(transcript.text.strip()), "nothing was heard in the clip of the fixture 'speech'")
        require(transcript.engine not in ("", "caller"), f"engine is {transcript.engine!r}, not the engine's name")

    @rule(Grade.BRONZE)
    def test_a_draft_has_words(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """The words so far come with the engine's name, as the final ones do."""
        draft = transcriber.draft(speech)
        require(isinstance(draft, Transcript), f"expected a Transcript, got {type(draft).__name__}")
        require(bool(draft.text.strip()), "nothing was heard in a draft of the clip of the fixture 'speech'")
        require(draft.engine == transcriber.transcribe(speech).engine, f"a draft's engine is {draft.engine!r}")

    @rule(Grade.BRONZE)
    def test_words_are_in_order(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Where words have times, each begins no earlier than the one before it."""
        starts = [word.interval.start for word in transcriber.transcribe(speech).words]
        require(starts == sorted(starts), f"words do not come in the order of their times: {starts}")

    @rule(Grade.BRONZE)
    def test_silence_gives_an_empty_text(self, transcriber: Transcriber) -> None:
        """Nothing said is an answer, not an error."""
        text = transcriber.transcribe(make_clip(seconds=1.0)).text
        require(not text, f"heard {text!r} in silence")

    @rule(Grade.BRONZE)
    def test_the_same_clip_gives_the_same_words(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """There is no state that one clip leaves for the next, and no chance."""
        first = transcriber.transcribe(speech).text
        transcriber.transcribe(make_clip(seconds=0.5))
        require(transcriber.transcribe(speech).text == first, "the same clip got different words")

    @rule(Grade.SILVER)
    def test_threads_do_not_disturb_each_other(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Several threads at once get the words that one gets."""
        expected = transcriber.transcribe(speech).text
        for found in in_threads(lambda _: transcriber.transcribe(speech).text, seconds=self.seconds):
            require(found == expected, "a call that ran beside another got different words")

    @rule(Grade.BRONZE)
    def test_words_keep_the_callers_clock(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Where words have times, they are those of the clip."""
        later = replace(speech, captured_at=_LATER)
        _require_within(transcriber.transcribe(later), later)

    @rule(Grade.SILVER)
    def test_numbers_are_plain(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Floats of Python's own, no numpy scalars."""
        heard = transcriber.transcribe(speech)
        numbers = {"confidence": heard.confidence, "stability": heard.stability}
        for word in heard.words:
            numbers |= {"a word's confidence": word.confidence, "a word's start": word.interval.start}
            for name, value in numbers.items():
                require(plain_number(value), f"{name} is a {type(value).__module__}.{type(value).__name__}")
        for name, value in numbers.items():
            require(plain_number(value), f"{name} is a {type(value).__module__}.{type(value).__name__}")

    @rule(Grade.BRONZE)
    def test_sound_is_left_as_it_was(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """No sample is written to: others are given the same array."""
        (given,) = fresh([speech])
        require(isinstance(given, AudioClip), "the fixture 'speech' must be an AudioClip")
        if isinstance(given, AudioClip):
            transcriber.transcribe(given)
        require(same_sample(given, speech), "transcribe changed the sound")

    @rule(Grade.SILVER)
    def test_odd_sound_is_survived(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Empty, tiny, clipped and noisy clips get a transcript, or an ``InputError`` that says why not."""
        for index, clip in enumerate(odd_samples([speech], count=self.odd_inputs)):
            if not isinstance(clip, AudioClip) or clip.sample_rate != speech.sample_rate:
                continue
            try:
                heard = transcriber.transcribe(clip)
            except InputError:
                continue
            except Exception as error:
                raise AssertionError(f"odd clip {index} raised {type(error).__name__}: {error}") from error
            require(
                isinstance(heard, Transcript), f"odd clip {index}: expected a Transcript, got {type(heard).__name__}"
            )

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        with left_alone("transcribe"):
            transcriber.transcribe(speech)

    @rule(Grade.GOLD)
    def test_memory_does_not_grow(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Clip after clip leaves nothing behind."""

        def call(number: int) -> None:
            transcriber.transcribe(replace(speech, captured_at=float(number)))

        require_no_growth(call, calls=100, warm_up=8, budget_seconds=self.memory_seconds, what="transcribe")

    @rule(Grade.BRONZE)
    def test_a_stream_tells_and_finishes(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Partial transcripts are no final ones and their revisions grow; the final one supersedes them all."""
        heard = self._through_a_stream(transcriber, replace(speech, captured_at=_LATER))
        revisions = [partial.revision for partial in heard.told]
        require(not any(partial.is_final for partial in heard.told), "a partial transcript says that it is final")
        require(revisions == sorted(set(revisions)), f"revisions do not grow: {revisions}")
        require(heard.final.is_final, "the transcript of finish() is not final")
        last = max(revisions, default=-1)
        require(heard.final.revision > last, f"the final revision is {heard.final.revision}, after {last}")
        require(bool(heard.final.text.strip()), "nothing was heard in the clip of the fixture 'speech'")
        engines = {transcript.engine for transcript in (*heard.told, heard.final)}
        require(engines == {transcriber.transcribe(speech).engine}, f"the engine is called {sorted(engines)}")

    @rule(Grade.BRONZE)
    def test_a_stream_keeps_the_callers_clock(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Where words have times, they lie in what was pushed, whatever its clock."""
        later = replace(speech, captured_at=_LATER)
        heard = self._through_a_stream(transcriber, later)
        for transcript in (*heard.told, heard.final):
            _require_within(transcript, later)

    @rule(Grade.BRONZE)
    def test_a_stream_hears_nothing_in_silence(self, transcriber: Transcriber) -> None:
        """Nothing said is an answer, also of a stream, and also where nothing was pushed."""
        for seconds in (1.0, 0.0):
            text = self._through_a_stream(transcriber, make_clip(seconds=seconds)).final.text
            require(not text, f"heard {text!r} in {seconds:g} s of silence")

    @rule(Grade.BRONZE)
    def test_streams_do_not_disturb_each_other(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Two utterances at once get the words that one gets."""
        expected = self._through_a_stream(transcriber, speech).final.text
        first, second = self._open(transcriber, speech.captured_at), self._open(transcriber, speech.captured_at)
        for piece in _pieces(speech):
            first.push(piece)
            second.push(piece)
        for stream in (first, second):
            text = stream.finish().text
            stream.close()
            require(text == expected, f"heard {text!r} beside another stream, and {expected!r} alone")

    @rule(Grade.SILVER)
    def test_a_stream_can_be_closed_at_any_time(self, transcriber: Transcriber, speech: AudioClip) -> None:
        """Before anything was pushed, in the middle, after the end, and twice; nothing is told afterwards."""
        for pushed in (0, 5):
            stream = self._open(transcriber, speech.captured_at)
            for piece in _pieces(speech)[:pushed]:
                stream.push(piece)
            stream.close()
            stream.close()
        text = self._through_a_stream(transcriber, speech).final.text
        require(bool(text.strip()), "nothing was heard after other streams had been closed")

    def _through_a_stream(self, transcriber: Transcriber, clip: AudioClip) -> _Heard:
        """What a stream makes of a clip that comes in pieces."""
        stream = self._open(transcriber, clip.captured_at)
        for piece in _pieces(clip):
            stream.push(piece)
        final = stream.finish()
        told = stream.told()
        stream.close()
        stream.close()
        require(stream.told() == told, "something was told after finish()")
        return _Heard(told, final)

    def _open(self, transcriber: Transcriber, starts_at: float) -> _GuardedStream:
        return _GuardedStream(transcriber, starts_at, self.push_seconds, self.finish_seconds)

    @rule(Grade.BRONZE)
    def test_close_can_be_repeated(self, transcriber: Transcriber) -> None:
        """Quickly, and twice. The last test: it closes the engine."""
        for _ in range(2):
            within(self.close_seconds, transcriber.close, what="close")


_LATER: Final = 1000.0  # seconds; another clock than that of whoever begins at 0
_PIECE_SECONDS: Final = 0.1


@dataclass(frozen=True)
class _Heard:
    """What was told of an utterance, and its final words."""

    told: tuple[Transcript, ...]
    final: Transcript


class _GuardedStream:
    """A stream of the engine's, or the host's for an engine that has none; each call has a deadline."""

    def __init__(self, transcriber: Transcriber, starts_at: float, push_seconds: float, finish_seconds: float) -> None:
        seconds = {**dict.fromkeys(CallKind, push_seconds), CallKind.FINISH: finish_seconds}
        deadlines = Deadlines(seconds)
        self._guard = Guard("the transcriber", deadlines, threads=1)
        self._told: list[Transcript] = []
        settings = TranscriberStreamSettings(starts_at=starts_at, tell=self._told.append)
        stream = self._guard.call(CallKind.OPEN_STREAM, lambda: transcriber.open_stream(settings))
        if stream is None:
            stream = HostedTranscriber("conformance", transcriber, deadlines).open_stream(settings)
        require(isinstance(stream, TranscriberStream), f"open_stream gave a {type(stream).__name__}")
        self._stream = stream

    def told(self) -> tuple[Transcript, ...]:
        """What was told so far."""
        wrong = [type(each).__name__ for each in self._told if not isinstance(each, Transcript)]
        require(not wrong, f"told a {wrong[0] if wrong else ''}, not a Transcript")
        return tuple(self._told)

    def push(self, clip: AudioClip) -> None:
        self._guard.call(CallKind.PUSH, lambda: self._stream.push(clip))

    def finish(self) -> Transcript:
        final = self._guard.call(CallKind.FINISH, self._stream.finish)
        require(isinstance(final, Transcript), f"finish gave a {type(final).__name__}, not a Transcript")
        return final

    def close(self) -> None:
        self._guard.call(CallKind.CLOSE, self._stream.close)


def _pieces(clip: AudioClip) -> list[AudioClip]:
    """The clip as a microphone gives it."""
    size = round(_PIECE_SECONDS * clip.sample_rate)
    return [
        AudioClip(clip.samples[start : start + size], clip.sample_rate, clip.captured_at + start / clip.sample_rate)
        for start in range(0, len(clip.samples), size)
    ]


def _require_within(transcript: Transcript, clip: AudioClip) -> None:
    earliest = clip.captured_at - SPAN_TOLERANCE_SECONDS
    latest = clip.captured_at + clip.duration_seconds + SPAN_TOLERANCE_SECONDS
    for word in transcript.words:
        within = earliest <= word.interval.start and word.interval.end <= latest
        require(within, f"{word.text!r} is dated {word.interval}, and the sound began at {clip.captured_at:g} s")
