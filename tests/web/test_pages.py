"""What a browser is served, and the headers that go with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from web.support import browser, gateway, web_settings

from mien import ConfigError
from mien.config import parse_settings
from mien.web.openapi import document
from mien.web.server import check_web_address

STATIC = Path(__file__).resolve().parents[2] / "core/mien/web/static"


async def test_every_answer_forbids_what_a_page_of_this_gateway_does_not_need() -> None:
    async with gateway() as found, browser(found) as client:
        for path in ("/", "/docs", "/v1/kiosk", "/static/docs.js", "/nothing", "/v1/analyze"):
            headers = (await client.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["permissions-policy"].startswith("camera=(self), microphone=(self)")
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers


async def test_pages_and_scripts_have_their_types() -> None:
    async with gateway() as found, browser(found) as client:
        types = {
            path: (await client.get(path)).headers["content-type"].partition(";")[0]
            for path in ("/", "/docs", "/static/docs.js", "/static/docs.css", "/openapi.json")
        }
    assert types == {
        "/": "text/html",
        "/docs": "text/html",
        "/static/docs.js": "text/javascript",
        "/static/docs.css": "text/css",
        "/openapi.json": "application/json",
    }


async def test_the_page_is_told_its_settings(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    kiosk = {
        "title": "Anna's",
        "logo": str(logo),
        "colours": {"accent": "#0a7"},
        "texts": {"begin": "Go", "de": {"begin": "Los"}},
        "rating": {"faces": 3, "follow_up": {"question": "Why?", "answers": ["staff", "queue"]}},
        "voice": True,
    }
    async with gateway(web_settings(web={"kiosk": kiosk})) as found, browser(found) as client:
        told = (await client.get("/v1/kiosk")).json()
        picture = await client.get(told["logo"])
    assert (told["title"], told["voice"], told["consent"]) == ("Anna's", True, "notice")
    assert told["rating"]["faces"] == [5, 3, 1]
    assert told["texts"]["de"] == {"begin": "Los"}
    assert (picture.headers["content-type"], picture.text) == ("image/svg+xml", logo.read_text())
    assert "script-src 'self'" in picture.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"kiosk": {"colours": {"accent": "url(https://evil.example)"}}}, "CSS colour"),
        ({"kiosk": {"colours": {"Accent;": "red"}}}, "expected a name"),
        ({"kiosk": {"logo": "logo.exe"}}, "a file that ends with"),
        ({"kiosk": {"rating": {"faces": 9}}}, "less than or equal to 5"),
        ({"kiosk": {"language": "../x"}}, "a language"),
        ({"kiosk": {"titel": "x"}}, "there is no such key"),
        ({"allowed_origins": ["https://shop.example/path"]}, "an origin such as"),
        ({"allowed_origins": ["*"]}, "an origin such as"),
        ({"hosts": ["https://kiosk.example"]}, "a host's name"),
        ({"certificate": "a.pem"}, "belong together"),
        ({"address": "nowhere"}, "host:port"),
    ],
)
def test_a_wrong_setting_is_told(web: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_settings({"web": web})


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080", "kiosk.example:80"])
def test_plain_http_for_other_machines_must_be_asked_for(address: str) -> None:
    with pytest.raises(ConfigError, match="plain HTTP"):
        check_web_address(parse_settings({"web": {"address": address}}).web)
    check_web_address(parse_settings({"web": {"address": address, "insecure": True}}).web)


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
async def test_no_path_leads_out_of_the_pages(path: str) -> None:
    async with gateway() as found, browser(found) as client:
        answer = await client.send(client.build_request("GET", found.url.rstrip("/") + path))
    assert answer.status_code == 404
    assert answer.json()["error"]["reason"] == "NOT_FOUND"


async def test_another_method_is_refused_in_json() -> None:
    async with gateway() as found, browser(found) as client:
        answer = await client.get("/v1/analyze")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (405, "METHOD")


def test_the_contract_refers_to_nothing_that_it_does_not_have() -> None:
    contract = document()
    names = set(contract["components"]["schemas"])
    references = set(re.findall(r"#/components/schemas/(\w+)", str(contract)))
    assert references <= names
    assert contract["components"]["schemas"]["Satisfaction"]["properties"]["score"] == {
        "type": "number",
        "format": "double",
    }


def test_no_page_asks_anybody_else_for_anything() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            text = re.sub(r"https?://(?:www\.w3\.org/|[\w.-]+\.example\b)", "", path.read_text(encoding="utf-8"))
            assert not re.search(r"""(?:src|href|import|url|fetch)[\s=('"]+(?:https?:)?//""", text), path.name
