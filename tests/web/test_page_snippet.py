"""mien in an integrator's own page, of another origin: the example as it is, and the API by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Opened
    from page.serving import Served

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "web"
Shop = tuple[Path, str]


def test_the_example_page_follows_a_customer(opened: Opened, served: Served, shop: Shop) -> None:
    folder, origin = shop
    for path in EXAMPLE.iterdir():
        (folder / path.name).write_text(path.read_text().replace("http://localhost:8080", served.url))
    page = opened(origin).page
    page.get_by_role("button", name="I agree").click()
    page.get_by_text("VERDICT_GOOD").wait_for()
    page.locator("mien-camera .box").first.wait_for()
    page.get_by_role("button", name="That is all").click()
    page.get_by_text("In the end").wait_for()


def test_the_api_gives_what_the_contract_says(opened: Opened, served: Served, shop: Shop) -> None:
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
    html = (
        '<!doctype html><title>own</title><link rel="icon" href="data:,"><script type="module" src="own.js"></script>'
    )
    folder, origin = shop
    (folder / "own.html").write_text(html)
    (folder / "own.js").write_text(script)
    watched = opened(f"{origin}/own.html")
    while not watched.page.evaluate("window.seen?.at(-1)?.[1] === 'ended'"):
        watched.page.wait_for_timeout(50)
    seen = watched.page.evaluate("window.seen")
    assert [value for name, value in seen if name == "state"] == ["starting", "live", "ended"]
    assert next(value for name, value in seen if name == "started")["sessionId"] == "mine"
    summary = seen[-2][1]
    assert (summary["end"], summary["snapshots"]) == ("SESSION_END_MAX_SNAPSHOTS", 2)
    assert "pay" in [phase["name"] for phase in summary["phases"]], "a mark made before it was open has waited"


def test_a_page_that_is_not_listed_may_not_call(opened: Opened, served: Served, shop: Shop) -> None:
    _, origin = shop
    stranger = origin.replace("localhost", "127.0.0.1")  # the same server, and to a browser another origin
    watched = opened(f"{stranger}/")
    socket = f"new WebSocket('{served.url.replace('http', 'ws')}/v1/session', ['mien.v1'])"
    refused = (
        f"() => new Promise(done => {{ const s = {socket}; s.onerror = () => done(1); s.onopen = () => done(0) }})"
    )
    assert watched.page.evaluate(refused)
    watched.errors.clear()  # the browser's own complaint
