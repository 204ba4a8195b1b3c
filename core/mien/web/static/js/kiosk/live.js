import { readFace, readSatisfaction } from "../sdk/wire.js";
import { Bars } from "./bars.js";
import { Captions } from "./captions.js";
import { byId, make, setText } from "./dom.js";
import { Gauge } from "./gauge.js";
import { Overlay } from "./overlay.js";

/** Seconds without a face before the customer is asked to look. */
const ASK_AFTER = 2;

/** Seconds between two announcements to a screen reader. */
const ANNOUNCE_EVERY = 8;

/** The screen that shows a session while it goes on. */
export class LiveScreen {
  #gauge = new Gauge();
  #bars = new Bars(byId("emotions"));
  #overlay = new Overlay();
  #captions = new Captions(byId("captions"));
  #settings;
  #words;
  #seenAt = 0;
  #announcedAt = 0;
  #verdict = "";
  #heldUntil = 0;
  #wordsShown = true;

  /**
   * @param {import("./settings.js").KioskSettings} settings
   * @param {() => import("./strings.js").Words} words
   */
  constructor(settings, words) {
    this.#settings = settings;
    this.#words = words;
    byId("toggle-words").addEventListener("click", () => this.#showWords(!this.#wordsShown));
  }

  /** Begin with an empty screen. */
  reset() {
    this.#overlay.clear();
    this.#bars.clear();
    this.#captions.clear();
    this.#seenAt = performance.now();
    this.#verdict = "";
    this.#heldUntil = 0;
    setText(byId("announce"), "");
    byId("veil").hidden = true;
    byId("streams-card").hidden = !this.#settings.voice;
    byId("streams").replaceChildren();
    byId("toggle-words").hidden = !(this.#settings.voice && this.#settings.showTranscript);
    this.#showWords(this.#settings.showTranscript);
    this.update({}, undefined);
    this.hint("hint_starting");
  }

  /**
   * Show a SessionUpdate.
   * @param {any} update
   * @param {import("../sdk/session.js").Session | undefined} session where its pictures are
   */
  update(update, session) {
    const words = this.#words();
    const state = update.state ?? {};
    const satisfaction = readSatisfaction(state.satisfaction);
    this.#gauge.show(satisfaction, words);
    this.#bars.show(state.emotionPercentages ?? {}, (label) => emotionName(words, label));
    this.#progress(state.snapshots ?? 0);
    this.#streams(satisfaction.contributions);
    byId("mismatch").hidden = !satisfaction.mismatch;
    this.#announce(satisfaction.verdict);
    for (const prediction of update.predictions ?? []) this.#captions.take(prediction);
    if (session && (update.streams ?? []).some((/** @type {any} */ stream) => stream.modality === "face")) {
      this.#faces((update.predictions ?? []).map(readFace).filter(Boolean), state.subjectId ?? "", session);
    }
  }

  /** Show words while they are spoken. @param {any} partial a SessionPartial */
  partial(partial) {
    this.#captions.take(partial.prediction);
  }

  /** Seconds since a face was seen. */
  get secondsAlone() {
    return (performance.now() - this.#seenAt) / 1000;
  }

  /**
   * Ask the customer something, or tell it; nothing, if the key is empty.
   * @param {string} key of the words
   * @param {{seconds?: number}} [options] how long it stays, whatever else there is to ask
   */
  hint(key, { seconds = 0 } = {}) {
    const now = performance.now() / 1000;
    if (now < this.#heldUntil && !seconds) return;
    this.#heldUntil = now + seconds;
    setText(byId("hint"), key ? this.#words().say(key) : "");
  }

  /** Tell that it waits for the connection; nothing, if the key is empty. @param {string} key of the words */
  veil(key) {
    byId("veil").hidden = !key;
    setText(byId("veil-text"), key ? this.#words().say(key) : "");
  }

  /**
   * @param {any[]} faces
   * @param {string} customer
   * @param {import("../sdk/session.js").Session} session
   */
  #faces(faces, customer, session) {
    const words = this.#words();
    if (faces.length) this.#seenAt = performance.now();
    this.#overlay.show(faces, faces.length ? session.snapshot(faces[0].at) : undefined, customer, (label) => emotionName(words, label));
    const own = faces.find((face) => face.subject === customer) ?? faces[0];
    if (own) this.hint(HINTS[own.issues.find((/** @type {string} */ issue) => issue in HINTS)] ?? "");
    else if (this.secondsAlone > ASK_AFTER) this.hint("hint_look");
    else if (!customer) this.hint("hint_first");
  }

  /** @param {number} snapshots */
  #progress(snapshots) {
    const all = this.#settings.maxSnapshots;
    const done = Math.min(snapshots, all);
    const bar = byId("progress");
    bar.style.setProperty("--share", String(done / all));
    bar.setAttribute("aria-valuenow", String(done));
    bar.setAttribute("aria-valuemax", String(all));
    setText(byId("progress-text"), this.#words().say("progress_text", { done, all }));
  }

  /** @param {ReturnType<typeof readSatisfaction>["contributions"]} contributions */
  #streams(contributions) {
    if (!this.#settings.voice) return;
    const words = this.#words();
    const rows = contributions.map(({ modality, weight, score }) => {
      const key = `stream_${modality}`;
      const row = make("li", { "data-modality": modality }, [
        make("span", { class: "stream-name", text: words.has(key) ? words.say(key) : modality }),
        make("span", { class: "stream-scale", "aria-hidden": "true" }, [make("span", { class: "stream-mark" })]),
        make("span", { class: "small", text: words.say("stream_share", { share: Math.round(weight * 100) }) }),
      ]);
      row.style.setProperty("--score", String(score));
      return row;
    });
    if (!rows.some((row) => row.dataset.modality !== "face")) rows.push(make("li", { class: "small", text: words.say("listening") }));
    byId("streams").replaceChildren(...rows);
  }

  /** @param {boolean} shown */
  #showWords(shown) {
    this.#wordsShown = shown;
    byId("captions").hidden = !(shown && this.#settings.voice);
    byId("toggle-words").setAttribute("aria-pressed", String(!shown));
    setText(byId("toggle-words-text"), this.#words().say(shown ? "hide_words" : "show_words"));
  }

  /** @param {string} verdict */
  #announce(verdict) {
    const now = performance.now() / 1000;
    if (verdict === this.#verdict || verdict === "unspecified" || now - this.#announcedAt < ANNOUNCE_EVERY) return;
    this.#verdict = verdict;
    this.#announcedAt = now;
    setText(byId("announce"), this.#words().say(`verdict_${verdict}`));
  }
}

/** What is asked where a face is seen badly, by the issue. @type {Record<string, string>} */
const HINTS = { small: "hint_small", dark: "hint_dark" };

/**
 * An emotion in the page's language; a plugin's own label as it is.
 * @param {import("./strings.js").Words} words
 * @param {string} label
 */
export function emotionName(words, label) {
  return words.has(`emotion_${label}`) ? words.say(`emotion_${label}`) : label;
}
