"""``mien serve --web`` as a shop runs it: a process, the real face plugin, a page's session from picture to summary."""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from web.support import told
from websockets.asyncio.client import connect

PATIENCE = 150.0
"""Seconds for the networks to be compiled on a machine that is busy with other things."""


@pytest.fixture(scope="module")
def portrait() -> bytes:
    """A JPEG of a person who smiles."""
    data = pytest.importorskip("skimage.data", reason="the extra mien[demo] is not installed")
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The page's address, and the process."""
    options = ("--address", "127.0.0.1:0", "--web-address", "127.0.0.1:0", "--analyzer", "face")
    command = [sys.executable, "-c", "from mien.cli import main; main()", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            announced = process.stdout.readline()
            found = re.search(r"http://\S+?/", announced)
            assert found is not None, announced
            yield found.group(), process
        finally:
            process.kill()


async def test_a_visit_on_the_page_and_a_picture_by_hand(
    served: tuple[str, subprocess.Popen[str]], portrait: bytes
) -> None:
    url, process = served
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        page = await client.get("/")
        answer = (await client.post("/v1/analyze?compat=ward2018", files={"image": ("a.jpg", portrait)})).json()
    assert "text/html" in page.headers["content-type"]
    assert answer["emotion"] == "happy"
    encoded = base64.b64encode(portrait).decode()
    async with connect(url.replace("http", "ws") + "v1/session", proxy=None, open_timeout=PATIENCE) as socket:
        await socket.send(json.dumps({"config": {"snapshotIntervalSeconds": 0, "maxSnapshots": 5}}))
        for at in (1, 2):
            await socket.send(json.dumps({"frame": {"encoded": encoded, "capturedAtSeconds": at}}))
            state = (await told(socket, "update"))["state"]
        assert state["emotionPercentages"]["happy"] == 100.0
        process.send_signal(signal.SIGTERM)
        summary = await told(socket, "summary")
    assert (summary["snapshots"], summary["end"]) == (2, "SESSION_END_DRAINING")
    assert process.wait(PATIENCE) == 0
