"""``[plugins.wyoming]``: the plugin's own table of the configuration."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class WyomingSettings(BaseModel):
    """What can be set.

    Attributes:
        host: Where the server listens. Sound is sent there in plain text, so keep to this machine or a network that
            you trust.
        port: Its port.
        uri: In the place of both: ``tcp://host:port`` or ``unix:///path/to/socket``.
        model: Name of one of the server's models; empty takes its own choice.
        language: BCP 47 tag to recognise; empty takes the server's own choice.
        timeout_seconds: How long the server may take to connect, and to answer once it has heard everything.
        confidence: What its transcripts count for, as Wyoming servers do not tell how sure they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 10_300
    uri: str = ""
    model: str = ""
    language: str = ""
    timeout_seconds: Annotated[float, Field(gt=0.0, le=60.0)] = 8.0
    confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.8

    @field_validator("uri")
    @classmethod
    def _tcp_or_unix(cls, uri: str) -> str:
        if not uri:
            return uri
        parts = urlsplit(uri)
        if parts.scheme == "unix" and parts.path:
            return uri
        try:
            is_tcp = parts.scheme == "tcp" and bool(parts.hostname) and parts.port is not None
        except ValueError:  # a port that is none
            is_tcp = False
        if not is_tcp:
            raise ValueError("expected tcp://host:port or unix:///path/to/socket")
        return uri

    @property
    def address(self) -> tuple[str, int] | str:
        """Host and port, or the path of a socket."""
        parts = urlsplit(self.uri)
        if parts.scheme == "unix":
            return parts.path
        return (parts.hostname or self.host, parts.port or self.port)

    @property
    def name(self) -> str:
        """The address for a person."""
        if self.uri:
            return self.uri
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether sound stays on this machine."""
        return isinstance(self.address, str) or self.address[0] in LOOPBACK
