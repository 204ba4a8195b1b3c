"""The voice analyzer: sound -> utterances -> words -> tone, or words -> tone; and the stream that cuts live sound.

It joins the parts and weighs their confidences. Recognising is the transcriber's, reading the tone the network's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from mien import (
    Analyzer,
    AnalyzerRuntime,
    AudioClip,
    InputError,
    InputTooLargeError,
    Modality,
    Prediction,
    Sample,
    Stream,
    StreamSettings,
    TimeInterval,
    Transcriber,
    Transcript,
    Utterance,
)
from mien_voice import voiceactivity
from mien_voice.audio import at_speech_rate
from mien_voice.hearing import HeardClip, Hearing
from mien_voice.language import ENGLISH
from mien_voice.segmentation import Segmenter, SpeechClip, cut_into_utterances
from mien_voice.settings import SegmentationSettings, VoiceSettings
from mien_voice.tone import Tone, ToneModel, abstention

_CALLER: Final = "caller"


@dataclass(frozen=True, slots=True)
class _Said:
    """Words somebody said, and when."""

    transcript: Transcript
    interval: TimeInterval


class VoiceAnalyzer(Analyzer):
    """Turns sound and words into predictions, one for each utterance.

    A prediction's confidence is the tone's times the transcript's: sure words of unsure tone, and a sure tone of words
    that were perhaps not said, both count for little. A caller's own words count as heard right.

    Args:
        transcriber: Turns one utterance into words.
        tone: Reads the tone of words.
        settings: How sound is cut and how much text is taken.
    """

    def __init__(self, *, transcriber: Transcriber, tone: ToneModel, settings: VoiceSettings) -> None:
        self._transcriber = transcriber
        self._tone = tone
        self._settings = settings

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """Analyse a batch; the tone of all its utterances is read at once.

        Args:
            samples: Sound of any rate and length, and utterances.

        Returns:
            For each sample its utterances in order; empty where nothing was said.

        Raises:
            InputTooLargeError: A text is over ``max_text_characters``.
            InputError: A sample is neither sound nor text.
        """
        said = [self._listen(sample) for sample in samples]
        heard = [item.transcript for items in said for item in items]
        tones = iter(self._tone.predict([each.text for each in heard], [each.language for each in heard]))
        return [[self._prediction(item, next(tones)) for item in items] for items in said]

    def parts(self, sample: Sample) -> Sequence[Sample]:
        """The utterances in a piece of sound; words as they are."""
        return self._utterances(sample) if isinstance(sample, AudioClip) else (sample,)

    def open_stream(self, settings: StreamSettings) -> Stream:
        """A stream that cuts continuous sound into utterances and lets words pass; and tells of those that go on."""
        hearing = None
        if settings.tell is not None:
            hearing = Hearing(self._transcriber, self._provisional, settings.tell)
        return VoiceStream(self._settings.segmentation, hearing)

    def warm_up(self) -> None:
        """Compile the tone network, and load that of voice activity."""
        self._tone.warm_up()
        voiceactivity.network()

    def runtime(self) -> AnalyzerRuntime:
        """The tone network's weights, where it is one of mien's own."""
        manifest = getattr(self._tone, "manifest", None)
        return AnalyzerRuntime(weights_sha256={manifest.name: manifest.sha256} if manifest else {})

    def _provisional(self, transcript: Transcript, interval: TimeInterval) -> Prediction:
        """The tone of what was said so far."""
        text = transcript.text
        nothing = abstention("nothing was said", language=transcript.language or ENGLISH)
        return self._prediction(_Said(transcript, interval), self._tone.predict([text])[0] if text.strip() else nothing)

    def _prediction(self, said: _Said, tone: Tone) -> Prediction:
        transcript = said.transcript
        if transcript.language and not self._tone.reads(transcript.language):
            tone = abstention(f"not a language that is read: {transcript.language}", language=transcript.language)
        return Prediction(
            modality=Modality.VOICE,
            emotions=tone.distribution(),
            sentiment=tone.sentiment,
            valence=tone.valence,
            satisfaction=tone.satisfaction,
            confidence=tone.confidence * transcript.confidence,
            interval=said.interval,
            evidence=transcript if transcript.language else replace(transcript, language=tone.language),
        )

    def _listen(self, sample: Sample) -> list[_Said]:
        if isinstance(sample, Utterance):
            return self._read(sample)
        if isinstance(sample, AudioClip):
            heard = [(clip, self._recognise(clip)) for clip in self._utterances(sample)]
            return [
                _Said(transcript, TimeInterval(clip.captured_at, clip.captured_at + clip.duration_seconds))
                for clip, transcript in heard
                if transcript.text.strip()
            ]
        raise InputError(f"the voice analyzer takes sound and text, not {type(sample).__name__}")

    def _recognise(self, clip: AudioClip) -> Transcript:
        if not isinstance(clip, HeardClip):
            return self._transcriber.transcribe(clip)
        return clip.utterance.final() or clip.utterance.superseding(self._transcriber.transcribe(clip))

    def _utterances(self, clip: AudioClip) -> Sequence[AudioClip]:
        if isinstance(clip, SpeechClip):
            return (clip,)
        return cut_into_utterances(at_speech_rate(clip), self._settings.segmentation)

    def _read(self, utterance: Utterance) -> list[_Said]:
        limit = self._settings.max_text_characters
        if len(utterance.text) > limit:
            raise InputTooLargeError(
                f"the text has {len(utterance.text)} characters, more than the limit of {limit}; send one utterance "
                "at a time"
            )
        if not utterance.text.strip():
            return []
        transcript = Transcript(text=utterance.text, language=utterance.language, engine=_CALLER)
        return [
            _Said(transcript, TimeInterval(utterance.captured_at, utterance.captured_at + utterance.duration_seconds))
        ]


class VoiceStream(Stream):
    """The voice of one session: sound goes in as it comes, utterances come out when they have ended."""

    def __init__(self, settings: SegmentationSettings, hearing: Hearing | None = None) -> None:
        """Begin.

        Args:
            settings: How sound is cut.
            hearing: Follows what is being said; None where nobody wants to know.
        """
        self._segmenter = Segmenter(settings)
        self._hearing = hearing

    def push(self, sample: Sample) -> list[Sample]:
        """Take in the next piece of sound, or words, which are ready at once."""
        if isinstance(sample, AudioClip):
            return self._followed(self._segmenter.push(at_speech_rate(sample)))
        return [sample]

    def flush(self) -> list[Sample]:
        """The session ends: give back the utterance that is still being spoken."""
        return self._followed(self._segmenter.flush())

    def close(self) -> None:
        """Tell nothing more."""
        if self._hearing is not None:
            self._hearing.close()

    def _followed(self, ended: Sequence[SpeechClip]) -> list[Sample]:
        return list(ended if self._hearing is None else self._hearing.follow(ended, self._segmenter.speaking))
