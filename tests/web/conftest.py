"""The kiosk page's tests share a Chromium with a fake camera, and a server that judges faces for real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from page.browser import Watched
    from page.serving import Served
    from playwright.sync_api import Browser

CONFIG = """
[engine]
analyzers = ["face"]

# Sessions of pages that were closed in their midst wait longer than any test, so that none is recorded in another's.
[server]
resume_seconds = 3600

[limits]
max_sessions = 200

[web]
hosts = ["kiosk.test"]
allowed_origins = ["SHOP"]

[web.kiosk]
title = "Corner Bakery"
language = "en"
snapshot_interval_seconds = 0.25
max_snapshots = 6
"""
FOREIGN_NAME = "--host-resolver-rules=MAP kiosk.test 127.0.0.1"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose camera shows a face, and whose microphone hears a complaint.

    One a module: as long as it is open, Playwright's event loop runs in this thread, and no other can.
    """
    pytest.importorskip("playwright", reason="Playwright for Python is not installed")
    pytest.importorskip("skimage", reason="scikit-image, which brings the portrait, is not installed")
    from page.browser import chromium, launched
    from page.media import write_film, write_speech

    if chromium() is None:
        pytest.skip("there is no Chromium to open the page with; on Debian: apt-get install chromium")
    folder = tmp_path_factory.mktemp("devices")
    clip = Path(__file__).resolve().parents[2] / "examples" / "media" / "complaint.flac"
    film, speech = write_film(folder / "face.mjpeg"), write_speech(folder / "speech.wav", clip)
    with launched(film, speech, FOREIGN_NAME) as found:
        yield found


@pytest.fixture(scope="session")
def shop() -> Iterator[tuple[Path, str]]:
    """An integrator's own web server: the folder of its files, and its origin, which the gateway allows."""
    with TemporaryDirectory(prefix="mien-shop-") as folder:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Path(folder), f"http://localhost:{server.server_port}"
        server.shutdown()
        server.server_close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, shop: tuple[Path, str]) -> Iterator[Served]:
    """A server with the gateway beside it."""
    from page.serving import Served

    with Served(tmp_path_factory.mktemp("served"), CONFIG.replace("SHOP", shop[1])) as found:
        yield found


Opened = Callable[..., "Watched"]


@pytest.fixture
def opened(browser: Browser, served: Served) -> Iterator[Opened]:
    """Opens pages, each in a context of its own unless told otherwise; they say nothing wrong and ask no stranger."""
    from page.browser import Watched

    watched: list[tuple[Watched, str]] = []
    with ExitStack() as contexts:

        def open_page(
            url: str,
            *,
            size: tuple[int, int] = (1280, 800),
            camera: bool = True,
            kiosk: dict[str, Any] | None = None,
            beside: Watched | None = None,
            script: str = "",
            **options: Any,
        ) -> Watched:
            if beside is None:
                viewport = {"width": size[0], "height": size[1]}
                granted = ["camera", "microphone"] if camera else []
                context = browser.new_context(viewport=viewport, permissions=granted, **options)
                contexts.callback(context.close)
            else:
                context = beside.page.context
            found = Watched(context)
            if script:
                found.page.add_init_script(script)
            if kiosk:
                found.change_settings(kiosk)
            watched.append((found, url))
            found.page.goto(url)
            return found

        yield open_page
        for found, url in watched:
            strangers = [asked for asked in found.requests if found.is_strange(asked, url, served.url)]
            assert not strangers, "a page asked another server"
            assert not found.errors, "a page wrote errors to the console"
