"""The tables ``[web]`` and ``[web.kiosk]`` of ``mien.toml``: where the gateway listens, and what its page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Words: TypeAlias = Annotated[str, Field(max_length=500)]
PageSeconds: TypeAlias = Annotated[float, Field(gt=0.0, le=3600.0)]

FACES: Final = {2: (5, 1), 3: (5, 3, 1), 4: (5, 4, 2, 1), 5: (5, 4, 3, 2, 1)}
"""Number of faces that a rating is given with -> the rating that each stands for, the happiest first."""

LOGO_TYPES: Final = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""Suffix of a logo's file -> its media type."""

_COLOUR: Final = re.compile(
    r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})|[a-zA-Z]{3,30}"
    r"|(?:rgb|rgba|hsl|hsla|oklch|oklab|lab|lch|hwb)\([0-9a-zA-Z%.,/ +-]{1,60}\)"
)
_PROPERTY: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LANGUAGE: Final = re.compile(r"auto|[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8})*")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?", re.IGNORECASE)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FollowUpSettings(_Table):
    """``[web.kiosk.rating.follow_up]``: what is asked after a rating.

    Attributes:
        question: The question; empty asks nothing.
        answers: What may be tapped, up to six; an answer becomes a marker of its name.
    """

    question: Words = ""
    answers: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=48)], ...], Field(max_length=6)] = ()


class RatingSettings(_Table):
    """``[web.kiosk.rating]``: the question at the end, which ``mien fusion fit`` and ``calibrate`` learn from.

    Attributes:
        enabled: Ask for a rating.
        question: In place of the page's own question.
        faces: How many faces there are to tap, 2 to 5; they stand for ratings from 5 down to 1.
        follow_up: What is asked afterwards.
    """

    enabled: bool = True
    question: Words = ""
    faces: Annotated[int, Field(ge=2, le=5)] = 4
    follow_up: FollowUpSettings = FollowUpSettings()


class KioskPageSettings(_Table):
    """``[web.kiosk]``: what the page shows and asks.

    Attributes:
        title: The shop's name, on the page and in its title.
        logo: A picture file (SVG, PNG, JPEG or WebP) to show in place of mien's sign.
        scheme: ``light``, ``dark``, or ``auto`` for what the machine is set to.
        colours: CSS colours by the name of a custom property of the page without its dashes, such as ``accent``.
        language: Of the words, such as ``de``; ``auto`` takes the browser's.
        texts: Words in place of the page's own, by their key; or a table of such words for each language.
        consent: ``none`` shows no notice, ``notice`` shows one before it begins, ``required`` asks for agreement.
        voice: Listen, too.
        snapshot_interval_seconds: Between two pictures.
        max_snapshots: The visit ends after so many pictures.
        rating: The question at the end.
        show_transcript: Show what was understood while it is said.
        return_seconds: How long the last screen stays before the page begins anew.
        site: A name for the place, for records and reports.
    """

    title: Annotated[str, Field(max_length=80)] = ""
    logo: Path | None = None
    scheme: Literal["auto", "light", "dark"] = "auto"
    colours: Annotated[dict[str, str], Field(max_length=40)] = Field(default_factory=dict)
    language: str = "auto"
    texts: Annotated[dict[str, Words | dict[str, Words]], Field(max_length=300)] = Field(default_factory=dict)
    consent: Literal["none", "notice", "required"] = "notice"
    voice: bool = False
    snapshot_interval_seconds: Annotated[float, Field(ge=0.1, le=60.0)] = 0.5
    max_snapshots: Annotated[int, Field(ge=1, le=100_000)] = 60
    rating: RatingSettings = RatingSettings()
    show_transcript: bool = True
    return_seconds: PageSeconds = 20.0
    site: Annotated[str, Field(max_length=128)] = ""

    @field_validator("logo")
    @classmethod
    def _picture(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix.lower() not in LOGO_TYPES:
            raise ValueError(f"expected a file that ends with one of {', '.join(LOGO_TYPES)}, got {value.name!r}")
        return value

    @field_validator("colours")
    @classmethod
    def _colours(cls, value: dict[str, str]) -> dict[str, str]:
        for name, colour in value.items():
            if not _PROPERTY.fullmatch(name):
                raise ValueError(f"expected a name such as accent or accent-text, got {name!r}")
            if not _COLOUR.fullmatch(colour):
                raise ValueError(f"expected a CSS colour such as #0a7 or rgb(0 120 90) for {name}, got {colour!r}")
        return value

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        if not _LANGUAGE.fullmatch(value):
            raise ValueError(f"expected auto or a language such as en or de-AT, got {value!r}")
        return value


class WebSettings(_Table):
    """``[web]``: the HTTP gateway, for browsers and for whoever speaks no gRPC.

    Attributes:
        address: ``host:port`` where ``mien serve --web`` and ``mien web`` listen; port 0 takes a free one. An address
            other than loopback needs TLS, or ``insecure`` said aloud. Browsers give a page that came over plain HTTP
            from another machine no camera.
        insecure: Serve plain HTTP on an address that is not loopback.
        certificate: The certificate chain for HTTPS, a PEM file.
        certificate_key: Its private key, a PEM file.
        hosts: Names under which browsers may ask for this gateway, beside this machine's names and addresses; a request
            for another name is refused, so that a foreign name that points here opens nothing.
        allowed_origins: Web pages of other origins that may call this gateway, such as ``https://shop.example``.
        target_ca: For ``mien web --target`` before a server with TLS: the certificates that are trusted, a PEM file.
        key_file: A file with the key that is presented to the server for callers on this machine who bring none, such
            as the page on a kiosk. Not behind a proxy on this machine, all of whose callers it would be lent to.
        body_seconds: How long a request's body may take to arrive.
        max_connections: Open connections; one more is refused.
        max_body_bytes_total: Bytes of requests' bodies held at once, over all callers.
        max_watchers: Watchers of sessions at once, over all sessions; a session has at most eight.
        kiosk: What the page shows and asks.
    """

    address: str = "127.0.0.1:8080"
    insecure: bool = False
    certificate: Path | None = None
    certificate_key: Path | None = None
    hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    target_ca: Path | None = None
    key_file: Path | None = None
    body_seconds: PageSeconds = 10.0
    max_connections: Annotated[int, Field(ge=1)] = 256
    max_body_bytes_total: Annotated[int, Field(ge=1)] = 128 << 20
    max_watchers: Annotated[int, Field(ge=0)] = 64
    kiosk: KioskPageSettings = KioskPageSettings()

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not separator or not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"expected host:port with a port from 0 to 65535, got {value!r}")
        return value

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST.fullmatch(name):
                raise ValueError(f"expected a host's name without scheme and port, such as kiosk.example, got {name!r}")
        return tuple(name.lower() for name in value)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"expected an origin such as https://shop.example, without a path, got {origin!r}")
        return tuple(origin.lower() for origin in value)

    @model_validator(mode="after")
    def _certificate_with_key(self) -> WebSettings:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together; one of them is missing")
        return self
