"""The pictures of the kiosk page in the documentation: ``make screenshots``.

A real browser before a real server, with the portrait that scikit-image ships before the camera and a synthetic
complaint in the microphone. Writes ``docs/images/kiosk-*.png``, half as large and with a palette.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from page.browser import Watched, launched
from page.media import write_film, write_speech
from page.serving import Served
from PIL import Image
from playwright.sync_api import Browser

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
KIOSK: Final = (1080, 1920)
PHONE: Final = (360, 740)
CONFIG: Final = """
[engine]
analyzers = ["face", "voice"]
[web.kiosk]
title = "Corner Bakery"
voice = true
consent = "required"
max_snapshots = 60
"""
SETTLED: Final = 1500
"""Milliseconds until what moves has come to rest."""


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "face.mjpeg", size=(1280, 720))
        speech = write_speech(Path(folder) / "speech.wav", ROOT / "examples" / "media" / "complaint.flac")
        with Served(Path(folder), CONFIG) as served, launched(film, speech) as browser:
            kiosk(browser, served)
            phone(browser, served)


def kiosk(browser: Browser, served: Served) -> None:
    """A screen on its stand, from the start to the rating."""
    watched = opened(browser, served, KIOSK)
    take(watched, "start")
    watched.page.click("#begin")
    watched.page.locator("#mismatch").wait_for(timeout=120_000)
    take(watched, "live")
    watched.page.click("#finish")
    watched.shows("end")
    take(watched, "end")
    watched.page.context.close()


def phone(browser: Browser, served: Served) -> None:
    """A telephone, in German."""
    watched = opened(browser, served, PHONE, locale="de-DE")
    take(watched, "phone", scale=1)
    watched.page.context.close()


def opened(browser: Browser, served: Served, size: tuple[int, int], **options: str) -> Watched:
    """The start screen, at rest."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, permissions=["camera", "microphone"], **options)
    watched = Watched(context)
    watched.page.goto(served.url)
    watched.shows("start")
    return watched


def take(watched: Watched, name: str, *, scale: float = 0.5) -> None:
    """Write a picture of what is shown, with at most 256 colours."""
    watched.page.wait_for_timeout(SETTLED)
    path = IMAGES / f"kiosk-{name}.png"
    watched.page.screenshot(path=path)
    with Image.open(path) as full:
        size = (round(full.width * scale), round(full.height * scale))
        small = full.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
