"""``[plugins.voice]`` of the configuration, validated. Every key has a default that works offline."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mien_voice.labels import TONE_LABELS

Seconds = Annotated[float, Field(gt=0.0, le=30.0)]
Pause = Annotated[float, Field(ge=0.0, le=5.0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strictness(StrEnum):
    """How sure the voice activity detector must be that a frame is speech."""

    LOOSE = "loose"
    MEDIUM_LOOSE = "medium_loose"
    MEDIUM_STRICT = "medium_strict"
    STRICT = "strict"


def _with_labels_of_ours(labels: dict[str, str]) -> dict[str, str]:
    """The labels, if what they are mapped to is ours."""
    wrong = sorted({ours for ours in labels.values() if ours not in TONE_LABELS})
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: not a label of ours; those are {', '.join(TONE_LABELS)}")
    return labels


class SegmentationSettings(_Table):
    """``[plugins.voice.segmentation]``: how continuous sound is cut into utterances.

    Attributes:
        strictness: Looser hears quieter speech, and more noise.
        pre_roll_seconds: Kept before the first sound that counts as speech, so that no first syllable is lost.
        post_roll_seconds: Kept after the last.
        end_silence_seconds: A pause so long ends the utterance; a shorter one is part of it.
        max_utterance_seconds: A longer one is cut at its quietest point near the end.
        min_voiced_seconds: Less voiced sound than this is no utterance.
    """

    strictness: Strictness = Strictness.LOOSE
    pre_roll_seconds: Pause = 0.3
    post_roll_seconds: Pause = 0.2
    end_silence_seconds: Annotated[float, Field(ge=0.1, le=5.0)] = 0.7
    max_utterance_seconds: Annotated[float, Field(ge=2.0, le=30.0)] = 15.0
    min_voiced_seconds: Seconds = 0.12

    @model_validator(mode="after")
    def _post_roll_within_the_pause(self) -> SegmentationSettings:
        if self.post_roll_seconds > self.end_silence_seconds:
            raise ValueError(
                "post_roll_seconds must not exceed end_silence_seconds, "
                f"got {self.post_roll_seconds} and {self.end_silence_seconds}"
            )
        return self


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
        transcriber: Name of the registered speech-to-text engine.
        tone: What reads the tone of the words.
        max_text_characters: A longer text is refused.
        segmentation: How sound is cut.
        transformers: The engine of that name.
    """

    transcriber: str = "pocketsphinx"
    tone: ToneSettings = ToneSettings()
    max_text_characters: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    segmentation: SegmentationSettings = SegmentationSettings()
    transformers: TransformersSettings = TransformersSettings()
