"""Whose pages may call: names, origins, and what a foreign one is told."""

from __future__ import annotations

import json

import pytest
from web.support import JPEG, browser, gateway, socket_to, web_settings
from websockets.exceptions import InvalidStatus

SHOP = "https://shop.example"


async def test_a_foreign_page_is_refused_and_a_listed_one_is_not() -> None:
    async with gateway(web_settings(web={"allowed_origins": [SHOP]})) as found, browser(found) as client:
        sent = {"content": JPEG, "headers": {"content-type": "image/jpeg", "origin": "https://evil.example"}}
        foreign = await client.post("/v1/analyze", **sent)  # type: ignore[arg-type]
        sent["headers"] = {"content-type": "image/jpeg", "origin": SHOP}
        listed = await client.post("/v1/analyze", **sent)  # type: ignore[arg-type]
        asked = await client.options("/v1/analyze", headers={"origin": SHOP, "access-control-request-method": "POST"})
    assert (foreign.status_code, foreign.json()["error"]["reason"]) == (403, "FOREIGN_ORIGIN")
    assert "access-control-allow-origin" not in foreign.headers
    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (200, SHOP)
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://[", "file://"])
async def test_a_socket_of_a_foreign_page_is_refused_before_it_opens(origin: str) -> None:
    async with gateway() as found:
        with pytest.raises(InvalidStatus) as caught:
            async with socket_to(found, additional_headers={"origin": origin}):
                pass
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body)["error"]["reason"] == "FOREIGN_ORIGIN"


async def test_a_socket_of_this_gateways_own_page_opens() -> None:
    async with gateway() as found, socket_to(found, additional_headers={"origin": found.url.rstrip("/")}):
        pass


@pytest.mark.parametrize(("host", "status"), [("evil.example", 421), ("localhost", 200), ("kiosk.example:80", 200)])
async def test_only_known_names_are_served(host: str, status: int) -> None:
    chosen = web_settings(web={"hosts": ["kiosk.example"]})
    async with gateway(chosen) as found, browser(found, host=host) as client:
        answer = await client.get("/v1/kiosk")
    assert answer.status_code == status
