"""``[plugins.voice]`` of the configuration, validated. Every key has a default that works offline."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mien_voice.labels import TONE_LABELS

AUTOMATIC: Final = "auto"
"""The transcriber's name where whichever is best on this machine is meant."""

Seconds = Annotated[float, Field(gt=0.0, le=30.0)]
Pause = Annotated[float, Field(ge=0.0, le=5.0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _with_labels_of_ours(labels: dict[str, str]) -> dict[str, str]:
    """The labels, if what they are mapped to is ours."""
    wrong = sorted({ours for ours in labels.values() if ours not in TONE_LABELS})
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: not a label of ours; those are {', '.join(TONE_LABELS)}")
    return labels


class SegmentationSettings(_Table):
    """``[plugins.voice.segmentation]``: how continuous sound is cut into utterances.

    Attributes:
        speech_threshold: Probability of speech from which a frame counts; lower hears more, and more bystanders.
        pre_roll_seconds: Kept before the first sound that counts as speech, so that no first syllable is lost.
        post_roll_seconds: Kept after the last.
        end_silence_seconds: A pause so long ends the utterance; a shorter one is part of it.
        max_utterance_seconds: A longer one is cut at its quietest point near the end.
        min_speech_seconds: Less speech than this is no utterance.
    """

    speech_threshold: Annotated[float, Field(ge=0.2, le=0.99)] = 0.5
    pre_roll_seconds: Pause = 0.3
    post_roll_seconds: Pause = 0.2
    end_silence_seconds: Annotated[float, Field(ge=0.1, le=5.0)] = 0.7
    max_utterance_seconds: Annotated[float, Field(ge=2.0, le=30.0)] = 15.0
    min_speech_seconds: Seconds = 0.12

    @model_validator(mode="after")
    def _post_roll_within_the_pause(self) -> SegmentationSettings:
        if self.post_roll_seconds > self.end_silence_seconds:
            raise ValueError(
                "post_roll_seconds must not exceed end_silence_seconds, "
                f"got {self.post_roll_seconds} and {self.end_silence_seconds}"
            )
        return self


class WhisperSettings(_Table):
    """``[plugins.voice.whisper]``: Whisper in CTranslate2's format, on the processor, as int8.

    Attributes:
        model: A folder, a size (``mien models list`` names them) or an id on the Hugging Face hub; empty takes the
            first that is on this machine, in the Hugging Face cache or in an installed model package.
        language: BCP 47 tag of what is spoken; empty lets a multilingual model find out, utterance by utterance.
        beam: Hypotheses that are followed at once.
        threads: Of the processor that one utterance may keep busy; each leaves less to the faces.
        recognisers: Utterances that are recognised at once, by one model; each takes ``threads`` of its own.
        offline: Never ask the hub. Otherwise a model that is named here and not on this machine is fetched when the
            engine loads.
    """

    model: str = ""
    language: Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]+)*)?$")] = ""
    beam: Annotated[int, Field(ge=1, le=10)] = 5
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    recognisers: Annotated[int, Field(ge=1, le=16)] = 1
    offline: bool = True


class TransformersSettings(_Table):
    """``[plugins.voice.transformers]``: the engine that runs a Hugging Face speech-recognition checkpoint.

    Attributes:
        checkpoint: Its id on the Hugging Face hub, or a local folder.
        language: BCP 47 tag to recognise, where the checkpoint knows several; empty lets it find out.
        offline: Never ask the hub, as the environment variable ``HF_HUB_OFFLINE=1`` does: take local folders and what
            is in the cache already.
    """

    checkpoint: str = "openai/whisper-tiny.en"
    language: str = ""
    offline: bool = False


class LanguageCheckpoint(_Table):
    """``[plugins.voice.tone.checkpoints.<language>]``: a text-classification checkpoint that reads one language.

    Attributes:
        checkpoint: Its id on the Hugging Face hub, or a local folder.
        labels: The checkpoint's labels -> ours, as in the table above.
    """

    checkpoint: Annotated[str, Field(min_length=1)]
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("labels")
    @classmethod
    def _ours(cls, labels: dict[str, str]) -> dict[str, str]:
        return _with_labels_of_ours(labels)


class ToneSettings(_Table):
    """``[plugins.voice.tone]``: a Hugging Face text-classification checkpoint in the embedded network's place.

    Attributes:
        checkpoint: Its id on the Hugging Face hub, or a local folder; empty takes the embedded network.
        labels: The checkpoint's labels -> one of GoEmotions' emotions or a sentiment. A label that is called like one
            of ours needs no entry; what says nothing of the tone is ``neutral``.
        languages: What the checkpoint reads, as BCP 47's first parts; empty for any language.
        checkpoints: A language, as BCP 47's first part -> what reads it; any other language is left to ``checkpoint``,
            or to the embedded network.
        offline: Never ask the hub, as the environment variable ``HF_HUB_OFFLINE=1`` does.
    """

    checkpoint: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    checkpoints: dict[str, LanguageCheckpoint] = Field(default_factory=dict)
    offline: bool = False

    @field_validator("labels")
    @classmethod
    def _ours(cls, labels: dict[str, str]) -> dict[str, str]:
        return _with_labels_of_ours(labels)

    @field_validator("checkpoints")
    @classmethod
    def _languages_by_their_first_part(
        cls, checkpoints: dict[str, LanguageCheckpoint]
    ) -> dict[str, LanguageCheckpoint]:
        wrong = sorted(tag for tag in checkpoints if not (tag.isascii() and tag.isalpha() and tag.islower()))
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: a language is the first part of its BCP 47 tag, such as de or pt")
        return checkpoints

    @model_validator(mode="after")
    def _labels_belong_to_a_checkpoint(self) -> ToneSettings:
        if self.labels and not self.checkpoint:
            raise ValueError("labels map a checkpoint's labels to ours, and no checkpoint is given")
        return self


class VoiceSettings(_Table):
    """``[plugins.voice]``.

    Attributes:
        transcriber: Name of the registered speech-to-text engine; ``auto`` takes ``whisper`` where a model of its is on
            this machine, and ``pocketsphinx``, with a warning, where only that is installed.
        tone: What reads the tone of the words.
        max_text_characters: A longer text is refused.
        segmentation: How sound is cut.
        whisper: The engine of that name.
        transformers: The engine of that name.
    """

    transcriber: str = AUTOMATIC
    tone: ToneSettings = ToneSettings()
    max_text_characters: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    segmentation: SegmentationSettings = SegmentationSettings()
    whisper: WhisperSettings = WhisperSettings()
    transformers: TransformersSettings = TransformersSettings()
