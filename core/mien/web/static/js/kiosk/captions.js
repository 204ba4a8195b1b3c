import { make } from "./dom.js";

/** Utterances that are shown at once. */
const SHOWN = 2;

/** Utterances whose final words may still come. */
const KEPT = 16;

/** What is said, as captions under the picture: provisional words dimmed until the final ones replace them. */
export class Captions {
  #element;
  /** @type {Map<string, {text: string, isFinal: boolean, revision: number}>} */
  #utterances = new Map();

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  clear() {
    this.#utterances.clear();
    this.#element.replaceChildren();
  }

  /** @param {any} prediction with a transcript; others are passed over */
  take(prediction) {
    const transcript = prediction?.transcript;
    if (!transcript) return;
    const key = `${prediction.analyzer}@${(prediction.interval?.startSeconds ?? 0).toFixed(2)}`;
    const revision = transcript.revision ?? 0;
    if (revision < (this.#utterances.get(key)?.revision ?? 0)) return;
    if (transcript.text) this.#utterances.set(key, { text: transcript.text, isFinal: transcript.isFinal ?? true, revision });
    else this.#utterances.delete(key);
    for (const old of [...this.#utterances.keys()].slice(0, -KEPT)) this.#utterances.delete(old);
    const shown = [...this.#utterances.values()].slice(-SHOWN);
    this.#element.replaceChildren(...shown.map(({ text, isFinal }) => make("p", { text, class: isFinal ? "said" : "said is-partial" })));
  }
}
