"""The first message of a session as the configuration of one: what the caller asks for, over what the server says."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from mien.access import calling
from mien.config import Settings
from mien.engine.requests import enabled_for
from mien.plugins.host import PluginHost
from mien.session import SessionConfig
from mien.types import SampleKind
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import config_overrides
from mien.wire.status import InvalidFieldError


def session_config(message: pb.SessionConfig, host: PluginHost, settings: Settings) -> SessionConfig:
    """The configuration of a session, with a name of its own where the caller gives none.

    Raises:
        InvalidFieldError: A field is wrong, or more than this server allows.
        AccessError: The caller's key does not allow an analyzer.
    """
    given = config_overrides(message)
    check_modalities(host, message.weights, field="config.weights")
    check_modalities(host, message.expected_modalities, field="config.expected_modalities")
    allowed = calling.get().allowed(tuple(message.analyzers), enabled_for(host, tuple(SampleKind)))
    if allowed:
        given["analyzers"] = tuple(dict.fromkeys(allowed))
    given["session_id"] = message.session_id or uuid.uuid4().hex
    try:
        config = SessionConfig.from_settings(settings, **given)
    except ValueError as error:
        named = next((f"config.{name}" for name in given if str(error).startswith(name)), "config")
        raise InvalidFieldError(named, str(error)) from error
    longest = max(settings.limits.idle_seconds, settings.session.idle_timeout_seconds)
    if config.idle_timeout_seconds > longest:
        raise InvalidFieldError(
            "config.idle_timeout_seconds",
            f"at most {longest:g} on this server, got {config.idle_timeout_seconds:g}",
        )
    return config


def check_modalities(host: PluginHost, names: Iterable[str], *, field: str) -> None:
    """Refuse the name of a modality that neither mien nor an analyzer here knows: it would be of no use.

    Raises:
        InvalidFieldError: There is no such modality.
    """
    for name in names:
        if name not in host.modalities:
            known = ", ".join(sorted(host.modalities))
            raise InvalidFieldError(f"{field}[{name!r}]", f"there is no such modality; known are: {known}")
