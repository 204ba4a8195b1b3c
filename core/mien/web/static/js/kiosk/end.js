import { readSatisfaction } from "../sdk/wire.js";
import { Bars } from "./bars.js";
import { byId, icon, make, setText } from "./dom.js";
import { emotionName } from "./live.js";

/** Emotions in the summary. */
const SHOWN = 3;

/** The screen that asks for a rating and tells what came out. */
export class EndScreen {
  #bars = new Bars(byId("sum-emotions"));
  #settings;
  #words;
  /** @type {(rating: number) => void} */
  #rate = () => {};
  /** @type {(answer: string) => void} */
  #answer = () => {};

  /**
   * @param {import("./settings.js").KioskSettings} settings
   * @param {() => import("./strings.js").Words} words
   */
  constructor(settings, words) {
    this.#settings = settings;
    this.#words = words;
  }

  /**
   * Ask for a rating.
   * @param {(rating: number) => void} rate
   */
  ask(rate) {
    const words = this.#words();
    this.#rate = rate;
    setText(byId("end-title"), this.#settings.rating.question || words.say("end_title"));
    byId("faces").hidden = false;
    byId("answers").hidden = true;
    byId("skip").hidden = false;
    byId("faces").replaceChildren(...this.#settings.rating.faces.map((rating) => {
      const plate = make("span", { class: "plate" }, [icon(`face-${rating}`)]);
      const button = make("button", { type: "button", class: "face", "data-rating": String(rating) }, [
        plate, make("span", { class: "face-name", text: words.say(`rate_${rating}`) }),
      ]);
      button.addEventListener("click", () => this.rate(rating));
      return button;
    }));
  }

  /** Take a rating, as from a face or a key; one that is not offered is passed over. @param {number} rating */
  rate(rating) {
    if (byId("faces").hidden || !this.#settings.rating.faces.includes(rating)) return;
    this.#rate(rating);
  }

  /**
   * Ask the follow-up question.
   * @param {(answer: string) => void} answer
   */
  followUp(answer) {
    const { question, answers } = this.#settings.rating.followUp;
    this.#answer = answer;
    setText(byId("end-title"), question);
    byId("faces").hidden = true;
    byId("answers").hidden = false;
    byId("answers").replaceChildren(...answers.map((text) => {
      const button = make("button", { type: "button", class: "answer", text });
      button.addEventListener("click", () => this.#answer(text));
      return button;
    }));
    byId("end-title").focus({ preventScroll: true });
  }

  /** Ask nothing, and say why it is over. @param {string} [key] of the words */
  askNothing(key = "ended_text") {
    setText(byId("end-title"), this.#words().say(key));
    for (const id of ["faces", "answers", "skip"]) byId(id).hidden = true;
  }

  /**
   * Show what came out.
   * @param {any} satisfaction as it came
   * @param {Record<string, number>} percentages
   */
  sum(satisfaction, percentages) {
    const words = this.#words();
    const { verdict, score, interval, coverage } = readSatisfaction(satisfaction);
    const known = verdict !== "unspecified" && coverage > 0;
    const [low, high, number] = [interval.low, interval.high, score].map((value) => Math.round(value * 100));
    setText(byId("sum-score"), known ? String(number) : "–");
    setText(byId("sum-verdict"), words.say(`verdict_${known ? verdict : "unspecified"}`));
    byId("sum-verdict").dataset.verdict = known ? verdict : "unspecified";
    setText(byId("sum-interval"), known ? words.say("interval", { low, high }) : "");
    const top = Object.entries(percentages).sort((a, b) => b[1] - a[1]).slice(0, SHOWN).filter(([, value]) => value >= 1);
    this.#bars.clear();
    this.#bars.show(Object.fromEntries(top), (label) => emotionName(words, label));
  }
}
