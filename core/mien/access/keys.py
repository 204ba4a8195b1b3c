"""A bearer key: how it is spelled, what of it is kept, and what it allows."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

CALLS: Final = ("Analyze", "AnalyzeStream", "StreamSession", "GetServerInfo")
"""The calls that a key can be limited to."""

ID_BYTES: Final = 5
"""Random bytes in a key's id, which is no secret: it finds the entry, so that one hash is tried and not all."""

SECRET_BYTES: Final = 32
"""Random bytes in a key's secret."""

MAX_TOKEN_CHARACTERS: Final = 128
"""A key that somebody presents is not looked at where it is longer."""

_TOKEN: Final = re.compile(rf"mien_([0-9a-f]{{{2 * ID_BYTES}}})_[A-Za-z0-9_-]{{20,}}")


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeyScopes(_Kept):
    """What a key is good for.

    Attributes:
        calls: Names of calls; empty allows all.
        analyzers: Names of analyzers; empty allows all. A request that names none is given those of them that it can.
    """

    calls: tuple[str, ...] = ()
    analyzers: tuple[str, ...] = ()

    @field_validator("calls")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(value) - set(CALLS))
        if unknown:
            raise ValueError(f"there is no call {', '.join(unknown)}; known are: {', '.join(CALLS)}")
        return value


class KeyLimits(_Kept):
    """How much a key may use; None sets no limit. A minute's share may be used at once.

    Attributes:
        calls_per_minute: Calls, and items of an ``AnalyzeStream``.
        sessions: Sessions and streams that are open at once.
        bytes_per_minute: Of messages received.
    """

    calls_per_minute: Annotated[int, Field(ge=1)] | None = None
    sessions: Annotated[int, Field(ge=1)] | None = None
    bytes_per_minute: Annotated[int, Field(ge=1)] | None = None


class Key(_Kept):
    """What is kept of a key: never the key.

    Attributes:
        id: Part of the key; no secret.
        name: Whose it is, as the operator calls it.
        hash: Of the whole key, by argon2id, with salt and parameters in it.
        scopes: What it allows.
        limits: How much.
        created_at: Wall-clock time, UTC.
        expires_at: From then on it counts no more; None for never.
        revoked_at: Since then it counts no more; None where it does.
    """

    id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * ID_BYTES}}}$")]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    hash: Annotated[str, Field(pattern=r"^\$argon2id\$")]
    scopes: KeyScopes = KeyScopes()
    limits: KeyLimits = KeyLimits()
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @field_validator("created_at", "expires_at", "revoked_at")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time needs a zone, such as 2026-01-31T12:00:00Z")
        return value

    @property
    def state(self) -> str:
        """``active``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= datetime.now(UTC) else "active"


def new_token() -> tuple[str, str]:
    """A new key, and its id."""
    key_id = secrets.token_hex(ID_BYTES)
    return f"mien_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}", key_id


def id_of(token: str) -> str | None:
    """The id in a key that somebody presents; None where it is not spelled as a key is."""
    match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_CHARACTERS else None
    return None if match is None else match[1]
