"""The kiosk page in a real browser before a real server: from the start screen to a rating in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Opened
    from page.browser import Watched
    from page.serving import Served

KEEPS_ITS_SOCKET = """
const Own = WebSocket;
WebSocket = class extends Own { constructor(...a) { super(...a); window.last = this; } };
"""
KIOSK = (1080, 1920)
PHONE = (360, 740)


def recorded(served: Served, watched: Watched, known: int) -> dict[str, Any]:
    """The one session that was recorded since there were so many."""
    for _ in range(600):
        if len(found := served.summaries()) > known:
            return found[-1]
        watched.page.wait_for_timeout(50)
    raise AssertionError("no session was recorded")


def test_a_customer_is_seen_judged_and_asked_for_a_rating(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    watched = opened(served.url, size=KIOSK, kiosk={"max_snapshots": 24})  # seconds to look at what is live
    page = watched.page
    watched.shows("start")
    assert page.get_by_role("heading", level=1).inner_text() == "How was it today?"
    assert "emotion recognition" in page.locator(".start").inner_text()

    page.get_by_role("button", name="Start").click()
    page.locator(".box.is-customer").wait_for()
    assert page.get_by_role("img", name="Your face").is_visible()
    assert "satisfied" in (page.get_by_role("meter", name="Satisfaction").get_attribute("aria-valuetext") or "")
    assert page.locator("#emotions li.is-top .bar-name").inner_text() == "Happy"
    assert page.locator("#streams-card").is_hidden()

    watched.shows("end")
    assert not page.evaluate("document.getElementById('camera').srcObject"), "the camera is let go of"
    assert page.get_by_role("group", name="How satisfied are you?").get_by_role("button").count() == 4
    page.get_by_role("button", name="Quite").click()
    watched.shows("thanks")
    summary = recorded(served, watched, known)
    assert (summary["rating"], summary["end"], summary["overall"]["verdict"]) == (4, "marker", "good")
    assert [phase["name"] for phase in summary["phases"]] == ["start", "rated"]


def test_who_does_not_rate_is_counted_and_the_page_returns(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    watched = opened(served.url, size=PHONE, kiosk={"return_seconds": 1, "max_snapshots": 2})
    watched.page.get_by_role("button", name="Start").click()
    watched.shows("end")
    watched.shows("start")
    assert recorded(served, watched, known)["rating"] == 0


def test_a_follow_up_question_becomes_a_marker(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    follow_up = {"question": "What was it?", "answers": ["The wait", "The bread"]}
    rating = {"enabled": True, "question": "All well?", "faces": [5, 1], "follow_up": follow_up}
    watched = opened(served.url, kiosk={"rating": rating, "max_snapshots": 2})
    page = watched.page
    page.get_by_role("button", name="Start").click()
    page.get_by_role("group", name="All well?").get_by_role("button", name="Not at all").click()
    page.get_by_role("group", name="What was it?").get_by_role("button", name="The bread").click()
    summary = recorded(served, watched, known)
    assert summary["rating"] == 1
    assert [phase["name"] for phase in summary["phases"]][1:] == ["rated", "answer: The bread"]


def test_who_does_not_agree_is_not_looked_at(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    told = "navigator.mediaDevices.getUserMedia = () => { window.asked = true; return Promise.reject(new Error()); };"
    watched = opened(served.url, kiosk={"consent": "required"}, script=told)
    watched.page.get_by_role("button", name="I agree").wait_for()
    watched.page.get_by_role("button", name="No, thank you").click()
    watched.shows("thanks")
    assert "nothing was recorded" in watched.page.locator("#thanks-text").inner_text()
    assert not watched.page.evaluate("window.asked")
    assert not [asked for asked in watched.requests if asked.startswith("ws")]
    assert len(served.summaries()) == known


def test_a_keyboard_is_enough(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    watched = opened(served.url, kiosk={"max_snapshots": 3})
    watched.shows("start")
    press_until(watched, "begin")
    watched.page.keyboard.press("Enter")
    watched.shows("end")
    press_until(watched, "skip")  # past the faces, each of which can be reached, too
    watched.page.keyboard.press("Shift+Tab")
    watched.page.keyboard.press("Enter")
    watched.shows("thanks")
    assert recorded(served, watched, known)["rating"] == 1


def press_until(watched: Watched, wanted: str) -> None:
    """Press the tab key until an element has the focus, and see that each on the way shows that it has."""
    for _ in range(12):
        watched.page.keyboard.press("Tab")
        width, style, name = watched.page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [s.outlineWidth, s.outlineStyle, e.id]; })()"
        )
        assert (width, style) == ("3px", "solid")
        if name == wanted:
            return
    raise AssertionError(f"{wanted} cannot be reached by the tab key")


def test_a_connection_that_breaks_is_taken_up_again(opened: Opened, served: Served) -> None:
    known = len(served.summaries())
    watched = opened(served.url, kiosk={"max_snapshots": 500}, script=KEEPS_ITS_SOCKET)
    page = watched.page
    page.get_by_role("button", name="Start").click()
    page.locator(".box.is-customer").wait_for()
    progress = page.get_by_role("progressbar")
    before = int(progress.get_attribute("aria-valuenow") or 0)
    page.evaluate("window.first = last; last.close(4000)")
    while not page.evaluate("last !== first") or int(progress.get_attribute("aria-valuenow") or 0) <= before:
        page.wait_for_timeout(50)
    assert page.get_by_text("began anew").count() == 0
    page.get_by_role("button", name="Finish").click()
    page.keyboard.press("4")
    watched.shows("thanks")
    summary = recorded(served, watched, known)
    assert summary["rating"] == 4
    assert summary["snapshots"] > before, "it is the same session"
    assert len(served.summaries()) == known + 1


def test_a_server_that_is_killed_and_comes_back_is_found_again(opened: Opened, served: Served) -> None:
    watched = opened(served.url, kiosk={"max_snapshots": 500})
    page = watched.page
    page.get_by_role("button", name="Start").click()
    page.locator(".box.is-customer").wait_for()
    served.kill()
    page.locator("#veil").get_by_text("connection is lost").wait_for()
    known = len(served.summaries())
    served.start()
    page.locator("#veil").wait_for(state="hidden", timeout=90_000)
    if page.locator("#finish").is_hidden():  # the server took so long that the page gave up, said so, and returned
        page.get_by_role("button", name="Start").click()
        page.locator(".box.is-customer").wait_for()
    page.get_by_role("button", name="Finish").click()
    page.keyboard.press("5")
    watched.shows("thanks")
    assert recorded(served, watched, known)["rating"] == 5
    watched.errors = [error for error in watched.errors if "WebSocket" not in error]  # the browser's own complaint


@pytest.mark.parametrize("language", ["de-AT", "en-GB"])
def test_every_screen_fits_its_width(opened: Opened, served: Served, language: str) -> None:
    changed = {"consent": "required", "voice": True, "language": "auto"}
    watched = opened(served.url, kiosk=changed, locale=language)
    watched.shows("start")
    assert watched.page.evaluate("document.documentElement.lang") == language[:2]
    for screen in watched.screens():
        for width, height in (PHONE, KIOSK, (1280, 800), (800, 480)):
            watched.page.set_viewport_size({"width": width, "height": height})
            wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{screen} is {wide} pixels too wide for {width} x {height}"
