"""Whoever cannot see, hear or touch well can use the kiosk page, and a shop can make it its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from conftest import Opened
    from page.serving import Served

FAULTS: Final = (Path(__file__).parent / "js" / "faults.js").read_text().partition("\n")[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_has_names_contrast_and_large_targets(opened: Opened, served: Served, scheme: str) -> None:
    rating = {"enabled": True, "question": "", "faces": [5, 4, 3, 2, 1], "follow_up": {"question": "", "answers": []}}
    changed: dict[str, Any] = {"scheme": scheme, "voice": True, "rating": rating, "max_snapshots": 500}
    watched = opened(served.url, size=(360, 740), kiosk=changed, reduced_motion="reduce")
    faults: dict[str, Any] = {}
    watched.shows("start")
    faults["start"] = watched.page.evaluate(FAULTS)
    watched.page.get_by_role("button", name="Start").click()
    watched.page.locator(".box").first.wait_for()
    faults["live"] = watched.page.evaluate(FAULTS)
    watched.page.get_by_role("button", name="Finish").click()
    watched.shows("end")
    faults["end"] = watched.page.evaluate(FAULTS)
    watched.page.keyboard.press("3")
    watched.shows("thanks")
    faults["thanks"] = watched.page.evaluate(FAULTS)
    assert not any(faults.values()), faults


def test_motion_is_left_out_for_who_wants_none(opened: Opened, served: Served) -> None:
    watched = opened(served.url, reduced_motion="reduce")
    watched.shows("start")
    while watched.page.evaluate("document.getAnimations().some(one => one.playState === 'running')"):
        watched.page.wait_for_timeout(50)


def test_the_start_screen_is_read_aloud(opened: Opened, served: Served) -> None:
    script = "window.said = []; speechSynthesis.speak = (one) => window.said.push([one.lang, one.text]);"
    watched = opened(served.url, script=script, kiosk={"language": "de"})
    watched.shows("start")
    watched.page.get_by_role("button", name="Vorlesen").click()
    ((language, text),) = watched.page.evaluate("window.said")
    assert language == "de"
    assert "Emotionserkennung" in text


def test_a_shop_has_its_own_colours_words_and_scheme(opened: Opened, served: Served) -> None:
    changed = {
        "title": "Bäckerei Eck",
        "scheme": "dark",
        "colours": {"accent": "#ffd400"},
        "texts": {"begin": "Go", "de": {"begin": "Los"}},
    }
    watched = opened(served.url, kiosk=changed)
    watched.shows("start")
    button = watched.page.get_by_role("button", name="Go")
    shown = button.evaluate("one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]")
    assert shown == ["rgb(255, 212, 0)", "rgb(0, 0, 0)"]
    assert watched.page.title() == "Bäckerei Eck"
    assert watched.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    watched.page.get_by_role("button", name="Deutsch").click()
    watched.page.get_by_role("button", name="Los").wait_for()
