"""What the voice plugin registers: the analyzer ``voice``, two engines and ``mien models``. Loads no model, no JAX."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mien import (
    AnalyzerInfo,
    MissingDependencyError,
    Modality,
    PluginContext,
    RegisterAnalyzer,
    RegisterTranscriber,
    SampleKind,
    Transcriber,
    TranscriberInfo,
    hookimpl,
    read_manifest,
)
from mien_voice.labels import EMOTIONS28
from mien_voice.settings import ToneSettings, VoiceSettings

if TYPE_CHECKING:
    import typer

    from mien_voice.analyzer import VoiceAnalyzer
    from mien_voice.tone import ToneModel

MIEN_API_VERSION = 1

SECTION: Final = "voice"
"""The table of the configuration: ``[plugins.voice]``."""

WEIGHTS: Final = Path(__file__).parent / "weights" / "tone.json"

REQUIRED: Final = ("faster_whisper", "haiku", "onnxruntime", "soxr", "tokenizers", "transformers")
"""The modules that the extra ``mien[voice]`` brings and that nothing here works without."""

_SHORT_TO_LONG: Final = (4, 24, 48)
"""Words of one text of each length that the tone network compiles for."""


@hookimpl
def mien_register_transcribers(register: RegisterTranscriber, context: PluginContext) -> None:
    """Register the two engines."""
    _require_extra()
    settings = context.settings(SECTION, VoiceSettings)

    def load_whisper() -> Transcriber:
        from mien_voice.transcribers.choice import load_whisper

        return load_whisper(settings.whisper)

    def load_transformers() -> Transcriber:
        from mien_voice.transcribers.transformers import TransformersTranscriber

        return TransformersTranscriber(settings.transformers)

    register("whisper", _whisper_info(settings), load_whisper)
    register("transformers", _transformers_info(settings), load_transformers)


@hookimpl
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register the analyzer; it is off until the configuration names it."""
    _require_extra()
    settings = context.settings(SECTION, VoiceSettings)
    register("voice", _voice_info(settings), lambda: _load_analyzer(settings, context))


@hookimpl
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add ``mien models``."""
    from mien_voice.models import commands

    commands.register(app, context, SECTION)


def _voice_info(settings: VoiceSettings) -> AnalyzerInfo:
    checkpoint = settings.tone.checkpoint
    # Without weights the plugin still loads, for "mien train tone" to make them; the analyzer says what is missing.
    manifest = read_manifest(WEIGHTS) if WEIGHTS.exists() else None
    embedded = (manifest.version, manifest.license) if manifest else ("untrained", "none")
    version, license_of_weights = (_version("mien"), "the checkpoint's own") if checkpoint else embedded
    tone = f", read by the Hugging Face checkpoint {checkpoint!r}" if checkpoint else ""
    tone += "".join(f", in {tag} by {own.checkpoint!r}" for tag, own in settings.tone.checkpoints.items())
    return AnalyzerInfo(
        modality=Modality.VOICE,
        accepts=frozenset({SampleKind.AUDIO, SampleKind.TEXT}),
        labels=EMOTIONS28,
        version=version,
        weights_license=license_of_weights,
        description=f"tone of what is said{tone}, {settings.transcriber} speech recognition",
        load_cost="what the checkpoint needs" if checkpoint or settings.tone.checkpoints else "about 5 s and 300 MB",
        opt_in=True,
        parallel=settings.whisper.recognisers,
    )


def _load_analyzer(settings: VoiceSettings, context: PluginContext) -> VoiceAnalyzer:
    from mien_voice.analyzer import VoiceAnalyzer
    from mien_voice.transcribers.choice import chosen

    return VoiceAnalyzer(transcriber=chosen(settings, context), tone=_load_tone(settings.tone), settings=settings)


def _load_tone(settings: ToneSettings) -> ToneModel:
    """What the settings name: a model for every language, or one beside those of some languages."""
    if not settings.checkpoints:
        return _load_default_tone(settings)
    from mien_voice.tonecheckpoint import ToneCheckpoint
    from mien_voice.tonelanguages import ToneByLanguage

    others = {
        tag: ToneCheckpoint(
            ToneSettings(checkpoint=own.checkpoint, labels=own.labels, languages=(tag,), offline=settings.offline)
        )
        for tag, own in settings.checkpoints.items()
    }
    return ToneByLanguage(_load_default_tone(settings), others)


def _load_default_tone(settings: ToneSettings) -> ToneModel:
    """The configured checkpoint, or the embedded network."""
    if settings.checkpoint:
        from mien_voice.tonecheckpoint import ToneCheckpoint

        return ToneCheckpoint(settings)
    from mien_voice.tonenetwork import ToneNetwork

    network = ToneNetwork(WEIGHTS)
    for words in _SHORT_TO_LONG:  # compiling belongs to loading: a first call would pay for it out of its deadline
        network.predict([" ".join(["fine"] * words)])
    return network


def _whisper_info(settings: VoiceSettings) -> TranscriberInfo:
    model = settings.whisper.model or "the first model on this machine"
    return TranscriberInfo(
        version=_version("faster-whisper"),
        offline=settings.whisper.offline,
        description=f"Whisper on the processor, {model}, by faster-whisper (CTranslate2, int8)",
    )


def _transformers_info(settings: VoiceSettings) -> TranscriberInfo:
    return TranscriberInfo(
        version=_version("transformers"),
        offline=settings.transformers.offline,
        description=f"the Hugging Face checkpoint {settings.transformers.checkpoint!r} (mien[transformers])",
    )


def _require_extra() -> None:
    missing = [name for name in REQUIRED if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"the voice plugin needs packages that are not installed ({', '.join(missing)}): pip install 'mien[voice]'"
        )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
