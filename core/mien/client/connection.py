"""What a connection needs beside an address: certificates, a key, and how gRPC is to behave."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import grpc

from mien.config import Settings, load_settings
from mien.errors import ConfigError
from mien.wire.channel import channel_options, is_loopback, service_config

KEY_VARIABLE: Final = "MIEN_KEY"
"""Environment variable with the bearer key, for ``from_config``."""

_COMPRESSIONS: Final = {
    "none": grpc.Compression.NoCompression,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates of a connection over TLS; all are PEM files.

    Attributes:
        ca: The roots that the server's certificate is checked against; None takes the system's.
        server_name: The name in its certificate, where it is reached under another; empty where it is the same.
        certificate: The client's own, where the server asks for one.
        certificate_key: Its private key.
    """

    ca: Path | str | None = None
    server_name: str = ""
    certificate: Path | str | None = None
    certificate_key: Path | str | None = None

    def read(self) -> grpc.ChannelCredentials:
        """What gRPC takes.

        Raises:
            ConfigError: A file cannot be read, or of certificate and key there is only one.
        """
        if (self.certificate is None) != (self.certificate_key is None):
            raise ConfigError("a client's certificate and its key go together: give certificate and certificate_key")
        ca, certificate, key = (
            _content(name, getattr(self, name)) for name in ("ca", "certificate", "certificate_key")
        )
        return grpc.ssl_channel_credentials(ca, key, certificate)


class Headers:
    """What is sent with every call: the key, metadata of the caller's own, and the trace that it belongs to."""

    def __init__(self, key: str, metadata: Sequence[tuple[str, str]]) -> None:
        bearer = (("authorization", f"Bearer {key}"),) if key else ()
        self._fixed = (*bearer, *metadata)

    def on_each(self, stub: Any) -> Any:
        """The calls of a stub, blocking or not, with these headers."""
        return SimpleNamespace(**{name: self._on(method) for name, method in vars(stub).items()})

    def _on(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **options: method(*arguments, metadata=(*self._fixed, *_trace()), **options)


def client_options(max_message_bytes: int, credentials: object) -> tuple[tuple[str, Any], ...]:
    """The gRPC options of every client: limits, pings, which calls are tried again, and the name that is expected."""
    name = credentials.server_name if isinstance(credentials, Tls) else ""
    expected = (("grpc.ssl_target_name_override", name),) if name else ()
    return (*channel_options(max_message_bytes), ("grpc.service_config", service_config()), *expected)


def compression_of(name: str) -> grpc.Compression:
    """GRPC's word for a compression.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in _COMPRESSIONS:
        raise ConfigError(f"compression must be one of {', '.join(_COMPRESSIONS)}, got {name!r}")
    return _COMPRESSIONS[name]


def check_key(address: str, key: str, *, is_plain: bool, insecure: bool) -> None:
    """Keep a key from being sent where others can read it.

    Raises:
        ConfigError: It is no key, or would go over a network in plain text.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("a key is one word of letters, digits, - and _; see `mien keys new`")
    if key and is_plain and not insecure and not is_loopback(address):
        raise ConfigError(
            f"the key would go to {address} in plain text, for anyone on the way to read; connect over TLS"
            " (credentials=Tls(...), or tls = true under [client]), or say insecure where the network is trusted"
        )


def configured(config: Settings | Path | str | None) -> dict[str, Any]:
    """The arguments of a client that a configuration stands for.

    Raises:
        ConfigError: It, or the file with the key, cannot be read.
    """
    settings = config if isinstance(config, Settings) else load_settings(None if config is None else Path(config))
    said = settings.client
    files = {"ca": said.ca, "certificate": said.certificate, "certificate_key": said.certificate_key}
    key = os.environ.get(KEY_VARIABLE, "")
    if not key and said.key_file is not None:
        key = (_content("key_file", said.key_file) or b"").decode("utf-8", "replace")
    return {
        "address": said.address,
        "timeout": said.timeout_seconds,
        "credentials": Tls(server_name=said.server_name, **files) if said.tls or any(files.values()) else None,
        "key": key.strip(),
        "compression": said.compression,
        "insecure": said.insecure,
    }


def _content(name: str, path: Path | str | None) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {name} = {path}: {error.strerror}") from error


def _trace() -> tuple[tuple[str, str], ...]:
    """The W3C ``traceparent`` of the span that the caller is in, where it uses OpenTelemetry."""
    if "opentelemetry.trace" not in sys.modules:
        return ()
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return tuple(carrier.items())
