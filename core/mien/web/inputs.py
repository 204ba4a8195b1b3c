"""From an HTTP body, in whichever form it comes, to an ``AnalyzeRequest``. What it holds is checked by the server."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from starlette.datastructures import FormData, Headers, QueryParams, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from mien.errors import InputError
from mien.v1 import sentiment_pb2 as pb
from mien.web.protojson import from_bytes, from_values, load_json
from mien.web.statuses import refusal
from mien.wire.status import InvalidFieldError

PROTOBUF_TYPES: Final = ("application/x-protobuf", "application/protobuf")
MAX_FILES: Final = 4
MAX_FIELDS: Final = 64
_CONSENTS: Final = {
    "notice_shown": "CONSENT_NOTICE_SHOWN",
    "given": "CONSENT_GIVEN",
    "unspecified": "CONSENT_UNSPECIFIED",
}
_OPTIONS: Final = ("analyzers", "fuser", "consent", "redact_transcript")
_DATA_URL: Final = re.compile(r"data:(image|audio)/[a-z0-9.+-]+(?:;[a-z0-9-]+=[^;,]*)*;base64,", re.IGNORECASE)


async def analyze_request(headers: Headers, query: QueryParams, body: bytes) -> pb.AnalyzeRequest:
    """The request that a body stands for.

    Args:
        headers: Of the HTTP request; its media type says which form the body has.
        query: Options, for the forms that have no place for them.
        body: The whole of it.

    Raises:
        InputError: It is not what its media type says.
        RefusedError: A media type that is not taken.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in PROTOBUF_TYPES:
        return from_bytes(body, pb.AnalyzeRequest)
    if kind == "application/json":
        return _of_json(load_json(body))
    if kind == "multipart/form-data":
        return await _of_form(await _multipart(headers, body), query)
    if kind == "application/x-www-form-urlencoded":
        return await _of_form(await FormParser(headers, _once(body), max_fields=MAX_FIELDS).parse(), query)
    if kind.startswith(("image/", "audio/")):
        if not body:
            raise InputError("the body is empty; send a picture or a sound")
        return _with_options(_of_media(kind.partition("/")[0], body), query)
    raise refusal(
        "expected a body of type image/*, audio/*, multipart/form-data, application/json,"
        f" application/x-www-form-urlencoded or application/x-protobuf, got {kind or 'none'!r}",
        code="INVALID_ARGUMENT",
        reason="MEDIA_TYPE",
    )


def _of_json(values: Any) -> pb.AnalyzeRequest:
    """A request in proto's JSON form, in which a picture or sound may also be a data URL, and a text mere words."""
    if isinstance(values, dict):
        values = dict(values)
        for field in ("image", "audio"):
            if isinstance(values.get(field), str):
                values[field] = {"encoded": base64.b64encode(data_of(values[field], field=field)).decode("ascii")}
        if isinstance(values.get("text"), str):
            values["text"] = {"content": values["text"]}
        if values.get("consent") in _CONSENTS:
            values["consent"] = _CONSENTS[values["consent"]]
    return from_values(values, pb.AnalyzeRequest)


async def _of_form(form: FormData, query: QueryParams) -> pb.AnalyzeRequest:
    request = pb.AnalyzeRequest()
    try:
        for field, value in form.multi_items():
            if isinstance(value, UploadFile):
                await _take_file(request, field, value)
            elif field in ("image", "audio", "file"):
                _take(request, *_named(value, field))
            elif field == "text":
                request.text.content = value
            elif field not in _OPTIONS:
                raise InvalidFieldError(
                    field[:40], f"there is no such field; expected image, audio, text, {', '.join(_OPTIONS)}"
                )
        options = {name: form.getlist(name) for name in _OPTIONS if name in form}
        return _with_options(_with_options(request, query), options)
    finally:
        await form.close()


async def _multipart(headers: Headers, body: bytes) -> FormData:
    parser = _InMemory(headers, _once(body), max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=len(body) + 1)
    parser.spool_max_size = len(body) + 1  # so that nothing of it reaches a disk
    try:
        return await parser.parse()
    except (MultiPartException, KeyError) as error:
        said = error.message if isinstance(error, MultiPartException) else "the boundary is missing"
        raise InputError(f"the body is no multipart form: {said}") from None


class _InMemory(MultiPartParser):
    """Starlette's parser, with a size of its own at which parts go to a file."""


async def _take_file(request: pb.AnalyzeRequest, field: str, file: UploadFile) -> None:
    media = (file.content_type or "").partition("/")[0].lower()
    kind = field if field in ("image", "audio") else media if media in ("image", "audio") else "image"
    _take(request, kind, await file.read())


def _named(value: str, field: str) -> tuple[str, bytes]:
    """What a field of text holds: a data URL, which says itself what it is where the field does not."""
    found = _DATA_URL.match(value)
    kind = field if field != "file" else found.group(1).lower() if found else "image"
    return kind, data_of(value, field=field)


def data_of(url: str, *, field: str) -> bytes:
    """The bytes of a data URL in base64; bare base64 is taken, too.

    Raises:
        InvalidFieldError: It is neither.
    """
    found = _DATA_URL.match(url)
    if found is None and url[:5].lower() == "data:":
        raise InvalidFieldError(
            field, "expected a data URL such as data:image/jpeg;base64,..., of a picture or a sound"
        )
    text = url[found.end() :] if found is not None else url
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidFieldError(field, "the part after the comma is not base64") from None
    if not data:
        raise InvalidFieldError(field, "it is empty")
    return data


def _take(request: pb.AnalyzeRequest, kind: str, data: bytes) -> None:
    if kind == "audio":
        request.audio.encoded = data
    else:
        request.image.encoded = data


def _of_media(kind: str, body: bytes) -> pb.AnalyzeRequest:
    request = pb.AnalyzeRequest()
    _take(request, kind, body)
    return request


def _with_options(request: pb.AnalyzeRequest, given: Mapping[str, Any]) -> pb.AnalyzeRequest:
    """The request with options that came as text; each may be given several times, of which lists take all."""
    for name in _OPTIONS:
        values = given.getlist(name) if isinstance(given, QueryParams) else list(given.get(name, ()))
        if not values:
            continue
        if name == "analyzers":
            request.analyzers.extend(part.strip() for value in values for part in value.split(",") if part.strip())
        elif name == "fuser":
            request.fuser = values[-1]
        elif name == "consent":
            request.consent = _consent(values[-1])
        else:
            request.redact_transcript = _yes(values[-1])
    return request


def _consent(value: str) -> int:
    name = _CONSENTS.get(value.lower(), value)
    if name not in _CONSENTS.values():
        raise InvalidFieldError("consent", f"expected one of {', '.join(_CONSENTS)}, got {value[:40]!r}")
    return int(pb.Consent.Value(name))


def _yes(value: str) -> bool:
    if value.lower() not in ("true", "1", "false", "0"):
        raise InvalidFieldError("redact_transcript", f"expected true or false, got {value[:40]!r}")
    return value.lower() in ("true", "1")


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
