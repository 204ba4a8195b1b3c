"""What the kiosk page costs: how soon it shows something, the server's processor time, the browser's memory.

    python benchmarks/page_cost.py --minutes 10

A real browser before a real server on the same machine, two pictures a second; the camera is a film of a portrait.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil
from page.browser import Watched, launched
from page.media import write_film
from page.serving import Served
from playwright.sync_api import Browser

CONFIG: Final = """
[engine]
analyzers = ["face"]
[web.kiosk]
snapshot_interval_seconds = 0.5
max_snapshots = 100000
"""
STARTS: Final = 5


def main() -> None:
    """Measure, print a table, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long the session lasts")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "face.mjpeg")
        with Served(Path(folder), CONFIG) as served, launched(film) as browser:
            starts = [first_box_seconds(browser, served) for _ in range(STARTS)]
            found = {"first_box_seconds": starts, **followed(browser, served, options.minutes * 60)}
    print(f"from Start to the first face: {statistics.median(starts):.2f} s (largest {max(starts):.2f} s)")
    print(f"server: {found['server_core_share']:.0%} of one core, browser: {found['browser_core_share']:.0%}")
    for minute, heap, resident in found["memory"]:
        print(f"  {minute:5.1f} min: heap {heap:.1f} MiB, browser's processes {resident:.0f} MiB")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def first_box_seconds(browser: Browser, served: Served) -> float:
    """From the tap on Start to the first face that is shown."""
    watched = opened(browser, served)
    began = time.perf_counter()
    watched.page.click("#begin")
    watched.page.locator(".box").first.wait_for()
    seconds = time.perf_counter() - began
    watched.page.context.close()
    return seconds


def followed(browser: Browser, served: Served, seconds: float) -> dict[str, Any]:
    """One long session."""
    watched = opened(browser, served)
    watched.page.click("#begin")
    watched.page.locator(".box").first.wait_for()
    tools = watched.page.context.new_cdp_session(watched.page)
    tools.send("Performance.enable")
    assert served.process is not None
    server, chromium = psutil.Process(served.process.pid), psutil.Process().children(recursive=True)
    others = [process for process in chromium if "chrom" in process.name()]
    before, before_browser, began = core_seconds([server]), core_seconds(others), time.monotonic()
    memory = []
    while time.monotonic() - began < seconds:
        watched.page.wait_for_timeout(min(30.0, seconds) * 1000)
        # A browser keeps pictures that it has drawn until memory is short; what is left then is what the page holds.
        tools.send("Memory.simulatePressureNotification", {"level": "critical"})
        tools.send("HeapProfiler.collectGarbage")
        watched.page.wait_for_timeout(1000)
        heap = next(
            m["value"] for m in tools.send("Performance.getMetrics")["metrics"] if m["name"] == "JSHeapUsedSize"
        )
        resident = sum(process.memory_info().rss for process in others if process.is_running())
        memory.append(((time.monotonic() - began) / 60, heap / 2**20, resident / 2**20))
    passed = time.monotonic() - began
    looks = watched.page.locator("#progress").get_attribute("aria-valuenow")
    return {
        "seconds": passed,
        "snapshots": int(looks or 0),
        "server_core_share": (core_seconds([server]) - before) / passed,
        "browser_core_share": (core_seconds(others) - before_browser) / passed,
        "memory": memory,
    }


def core_seconds(processes: list[psutil.Process]) -> float:
    """Processor time that processes have used."""
    used = [process.cpu_times() for process in processes if process.is_running()]
    return float(sum(times.user + times.system for times in used))


def opened(browser: Browser, served: Served) -> Watched:
    """The start screen."""
    watched = Watched(browser.new_context(permissions=["camera"]))
    watched.page.goto(served.url)
    watched.shows("start")
    return watched


if __name__ == "__main__":
    main()
