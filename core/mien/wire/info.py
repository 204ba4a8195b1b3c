"""What a server runs, as ``GetServerInfo`` tells it: gathered from the host and the settings, read by the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import mien
from mien.config import Settings
from mien.interfaces import API_VERSION, AnalyzerRuntime
from mien.plugins.host import PluginHost, PluginState, RegisteredAnalyzer
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import FIXED_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlugin:
    """One plugin that a server found; ``reason`` says why it was left out where it was."""

    name: str
    version: str
    distribution: str
    loaded: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnalyzer:
    """One analyzer; see ``mien.AnalyzerInfo`` and ``mien.AnalyzerRuntime``. ``accepts`` names sample kinds."""

    name: str
    modality: str
    accepts: tuple[str, ...]
    labels: tuple[str, ...]
    version: str
    weights_license: str
    description: str
    enabled: bool
    plugin: str
    opt_in: bool
    load_cost: str
    weights_sha256: Mapping[str, str]
    backend: str
    batch_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What a server accepts; see ``mien.config.LimitSettings`` and ``mien.wire.bounds`` for the meanings and units."""

    max_message_bytes: int
    max_image_bytes: int
    max_image_pixels: int
    max_audio_seconds: float
    max_text_characters: int
    max_calls_in_flight: int
    max_calls_queued: int
    max_sessions: int
    max_stream_items: int
    max_session_frames_queued: int
    idle_seconds: float
    decode_seconds: float
    max_names: int
    max_name_characters: int
    max_exclude_regions: int
    max_time_seconds: float
    max_duration_seconds: float
    max_weight: float
    max_message_fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What a server runs.

    Attributes:
        version: mien's.
        plugin_api_version: Of the plugin contract.
        plugins: All it found, those that were left out among them.
        analyzers: All that are registered.
        fusers: Names of those registered.
        default_fuser: Taken where a request names none.
        transcribers: Names of the speech-to-text engines registered.
        limits: What it accepts.
        consent_required: Requests and sessions need a consent.
        transcripts_redacted: The words of transcripts are taken out of every answer.
    """

    version: str
    plugin_api_version: int
    plugins: tuple[ServerPlugin, ...]
    analyzers: tuple[ServerAnalyzer, ...]
    fusers: tuple[str, ...]
    default_fuser: str
    transcribers: tuple[str, ...]
    limits: ServerLimits
    consent_required: bool
    transcripts_redacted: bool


_NOT_LOADED: Final = AnalyzerRuntime()


def describe_server(
    host: PluginHost, settings: Settings, runtimes: Mapping[str, AnalyzerRuntime]
) -> pb.GetServerInfoResponse:
    """The answer to ``GetServerInfo``; ``runtimes`` are those of the analyzers that are loaded, by name."""
    return pb.GetServerInfoResponse(
        version=mien.__version__,
        plugin_api_version=API_VERSION,
        plugins=[
            pb.PluginInfo(
                name=plugin.name,
                version=plugin.version,
                distribution=plugin.distribution,
                loaded=plugin.state is PluginState.LOADED,
                reason=plugin.reason,
            )
            for plugin in host.plugins()
        ],
        analyzers=[
            _analyzer_to_wire(entry, runtimes.get(entry.name, _NOT_LOADED)) for entry in host.analyzers.values()
        ],
        fusers=[
            pb.FuserInfo(
                name=entry.name, version=entry.info.version, description=entry.info.description, plugin=entry.plugin
            )
            for entry in host.fusers.values()
        ],
        default_fuser=settings.fusion.fuser,
        transcribers=[
            pb.TranscriberInfo(
                name=entry.name,
                version=entry.info.version,
                languages=entry.info.languages,
                offline=entry.info.offline,
                description=entry.info.description,
                plugin=entry.plugin,
            )
            for entry in host.transcribers.values()
        ],
        limits=pb.Limits(
            **{
                name: FIXED_LIMITS[name] if name in FIXED_LIMITS else getattr(settings.limits, name)
                for name in ServerLimits.__slots__
            }
        ),
        consent_required=settings.privacy.require_consent,
        transcripts_redacted=settings.privacy.redact_transcript,
    )


def server_info_from_wire(message: pb.GetServerInfoResponse) -> ServerInfo:
    """What a server said it runs."""
    return ServerInfo(
        version=message.version,
        plugin_api_version=message.plugin_api_version,
        plugins=tuple(
            ServerPlugin(**{name: getattr(plugin, name) for name in ServerPlugin.__slots__})
            for plugin in message.plugins
        ),
        analyzers=tuple(_analyzer_from_wire(analyzer) for analyzer in message.analyzers),
        fusers=tuple(fuser.name for fuser in message.fusers),
        default_fuser=message.default_fuser,
        transcribers=tuple(transcriber.name for transcriber in message.transcribers),
        limits=ServerLimits(**{name: getattr(message.limits, name) for name in ServerLimits.__slots__}),
        consent_required=message.consent_required,
        transcripts_redacted=message.transcripts_redacted,
    )


def _analyzer_to_wire(entry: RegisteredAnalyzer, runtime: AnalyzerRuntime) -> pb.AnalyzerInfo:
    info = entry.info
    return pb.AnalyzerInfo(
        name=entry.name,
        modality=info.modality,
        accepts=sorted(kind.value for kind in info.accepts),
        labels=info.labels,
        version=info.version,
        weights_license=info.weights_license,
        description=info.description,
        enabled=entry.enabled,
        plugin=entry.plugin,
        opt_in=info.opt_in,
        load_cost=info.load_cost,
        weights_sha256=dict(runtime.weights_sha256),
        backend=runtime.backend,
        batch_sizes=runtime.batch_sizes,
    )


def _analyzer_from_wire(message: pb.AnalyzerInfo) -> ServerAnalyzer:
    values = {name: getattr(message, name) for name in ServerAnalyzer.__slots__}
    lists = {name: tuple(values[name]) for name in ("accepts", "labels", "batch_sizes")}
    return ServerAnalyzer(**{**values, **lists, "weights_sha256": dict(message.weights_sha256)})
