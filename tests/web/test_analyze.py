"""``POST /v1/analyze``: the forms in which a moment may come, and the answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from web.support import JPEG, browser, gateway

from mien.v1 import sentiment_pb2 as pb

DATA_URL = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
FORMS: dict[str, dict[str, Any]] = {
    "raw": {"content": JPEG, "headers": {"content-type": "image/jpeg"}},
    "multipart": {"files": {"image": ("a.jpg", JPEG, "image/jpeg")}},
    "multipart, any name": {"files": {"upload": ("a.jpg", JPEG, "image/jpeg")}},
    "form": {"data": {"image": DATA_URL}},
    "json, data url": {"json": {"image": DATA_URL}},
    "json, base64": {"json": {"image": {"encoded": base64.b64encode(JPEG).decode()}}},
    "protobuf": {
        "content": pb.AnalyzeRequest(image=pb.Image(encoded=JPEG)).SerializeToString(),
        "headers": {"content-type": "application/x-protobuf"},
    },
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_picture_is_taken_in_every_form(form: str) -> None:
    async with gateway() as found, browser(found) as client:
        answer = await client.post("/v1/analyze", **FORMS[form])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["imageWidth"], told["imageHeight"]) == (32, 24)
    assert told["satisfaction"]["verdict"].startswith("VERDICT_")
    assert [each["analyzer"] for each in told["streams"]] == ["face"]
