import { placed } from "./sdk/geometry.js";
import { Session } from "./sdk/session.js";
import { readFace, readSatisfaction, topOf } from "./sdk/wire.js";

/** Events of a session that the element passes on, with ``mien-`` before their names. */
const PASSED = ["started", "update", "partial", "notice", "summary", "state", "restarted", "warning", "problem"];

const STYLE = `
  :host { display: block; position: relative; aspect-ratio: 4 / 3; overflow: hidden; border-radius: var(--mien-radius, 16px);
    background: #0b0e13; color: #fff; font: 600 14px/1.4 var(--mien-font, system-ui, sans-serif); }
  :host([hidden]) { display: none; }
  video { width: 100%; height: 100%; object-fit: cover; display: block; transform: scaleX(-1); }
  .box { position: absolute; left: 0; top: 0; border: 2px solid #fff; border-radius: 12px; box-sizing: border-box;
    transition: transform .4s, width .4s, height .4s; }
  .score { position: absolute; left: 12px; bottom: 12px; display: flex; gap: 8px; align-items: center; padding: 6px 12px;
    border-radius: 999px; background: rgb(11 14 19 / 72%); }
  .score::before { content: ""; width: 10px; height: 10px; border-radius: 50%; background: #8b95a6; }
  .score[data-verdict="good"]::before { background: #56c98a; }
  .score[data-verdict="poor"]::before { background: #ff8a80; }
  [hidden] { display: none; }
  @media (prefers-reduced-motion: reduce) { .box { transition: none; } }
`;

/**
 * ``<mien-camera>``: a camera's picture with the faces that were found, and the score.
 *
 * Attributes: ``server``, ``consent`` ("none", "notice", "given"), ``voice``, ``site``, ``snapshot-interval`` (seconds),
 * ``max-snapshots``, ``autostart``. Properties: ``options`` (further SessionOptions), ``session``. Events: those of a
 * Session, as ``mien-update`` and so on, with the message in ``detail``. Parts to style: ``video``, ``box``, ``score``.
 */
export class MienCamera extends HTMLElement {
  /** @type {Session | null} */
  session = null;

  /** @type {import("./sdk/session.js").SessionOptions} */
  options = {};

  #video = document.createElement("video");
  #score = document.createElement("div");
  #layer = document.createElement("div");

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    this.#video.setAttribute("part", "video");
    this.#video.setAttribute("aria-label", "Camera picture");
    this.#layer.setAttribute("aria-hidden", "true");
    this.#score.className = "score";
    this.#score.setAttribute("part", "score");
    this.#score.setAttribute("role", "status");
    this.#score.hidden = true;
    root.append(this.#video, this.#layer, this.#score);
  }

  connectedCallback() {
    if (this.hasAttribute("autostart")) this.start();
  }

  disconnectedCallback() {
    this.stop();
  }

  /**
   * Begin a session; one that goes on ends first.
   * @returns {Promise<boolean>} whether it has begun
   */
  start() {
    this.stop();
    const session = new Session({ ...this.#attributes(), ...this.options, video: this.#video });
    this.session = session;
    for (const name of PASSED) {
      session.on(name, (detail) => {
        if (this.session === session) this.dispatchEvent(new CustomEvent(`mien-${name}`, { detail, bubbles: true, composed: true }));
      });
    }
    session.on("update", (update) => this.#show(update, session));
    session.on("state", (state) => {
      if (state === "ended") this.#layer.replaceChildren();
    });
    return session.start();
  }

  /** Stop at once, without a summary. */
  stop() {
    this.session?.cancel();
    this.session = null;
    this.#layer.replaceChildren();
    this.#score.hidden = true;
  }

  /** Ask for the summary, which comes as ``mien-summary``. */
  end() {
    this.session?.end();
  }

  #attributes() {
    const number = (/** @type {string} */ name) => Number(this.getAttribute(name)) || undefined;
    const [interval, most] = [number("snapshot-interval"), number("max-snapshots")];
    return {
      server: this.getAttribute("server") ?? "",
      consent: /** @type {"none"} */ (this.getAttribute("consent") ?? "none"),
      voice: this.hasAttribute("voice"),
      site: this.getAttribute("site") ?? "",
      ...(interval ? { snapshotInterval: interval } : {}),
      ...(most ? { config: { maxSnapshots: most } } : {}),
    };
  }

  /** @param {any} update  @param {Session} session */
  #show(update, session) {
    const { score, verdict, coverage } = readSatisfaction(update.state?.satisfaction);
    this.#score.hidden = coverage === 0;
    this.#score.dataset.verdict = verdict;
    const emotion = topOf(update.state?.emotionPercentages ?? {});
    this.#score.textContent = `${Math.round(score * 100)}${emotion ? ` · ${emotion}` : ""}`;
    if (!(update.streams ?? []).some((/** @type {any} */ stream) => stream.modality === "face")) return;
    const faces = (update.predictions ?? []).map(readFace).filter(Boolean);
    const snapshot = faces.length ? session.snapshot(faces[0].at) : undefined;
    this.#layer.replaceChildren(...(snapshot ? faces : []).map((/** @type {any} */ face) => this.#box(face.box, snapshot)));
  }

  /** @param {{x: number, y: number, width: number, height: number}} box  @param {any} picture */
  #box(box, picture) {
    const place = placed(box, picture, this.clientWidth, this.clientHeight);
    const element = document.createElement("div");
    element.className = "box";
    element.setAttribute("part", "box");
    element.style.transform = `translate(${place.x}px, ${place.y}px)`;
    element.style.width = `${place.width}px`;
    element.style.height = `${place.height}px`;
    return element;
  }
}
