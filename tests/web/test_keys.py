"""Keys over HTTP and WebSocket: checked by the service, told with its reasons, and never in an address."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from web.support import CONFIG, browser, gateway, socket_to, told, web_settings

from mien.access import add_key
from mien.service.callers import caller_of, peer_of
from mien.wire.channel import FORWARDED_PEER


def as_protocol(key: str) -> str:
    return "mien.key." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


async def test_a_key_is_asked_for_and_taken_over_http_and_websocket(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key, _ = await asyncio.to_thread(add_key, path, "page")
    forged = key[:-1] + ("A" if key[-1] != "A" else "B")
    async with gateway(web_settings(server={"keys": path})) as found, browser(found) as client:
        without = await client.post("/v1/analyze", json={"text": "fine"})
        wrong = await client.post("/v1/analyze", json={"text": "fine"}, headers={"authorization": f"Bearer {forged}"})
        right = await client.post("/v1/analyze", json={"text": "fine"}, headers={"authorization": f"Bearer {key}"})
        in_address = await client.post(f"/v1/analyze?key={key}", json={"text": "fine"})
        page = await client.get("/v1/kiosk")
        async with socket_to(found, subprotocols=["mien.v1", as_protocol(forged)]) as socket:
            assert (await told(socket, "error"))["reason"] == "KEY_INVALID"
            await socket.wait_closed()
            assert socket.close_code == 4401
        async with socket_to(found, subprotocols=["mien.v1", as_protocol(key)]) as socket:
            await socket.send(json.dumps(CONFIG))
            assert (await told(socket, "started"))["sessionId"] == "one"
    assert [each.status_code for each in (without, wrong, right, in_address, page)] == [401, 401, 200, 401, 200]
    assert without.headers["www-authenticate"] == "Bearer"
    assert without.json()["error"]["reason"] == "KEY_MISSING"


async def test_a_kiosks_own_page_needs_none_where_the_gateway_has_one(tmp_path: Path) -> None:
    path, held = tmp_path / "keys.json", tmp_path / "key"
    key, _ = await asyncio.to_thread(add_key, path, "kiosk")
    held.write_text(f"{key}\n")
    chosen = web_settings(server={"keys": path}, web={"key_file": str(held)})
    async with gateway(chosen) as found, browser(found) as client:
        assert (await client.post("/v1/analyze", json={"text": "fine"})).status_code == 200


@pytest.mark.parametrize(
    ("peer", "said", "caller", "limited"),
    [
        ("unix:", "ipv4:192.0.2.7:40000", "192.0.2.7", "192.0.2.7"),
        ("unix:", "ipv6:[2001:db8::1]:40000", "2001:db8::1", "2001:db8::1"),
        ("unix:", "ipv4:127.0.0.1:40000", "ipv4:127.0.0.1:40000", ""),
        ("unix:", "somebody", "unix:", ""),
        ("ipv4:192.0.2.9:1", "ipv4:127.0.0.1:40000", "192.0.2.9", "192.0.2.9"),
    ],
)
def test_a_gateway_speaks_for_its_callers_and_nobody_else_does(peer: str, said: str, caller: str, limited: str) -> None:
    context = SimpleNamespace(peer=lambda: peer, invocation_metadata=lambda: ((FORWARDED_PEER, said),))
    assert (caller_of(context), peer_of(context)) == (caller, limited)
