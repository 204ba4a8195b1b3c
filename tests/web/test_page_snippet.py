"""mien in an integrator's own page, of another origin: the example as it is, and the API by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Opened
    from page.browser import Watched
    from page.serving import Served
    from playwright.sync_api import Route

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "web"
ORIGIN = "http://shop.localhost"


def own_page(opened: Opened, served: Served, **files: str) -> Watched:
    """A page of another origin, made of these files."""
    watched = opened(f"{served.url}/v1/info")  # a page of no moment, so that routes can be laid before the real one

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(f"{ORIGIN}/") or "index.html"
        kind = {"html": "text/html", "css": "text/css", "js": "text/javascript"}[name.rpartition(".")[2]]
        route.fulfill(body=files[name], content_type=kind)

    watched.page.context.grant_permissions(["camera", "microphone"], origin=ORIGIN)
    watched.page.route(f"{ORIGIN}/**", answer)
    watched.page.goto(f"{ORIGIN}/")
    strange = [asked for asked in watched.requests if not asked.startswith((ORIGIN, served.url, "data:", "ws:"))]
    assert not strange
    return watched


def test_the_example_page_follows_a_customer(opened: Opened, served: Served) -> None:
    files = {path.name: path.read_text().replace("http://localhost:8080", served.url) for path in EXAMPLE.iterdir()}
    watched = own_page(opened, served, **files)
    page = watched.page
    page.get_by_role("button", name="I agree").click()
    page.get_by_text("VERDICT_GOOD").wait_for()
    page.locator("mien-camera .box").first.wait_for()
    page.get_by_role("button", name="That is all").click()
    page.get_by_text("In the end").wait_for()
    watched.requests.clear()


def test_the_api_gives_what_the_contract_says(opened: Opened, served: Served) -> None:
    script = f"""
    import {{ mien }} from "{served.url}/mien.js";
    window.seen = [];
    const session = mien.session({{ server: "{served.url}", consent: "given", snapshotInterval: 0.2,
                                    config: {{ maxSnapshots: 2, sessionId: "mine" }} }});
    for (const name of ["started", "update", "summary", "state", "problem"])
      session.on(name, (value) => window.seen.push([name, value]));
    session.mark("pay");
    await session.start();
    """
    html = '<!doctype html><title>own</title><link rel="icon" href="data:,"><script type="module" src="own.js"></script>'
    watched = own_page(opened, served, **{"index.html": html, "own.js": script})
    watched.page.wait_for_function("window.seen?.some(([name]) => name === 'summary')")
    seen = watched.page.evaluate("window.seen")
    assert [value for name, value in seen if name == "state"] == ["starting", "live", "ended"]
    assert next(value for name, value in seen if name == "started")["sessionId"] == "mine"
    summary = seen[-2][1]
    assert (summary["end"], summary["snapshots"]) == ("SESSION_END_MAX_SNAPSHOTS", 2)
    assert "pay" in [phase["name"] for phase in summary["phases"]], "a mark made before it was open has waited"
    watched.requests.clear()


def test_a_page_that_is_not_listed_may_not_call(opened: Opened, served: Served) -> None:
    watched = opened(f"{served.url}/v1/info")
    watched.page.route("http://other.localhost/", lambda route: route.fulfill(body="", content_type="text/html"))
    watched.page.goto("http://other.localhost/")
    socket = f"new WebSocket('{served.url.replace('http', 'ws')}/v1/session', ['mien.v1'])"
    refused = f"() => new Promise(done => {{ const s = {socket}; s.onerror = () => done(true); s.onopen = () => done(false) }})"
    assert watched.page.evaluate(refused)
    watched.requests.clear()
    watched.errors.clear()
