import { setText } from "./dom.js";

/**
 * Show one screen and hide the others; its heading takes the focus, so that a screen reader begins there.
 * @param {string} name
 */
export function show(name) {
  document.body.dataset.screen = name;
  for (const screen of document.querySelectorAll(".screen")) {
    const element = /** @type {HTMLElement} */ (screen);
    element.hidden = element.dataset.screen !== name;
    if (!element.hidden) /** @type {HTMLElement | null} */ (element.querySelector("h1"))?.focus({ preventScroll: true });
  }
  window.scrollTo(0, 0);
}

/**
 * Write the words of every element that has ``data-text`` or ``data-label``.
 * @param {import("./strings.js").Words} words
 */
export function translate(words) {
  document.documentElement.lang = words.language;
  for (const element of document.querySelectorAll("[data-text]")) {
    setText(/** @type {HTMLElement} */ (element), words.say(/** @type {HTMLElement} */ (element).dataset.text ?? ""));
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words.say(/** @type {HTMLElement} */ (element).dataset.label ?? ""));
  }
}
