"""Whoever cannot see, hear or touch well can use the kiosk page: names, contrast, sizes, motion; and a shop's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from conftest import Opened
    from page.serving import Served

FAULTS: Final = """
async () => {
  const { contrast } = await import('/static/js/kiosk/theme.js');
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce(
      (below, [r, g, b, a]) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a)), [255, 255, 255]);
  };
  const seen = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const faults = [];
  for (const one of seen) {
    const said = one.innerText?.trim() || one.getAttribute('aria-label') || '';
    if (one.matches('button, a, [role=meter], [role=progressbar], [role=img]') && !said) faults.push(['no name', one.outerHTML]);
    if (one.matches('img') && !one.hasAttribute('alt')) faults.push(['no alt', one.outerHTML]);
    if (one.matches('button') && !one.matches('.wake')) {
      const { width, height } = one.getBoundingClientRect();
      if (Math.min(width, height) < 44) faults.push(['small target', `${one.innerText} ${width} x ${height}`]);
    }
    const own = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || one.closest('.stage, .unseen, .veil, noscript')) continue;
    const style = getComputedStyle(one);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(rgba(style.color).slice(0, 3), ground(one));
    if (ratio < (large ? 3 : 4.5)) faults.push(['contrast', `${ratio.toFixed(2)} of ${one.innerText}`]);
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push(['an id twice', String(ids)]);
  for (const one of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(one.getAttribute('aria-labelledby'))) faults.push(['label missing', one.outerHTML]);
  if (!document.documentElement.lang || !document.title) faults.push(['no language or title', '']);
  return faults;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_has_names_contrast_and_large_targets(opened: Opened, served: Served, scheme: str) -> None:
    rating = {"enabled": True, "question": "", "faces": [5, 4, 3, 2, 1], "follow_up": {"question": "", "answers": []}}
    changed: dict[str, Any] = {"scheme": scheme, "voice": True, "rating": rating, "max_snapshots": 4}
    watched = opened(served.url, size=(360, 740), kiosk=changed, reduced_motion="reduce")
    faults: dict[str, Any] = {}
    watched.shows("start")
    faults["start"] = watched.page.evaluate(FAULTS)
    watched.page.get_by_role("button", name="Start").click()
    watched.page.locator(".box").first.wait_for()
    faults["live"] = watched.page.evaluate(FAULTS)
    watched.shows("end")
    faults["end"] = watched.page.evaluate(FAULTS)
    watched.page.keyboard.press("3")
    watched.shows("thanks")
    faults["thanks"] = watched.page.evaluate(FAULTS)
    assert not any(faults.values()), faults


def test_motion_is_left_out_for_who_wants_none(opened: Opened, served: Served) -> None:
    watched = opened(served.url, reduced_motion="reduce")
    watched.shows("start")
    running = "document.getAnimations().filter(one => one.playState === 'running').length"
    watched.page.wait_for_function(f"{running} === 0")


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
