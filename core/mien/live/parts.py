"""The analyzers of one session, each with its own state for it. Choosing them is here; running them is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from mien.errors import AnalyzerNotFoundError, MienError, PluginError
from mien.interfaces import Stream, StreamSettings
from mien.plugins import workers
from mien.plugins.host import PluginHost
from mien.session import SessionConfig
from mien.types import SampleKind


@dataclass(slots=True, kw_only=True)
class Part:
    """One analyzer's part in a session.

    Attributes:
        name: The analyzer's registered name.
        modality: Of its predictions.
        accepts: The kinds of sample it takes.
        stream: Its state for this session; used under ``lock``.
        lock: Held while ``stream`` is used.
        worker: The thread that ``stream`` is used on.
        failing: The last sample could not be analysed.
    """

    name: str
    modality: str
    accepts: frozenset[SampleKind]
    stream: Stream
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    worker: workers.Lane = field(default_factory=lambda: workers.Lane("stream", threads=1))
    failing: bool = False


def choose_parts(host: PluginHost, names: Sequence[str], settings: StreamSettings) -> tuple[list[Part], dict[str, str]]:
    """Open the streams of the named analyzers; without names, of every enabled one. Loads what is not loaded.

    Returns:
        The parts, and analyzer -> the reason for those that cannot be used.

    Raises:
        AnalyzerNotFoundError: A named analyzer does not exist or is not enabled, or none is enabled.
        PluginError: None of them can be used.
    """
    chosen = tuple(dict.fromkeys(names)) or tuple(name for name, entry in host.analyzers.items() if entry.enabled)
    if not chosen:
        raise AnalyzerNotFoundError("no analyzer is enabled here; install a plugin, or name one in [engine] analyzers")
    parts: list[Part] = []
    failed: dict[str, str] = {}
    for name in chosen:
        try:
            stream = host.analyzer(name).open_stream(settings)
        except AnalyzerNotFoundError:
            raise
        except MienError as error:
            failed[name] = str(error)
        except Exception as error:  # a plugin's bug costs its own stream
            failed[name] = f"its stream could not be opened: {type(error).__name__}"
        else:
            info = host.analyzers[name].info
            parts.append(Part(name=name, modality=info.modality, accepts=info.accepts, stream=stream))
    if not parts:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise PluginError(f"no analyzer of the session can be used: {reasons}")
    return parts, failed


def stream_settings(config: SessionConfig) -> StreamSettings:
    """What the analyzers' streams are told."""
    return StreamSettings(
        snapshot_interval_seconds=config.snapshot_interval_seconds, exclude_regions=config.exclude_regions
    )
