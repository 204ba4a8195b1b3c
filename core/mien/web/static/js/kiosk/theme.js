/** The shop's colours and logo, as custom properties; what is readable on the accent is worked out. */

/** @param {import("./settings.js").KioskSettings} settings */
export function applyTheme(settings) {
  const root = document.documentElement;
  if (settings.scheme !== "auto") root.dataset.scheme = settings.scheme;
  for (const [name, colour] of Object.entries(settings.colours)) {
    if (CSS.supports("color", colour)) root.style.setProperty(`--${name.replaceAll("_", "-")}`, colour);
    else console.warn(`mien: ${colour} is no CSS colour; --${name} stays as it is`);
  }
  const accent = settings.colours.accent;
  if (accent && !settings.colours.on_accent) root.style.setProperty("--on-accent", readableOn(toRgb(accent)));
  if (settings.logo) /** @type {HTMLImageElement} */ (document.getElementById("logo")).src = settings.logo;
  const brand = /** @type {HTMLElement} */ (document.getElementById("brand"));
  brand.textContent = settings.title;
  if (settings.title) document.title = settings.title;
}

/**
 * Black or white, whichever has the higher contrast (WCAG 2.2).
 * @param {number[]} rgb 0 to 255 each
 * @returns {"#000000" | "#ffffff"}
 */
export function readableOn(rgb) {
  return contrast(rgb, [255, 255, 255]) >= contrast(rgb, [0, 0, 0]) ? "#ffffff" : "#000000";
}

/**
 * The contrast ratio of WCAG 2.2, 1 to 21.
 * @param {number[]} one
 * @param {number[]} other
 */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {number[]} rgb */
function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** What a CSS colour is on a screen. @param {string} colour */
function toRgb(colour) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
