"""Chromium with a fake camera and microphone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """A Chromium's path, where one is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(film: Path, speech: Path | None = None, *options: str) -> Iterator[Browser]:
    """A Chromium whose camera plays a film, and whose microphone plays speech.

    Permission for them is a context's: see ``opened``.

    Raises:
        RuntimeError: There is no Chromium.
    """
    path = chromium()
    if path is None:
        raise RuntimeError("there is no Chromium; on Debian: apt-get install chromium")
    devices = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    if speech is not None:
        devices.append(f"--use-file-for-fake-audio-capture={speech}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *devices, *options])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, with what it said to the console and whom it asked for something."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda found: self.requests.append(found.url))

    def shows(self, screen: str, *, seconds: float = 60.0) -> None:
        """Wait until a screen is shown."""
        self.page.wait_for_selector(f"body[data-screen={screen}]", timeout=seconds * 1000)

    def shows_problem(self, kind: str, *, seconds: float = 60.0) -> None:
        """Wait until a problem is told."""
        self.page.wait_for_selector(f"body[data-problem={kind}]", timeout=seconds * 1000)

    def change_settings(self, changed: dict[str, Any]) -> None:
        """Have the page told other settings than the server's."""

        def answer(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, json={**response.json(), **changed})

        self.page.route("**/v1/kiosk", answer)

    @staticmethod
    def is_strange(asked: str, *known: str) -> bool:
        """Whether what was asked is another server than those of these addresses."""
        parts = urlsplit(asked)
        return parts.scheme not in ("blob", "data") and parts.netloc not in {urlsplit(url).netloc for url in known}

    def screens(self) -> Iterator[str]:
        """Show each screen as it stands, one after the other, for a look at it; the page is of no use afterwards."""
        names = self.page.evaluate("[...document.querySelectorAll('.screen')].map(screen => screen.dataset.screen)")
        for name in names:
            self.page.evaluate(
                "name => import('/static/js/kiosk/screens.js').then(({ show }) => show(name))",
                name,
            )
            yield name
