/** Small helpers for a page whose structure stands in index.html. */

/**
 * The element of an id, which the page is known to have.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element;
}

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes] ``text`` is what it says
 * @param {Node[]} [children]
 * @returns {HTMLElement}
 */
export function make(name, { text = "", ...attributes } = {}, children = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

/**
 * One of icons.svg.
 * @param {string} name
 */
export function icon(name) {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Say something only where it is new, so that a screen reader is not told twice. @param {HTMLElement} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
