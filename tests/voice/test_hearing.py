"""What is being said, while it is said: through the voice analyzer's stream, with an engine that is made up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from voice.conftest import FakeTone, silence, sound

from mien import (
    AudioClip,
    LocalAgreement,
    PluginError,
    Prediction,
    StreamSettings,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
)
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.audio import SAMPLE_RATE
from mien_voice.hearing import MAX_WAITING, HeardClip
from mien_voice.settings import VoiceSettings

PIECE = SAMPLE_RATE // 10


class Whispering(TranscriberStream):
    """Hears "thank you" growing, a word for each second; tells at once, on the thread that pushes."""

    words = ("thank", "you", "so", "very", "much", "indeed")

    def __init__(self, settings: TranscriberStreamSettings) -> None:
        self.settings = settings
        self.agreement = LocalAgreement()
        self.pieces: list[AudioClip] = []
        self.closed = False

    def push(self, clip: AudioClip) -> None:
        self.pieces.append(clip)
        if self.text != " ".join(self.words[: self.agreement.revision]):
            self.settings.tell(self.agreement.partial(Transcript(self.text, language="en", engine="whispering")))

    def finish(self) -> Transcript:
        return self.agreement.final(Transcript(self.text, language="en", engine="whispering", confidence=0.9))

    def close(self) -> None:
        self.closed = True

    @property
    def sound(self) -> npt.NDArray[np.float32]:
        return np.concatenate([piece.samples for piece in self.pieces])

    @property
    def text(self) -> str:
        return " ".join(self.words[: int(len(self.sound) / SAMPLE_RATE)])


class Engine(Transcriber):
    """Streams, and remembers its streams."""

    def __init__(self, kind: type[Whispering] = Whispering) -> None:
        self.kind = kind
        self.streams: list[Whispering] = []

    def transcribe(self, clip: AudioClip) -> Transcript:
        return Transcript("a whole clip", language="en", engine="whispering")

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream:
        self.streams.append(self.kind(settings))
        return self.streams[-1]


class Listening:
    """A voice stream that tells."""

    def __init__(self, engine: Transcriber, **segmentation: float) -> None:
        settings = VoiceSettings.model_validate({"segmentation": segmentation})
        self.analyzer = VoiceAnalyzer(transcriber=engine, tone=FakeTone(), settings=settings)
        self.told: list[Prediction] = []
        self.stream = self.analyzer.open_stream(StreamSettings(tell=self.told.append))

    def hear(self, samples: npt.NDArray[np.float32], at: float = 0.0) -> list[HeardClip]:
        ready = []
        for start in range(0, len(samples), PIECE):
            ready += self.stream.push(sound(samples[start : start + PIECE], at + start / SAMPLE_RATE))
        return ready  # type: ignore[return-value]

    @property
    def texts(self) -> list[str]:
        return [words_of(each).text for each in self.told]


def words_of(prediction: Prediction) -> Transcript:
    assert isinstance(prediction.evidence, Transcript)
    return prediction.evidence


def test_words_and_their_tone_are_told_while_they_are_spoken(thanks: AudioClip) -> None:
    listening = Listening(Engine())
    (clip,) = listening.hear(np.concatenate([thanks.samples, silence(2.0)]), at=40.0)
    assert listening.texts[:2] == ["thank", "thank you"]
    assert all(each.is_provisional for each in listening.told)
    assert {each.interval.start for each in listening.told} == {clip.captured_at}
    assert [words_of(each).revision for each in listening.told] == list(range(1, len(listening.told) + 1))
    assert listening.told[0].top_emotion == "gratitude"
    ends = [each.interval.end for each in listening.told]
    assert ends == sorted(ends)
    assert ends[-1] <= clip.captured_at + clip.duration_seconds


def test_the_final_words_are_those_of_the_same_stream_and_supersede(thanks: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine)
    (clip,) = listening.hear(np.concatenate([thanks.samples, silence(2.0)]))
    ((prediction,),) = listening.analyzer.analyze([clip])
    ((again,),) = listening.analyzer.analyze([clip])
    assert prediction == again
    assert not prediction.is_provisional
    assert words_of(prediction).text.startswith("thank you")
    assert words_of(prediction).revision > words_of(listening.told[-1]).revision
    assert prediction.interval.start == listening.told[-1].interval.start
    (stream,) = engine.streams
    assert stream.settings.starts_at == clip.captured_at
    np.testing.assert_array_equal(stream.sound, clip.samples)
    ends = clip.captured_at + np.cumsum([piece.duration_seconds for piece in stream.pieces])
    assert [piece.captured_at for piece in stream.pieces[1:]] == pytest.approx(ends[:-1])


def test_a_pause_is_held_back_until_speech_goes_on(refusal: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine)
    listening.hear(np.concatenate([refusal.samples[: 2 * SAMPLE_RATE], silence(0.5)]))
    heard = len(engine.streams[0].sound)
    listening.hear(silence(0.1), at=2.5)
    assert len(engine.streams[0].sound) == heard


def test_each_utterance_has_a_stream_of_its_own(thanks: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine)
    twice = np.concatenate([thanks.samples, silence(2.0), thanks.samples, silence(2.0)])
    clips = listening.hear(twice)
    assert [stream.settings.starts_at for stream in engine.streams] == [clip.captured_at for clip in clips]
    assert len(clips) == 2


def test_an_utterance_that_is_cut_is_recognised_as_far_as_it_goes(thanks: AudioClip) -> None:
    listening = Listening(Engine(), max_utterance_seconds=2.0)
    clips = listening.hear(np.concatenate([thanks.samples, silence(2.0)]))
    first, second = clips[0], clips[1]
    assert second.captured_at == first.captured_at + first.duration_seconds
    ((prediction,),) = listening.analyzer.analyze([first])
    told = [words_of(each) for each in listening.told if each.interval.start == first.captured_at]
    assert words_of(prediction).text == "a whole clip", "its stream had heard beyond the cut"
    assert words_of(prediction).revision == told[-1].revision + 1


def test_a_short_noise_is_not_followed(thanks: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine, min_speech_seconds=1.0)
    listening.hear(np.concatenate([thanks.samples[: round(0.9 * SAMPLE_RATE)], silence(2.0)]))
    assert engine.streams == []


def test_words_that_were_none_are_taken_back(thanks: AudioClip) -> None:
    class Wordless(Whispering):
        def finish(self) -> Transcript:
            return self.agreement.final(Transcript("", engine="whispering"))

    listening = Listening(Engine(Wordless))
    (clip,) = listening.hear(np.concatenate([thanks.samples, silence(2.0)]))
    assert listening.analyzer.analyze([clip]) == [[]]
    last = words_of(listening.told[-1])
    assert (last.text, last.is_final) == ("", False)
    assert last.revision == words_of(listening.told[-2]).revision + 1


def test_an_utterance_that_turns_out_to_be_none_is_dropped(thanks: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine)
    listening.hear(thanks.samples[: 2 * SAMPLE_RATE])
    listening.stream.push(sound(silence(0.1), at=90.0))  # a gap: the utterance ends, and is asked for
    listening.stream.close()
    assert all(stream.closed for stream in engine.streams)
    assert words_of(listening.told[-1]).text == ""


def test_an_engine_that_fails_says_so_and_takes_its_words_back(thanks: AudioClip) -> None:
    class Gone(Whispering):
        def finish(self) -> Transcript:
            raise PluginError("the speech server went away")

    listening = Listening(Engine(Gone))
    (clip,) = listening.hear(np.concatenate([thanks.samples, silence(2.0)]))
    for _ in range(2):
        with pytest.raises(PluginError, match="went away"):
            listening.analyzer.analyze([clip])
    assert listening.texts[-1] == ""


def test_utterances_that_nobody_asks_for_do_not_pile_up(thanks: AudioClip) -> None:
    engine = Engine()
    listening = Listening(engine)
    short = np.concatenate([thanks.samples[:SAMPLE_RATE], silence(1.5)])
    clips = listening.hear(np.tile(short, MAX_WAITING + 1))
    assert len(clips) == MAX_WAITING + 1
    assert [stream.closed for stream in engine.streams] == [True] + [False] * MAX_WAITING
    ((prediction,),) = listening.analyzer.analyze([clips[0]])
    assert words_of(prediction).text == "a whole clip"


def test_nothing_is_followed_where_nobody_wants_to_know(thanks: AudioClip) -> None:
    engine = Engine()
    analyzer = VoiceAnalyzer(transcriber=engine, tone=FakeTone(), settings=VoiceSettings())
    stream = analyzer.open_stream(StreamSettings())
    stream.push(thanks)
    stream.flush()
    stream.close()
    assert engine.streams == []


def test_an_engine_without_a_stream_hears_whole_utterances(thanks: AudioClip) -> None:
    class Whole(Transcriber):
        def transcribe(self, clip: AudioClip) -> Transcript:
            return Transcript("thank you", language="en", engine="whole")

    listening = Listening(Whole())
    ready = [*listening.hear(thanks.samples), *listening.stream.flush()]
    assert [words_of(each).text for (each,) in listening.analyzer.analyze(ready)] == ["thank you"]
    assert listening.told == []
