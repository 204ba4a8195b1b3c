import { byId, setText } from "./dom.js";

/** The satisfaction as a half circle: where it lies, and between what it most likely lies. */
export class Gauge {
  #element = byId("gauge");

  /**
   * @param {ReturnType<typeof import("../sdk/wire.js").readSatisfaction>} satisfaction
   * @param {import("./strings.js").Words} words
   */
  show(satisfaction, words) {
    const { verdict, interval, score } = satisfaction;
    const known = verdict !== "unspecified" && satisfaction.coverage > 0;
    const verdictText = words.say(`verdict_${known ? verdict : "unspecified"}`);
    const [low, high, number] = [interval.low, interval.high, score].map((value) => Math.round(value * 100));
    this.#element.dataset.verdict = known ? verdict : "unspecified";
    this.#element.style.setProperty("--score", String(known ? score : 0.5));
    this.#element.style.setProperty("--low", String(known ? interval.low : 0.5));
    this.#element.style.setProperty("--high", String(known ? interval.high : 0.5));
    this.#element.setAttribute("aria-valuenow", String(known ? number : 50));
    this.#element.setAttribute("aria-valuetext", known ? words.say("score_text", { score: number, verdict: verdictText }) : verdictText);
    setText(byId("score"), known ? String(number) : "–");
    setText(byId("verdict"), verdictText);
    byId("verdict").dataset.verdict = this.#element.dataset.verdict ?? "";
    setText(byId("interval"), known ? words.say("interval", { low, high }) : "");
  }
}
