"""Requests that are wrong, each with a clear refusal; the next caller is unharmed."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from service.support import TIMEOUT
from web.support import JPEG, browser, gateway, web_settings

from mien.web.protojson import MAX_PARTS

BASE64 = base64.b64encode(JPEG).decode()
JSON = {"content-type": "application/json"}
BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "no picture": ({"content": b"hello", "headers": {"content-type": "image/png"}}, 400, "INVALID_INPUT"),
    "half a picture": ({"content": JPEG[:150], "headers": {"content-type": "image/jpeg"}}, 400, "INVALID_INPUT"),
    "nothing": ({"content": b"", "headers": {"content-type": "image/jpeg"}}, 400, "INVALID_INPUT"),
    "no type": ({"content": JPEG}, 415, "MEDIA_TYPE"),
    "another type": ({"content": b"<x/>", "headers": {"content-type": "text/xml"}}, 415, "MEDIA_TYPE"),
    "data url of a text": ({"json": {"image": "data:text/html;base64,PGI+"}}, 400, "INVALID_FIELD"),
    "data url without base64": ({"json": {"image": "data:image/png,abc"}}, 400, "INVALID_FIELD"),
    "data url that is none": ({"data": {"image": "data:image/png;base64,%%%"}}, 400, "INVALID_FIELD"),
    "empty data url": ({"data": {"image": "data:image/png;base64,"}}, 400, "INVALID_FIELD"),
    "no json": ({"content": b"{", "headers": JSON}, 400, "INVALID_INPUT"),
    "a list": ({"content": b"[1]", "headers": JSON}, 400, "INVALID_INPUT"),
    "no utf-8": ({"content": b'{"fuser": "\xff"}', "headers": JSON}, 400, "INVALID_INPUT"),
    "deep json": ({"content": b"[" * 9_000, "headers": JSON}, 400, "INVALID_INPUT"),
    "huge json": ({"content": b"[" + b"1," * (MAX_PARTS + 1), "headers": JSON}, 400, "INVALID_INPUT"),
    "unknown field": ({"json": {"picture": BASE64}}, 400, "INVALID_INPUT"),
    "not base64": ({"json": {"image": {"encoded": "!!!"}}}, 400, "INVALID_INPUT"),
    "nothing to look at": ({"json": {}}, 400, "INVALID_INPUT"),
    "wrong form field": ({"data": {"picture": BASE64}}, 400, "INVALID_FIELD"),
    "form without boundary": (
        {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data"}},
        400,
        "INVALID_INPUT",
    ),
    "wrong consent": ({"data": {"image": BASE64, "consent": "maybe"}}, 400, "INVALID_FIELD"),
    "rubbish protobuf": (
        {"content": b"\xff" * 40, "headers": {"content-type": "application/x-protobuf"}},
        400,
        "INVALID_INPUT",
    ),
    "unknown analyzer": ({"json": {"image": {"encoded": BASE64}, "analyzers": ["nobody"]}}, 404, "NOT_FOUND"),
    "key of another kind": ({"json": {}, "headers": {"authorization": "Basic YTpi"}}, 401, "KEY_INVALID"),
    "key with spaces": ({"json": {}, "headers": {"authorization": "Bearer a b"}}, 401, "KEY_INVALID"),
}


async def test_what_is_wrong_is_told_with_the_services_reasons_and_costs_nobody_else() -> None:
    async with gateway() as found, browser(found) as client:
        for name, (sent, status, reason) in BAD.items():
            answer = await client.post("/v1/analyze", **sent)
            told = answer.json()["error"]
            assert (answer.status_code, told["reason"]) == (status, reason), (name, told)
            assert told["message"], name
            assert "Traceback" not in answer.text, name
        good = await client.post("/v1/analyze", content=JPEG, headers={"content-type": "image/jpeg"})
    assert good.status_code == 200


async def test_an_upload_that_is_too_large_is_refused_told_or_not() -> None:
    chosen = web_settings(limits={"max_message_bytes": 50_000, "max_image_bytes": 40_000})
    headers = {"content-type": "image/jpeg"}
    async with gateway(chosen) as found, browser(found) as client:
        told = await client.post("/v1/analyze", content=bytes(400_000), headers=headers)
        untold = await client.post("/v1/analyze", content=_parts(bytes(1000), 400), headers=headers)
        picture = await client.post("/v1/analyze", content=bytes(45_000), headers=headers)
    for answer in (told, untold, picture):
        assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "INPUT_TOO_LARGE")


async def _parts(part: bytes, count: int) -> Any:
    for _ in range(count):
        yield part


async def test_a_body_that_does_not_come_is_given_up() -> None:
    chosen = web_settings(web={"body_seconds": 0.2})
    async with gateway(chosen) as found:
        host, _, port = found.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /v1/analyze HTTP/1.1\r\nHost: {found.address}\r\nContent-Type: image/jpeg\r\n"
            "Content-Length: 1000\r\n\r\nhalf".encode()
        )
        async with asyncio.timeout(TIMEOUT):
            answer = await reader.readuntil(b"\r\n")
        writer.close()
    assert b"408" in answer


async def test_a_callers_words_end_in_no_header() -> None:
    async with gateway() as found, browser(found) as client:
        answer = await client.post(
            "/v1/analyze?compat=a%0d%0aSet-Cookie:%20x", content=JPEG, headers={"content-type": "image/png"}
        )
        assert answer.json()["error"]["reason"] == "INVALID_FIELD"
        assert "set-cookie" not in answer.headers
        host, _, port = found.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\x00c\r\nEvil\r\n\r\n")
        async with asyncio.timeout(TIMEOUT):
            assert b"400" in await reader.readuntil(b"\r\n")
        writer.close()


async def test_consent_and_redaction_are_the_services_own() -> None:
    chosen = web_settings(privacy={"require_consent": True, "redact_transcript": True})
    secret = "my name is Ann"
    async with gateway(chosen) as found, browser(found) as client:
        without = await client.post("/v1/analyze", json={"text": secret})
        told = await client.post("/v1/analyze", json={"text": secret, "consent": "given"})
        info = (await client.get("/v1/info")).json()
    assert (without.status_code, without.json()["error"]["reason"]) == (400, "CONSENT_REQUIRED")
    assert told.status_code == 200
    assert secret not in told.text
    assert (info["consentRequired"], info["transcriptsRedacted"]) == (True, True)


async def test_a_server_that_is_gone_is_told_without_its_gateway_falling() -> None:
    from mien.web.server import Gateway

    found = Gateway(web_settings(), target="127.0.0.1:1")
    await found.start()
    try:
        async with browser(found) as client:
            answer = await client.post("/v1/analyze", json={"text": "hello"})
            page = await client.get("/v1/kiosk")
    finally:
        await found.stop()
    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "SERVER_GONE")
    assert answer.headers["retry-after"] == "1"
    assert page.status_code == 200


async def test_a_reference_s_page_gets_the_answer_it_knows() -> None:
    async with gateway() as found, browser(found) as client:
        answer = await client.post("/v1/analyze?compat=ward2018", data={"image": "data:image/jpeg;base64," + BASE64})
        other = await client.post("/v1/analyze?compat=nobody", data={"image": BASE64})
    assert set(answer.json()) == {"emotion", "confidence", "emotions"}
    assert other.status_code == 400
