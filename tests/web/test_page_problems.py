"""What the kiosk page says where something is missing: each a screen that tells what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Opened
    from page.browser import Watched
    from page.serving import Served

FAILS = """
navigator.mediaDevices.getUserMedia = ({{ {device} }}) => {device}
  ? Promise.reject(new DOMException('not now', '{name}'))
  : {original};
"""


def start(watched: Watched) -> None:
    watched.shows("start")
    watched.page.get_by_role("button", name="Start").click()


def test_a_camera_that_is_refused_can_be_allowed_and_tried_again(opened: Opened, served: Served) -> None:
    watched = opened(served.url, camera=False)
    start(watched)
    watched.shows_problem("camera_refused")
    assert "Allow the camera" in watched.page.get_by_role("alert").inner_text()
    watched.page.context.grant_permissions(["camera"])
    watched.page.get_by_role("button", name="Try again").click()
    start(watched)
    watched.page.locator(".box").first.wait_for()


@pytest.mark.parametrize(("name", "kind"), [("NotFoundError", "camera_missing"), ("NotReadableError", "camera_busy")])
def test_a_camera_that_cannot_be_had(opened: Opened, served: Served, name: str, kind: str) -> None:
    watched = opened(served.url, script=FAILS.format(device="video", name=name, original="Promise.reject()"))
    start(watched)
    watched.shows_problem(kind)
    assert "try again" in watched.page.get_by_role("alert").inner_text()


def test_a_camera_that_is_unplugged_while_it_is_looked_through(opened: Opened, served: Served) -> None:
    watched = opened(served.url)
    start(watched)
    watched.page.locator(".box").first.wait_for()
    ended = "document.getElementById('camera').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    watched.page.evaluate(ended)
    watched.shows_problem("camera_lost")


def test_without_a_microphone_the_face_alone_counts(opened: Opened, served: Served) -> None:
    original = "MediaDevices.prototype.getUserMedia.call(navigator.mediaDevices, { video: true })"
    script = FAILS.format(device="audio", name="NotFoundError", original=original)
    watched = opened(served.url, kiosk={"voice": True}, script=script)
    start(watched)
    watched.page.get_by_text("No microphone: only the face counts").wait_for()
    watched.shows("end")


def test_a_page_that_came_over_plain_http_from_another_host(opened: Opened, served: Served) -> None:
    watched = opened(served.url.replace("localhost", "kiosk.test"))
    watched.shows_problem("insecure")
    assert "https://" in watched.page.get_by_role("alert").inner_text()
    watched.errors = [error for error in watched.errors if "untrustworthy" not in error]  # the browser says so, too


def test_one_tab_at_a_time(opened: Opened, served: Served) -> None:
    first = opened(served.url)
    first.shows("start")
    second = opened(served.url, beside=first)
    second.shows_problem("second_tab")
    second.page.get_by_role("button", name="Use it here").click()
    second.shows("start")
    first.shows_problem("second_tab")


def test_a_server_that_is_not_there_when_the_page_opens(opened: Opened, served: Served) -> None:
    watched = opened(served.url)
    watched.shows("start")
    watched.page.route("**/v1/*", lambda route: route.abort())
    watched.page.reload()
    watched.shows_problem("server_gone")
    watched.page.unroute("**/v1/*")
    watched.shows("start")  # by itself
    watched.errors = [error for error in watched.errors if "ERR_FAILED" not in error]  # the browser's own complaint


def test_a_server_that_refuses_says_why(opened: Opened, served: Served) -> None:
    watched = opened(served.url, kiosk={"site": "x" * 200})
    start(watched)
    watched.shows_problem("server_refused")
    assert "site" in watched.page.get_by_role("alert").inner_text()
