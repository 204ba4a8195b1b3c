import { Session } from "../sdk/session.js";
import { byId, make, setText } from "./dom.js";
import { EndScreen } from "./end.js";
import { LiveScreen } from "./live.js";
import { showProblem } from "./problems.js";
import { show, translate } from "./screens.js";
import { textsFor } from "./settings.js";
import { Reader } from "./speech.js";
import { STRINGS, words } from "./strings.js";

/** A customer who is not seen for so long has left, seconds. */
const LEFT_AFTER = 10;

/** How long words of thanks stay, seconds. */
const THANKS = 6;

/** The start screen calms down after so long without a touch, seconds. */
const IDLE_AFTER = 60;

/** How long something that happened is told, seconds. */
const TOLD_FOR = 4;

/** Seconds between two attempts to reach a server that is gone. */
const RETRY_EVERY = 3;

/** What the person was told, by the shop's policy. */
const CONSENTS = /** @type {const} */ ({ none: "none", notice: "notice", required: "given" });

/** The name of the marker that carries a rating; the terminal kiosk's is the same. */
const RATED = "rated";

/** Longest name of a marker. */
const MAX_MARKER = 64;

/** Pictures that the session takes beyond those that are shown, so that it is still open when the rating comes. */
const SPARE_SNAPSHOTS = 20;

/** The page: from the start screen through a session to the rating, and back. */
export class App {
  #settings;
  #words;
  #live;
  #end;
  #reader;
  #timer = 0;
  #wasLive = false;
  /** @type {Session | null} */
  #session = null;
  /** @type {any} */
  #state = {};

  /** @param {import("./settings.js").KioskSettings} settings */
  constructor(settings) {
    this.#settings = settings;
    this.#words = this.#wordsIn(settings.language === "auto" ? navigator.language.slice(0, 2) : settings.language);
    this.#live = new LiveScreen(settings, () => this.#words);
    this.#end = new EndScreen(settings, () => this.#words);
    this.#reader = new Reader(byId("read-aloud"), () => this.#words, () => this.#spoken());
    this.#listen();
    this.#offerLanguages();
    translate(this.#words);
    document.body.dataset.consent = settings.consent;
  }

  /** The words of the page, for who shows a problem. */
  get words() {
    return this.#words;
  }

  /** The first screen; what went before is over. */
  toStart() {
    this.#session?.cancel();
    this.#session = null;
    this.#enter("start");
    byId("wake").hidden = true;
    this.#later(IDLE_AFTER, () => this.#idle());
  }

  /** Leave everything, such as to another tab. */
  leave() {
    this.#session?.cancel();
    this.#session = null;
    this.#clear();
  }

  /** @param {string} kind  @param {{detail?: string, action?: string, then?: () => void}} [options] what its button does */
  problem(kind, { detail, action, then = () => this.toStart() } = {}) {
    this.leave();
    this.#reader.offer(false);
    showProblem(kind, this.#words, { detail, action });
    byId("problem-action").onclick = then;
    if (kind === "server_gone") this.#awaitServer(then);
  }

  #begin() {
    this.#live.reset();
    this.#state = {};
    this.#wasLive = false;
    this.#enter("live");
    const { consent, voice, snapshotInterval, site, maxSnapshots } = this.#settings;
    const session = new Session({
      video: /** @type {HTMLVideoElement} */ (byId("camera")),
      consent: CONSENTS[consent],
      voice, snapshotInterval, site,
      config: { maxSnapshots: maxSnapshots + SPARE_SNAPSHOTS, ...(voice ? { partials: true } : {}) },
    });
    this.#session = session;
    const mine = (/** @type {(value: any) => void} */ handle) => (/** @type {any} */ value) => {
      if (this.#session === session) handle(value);
    };
    session
      .on("state", mine((state) => this.#follow(state)))
      .on("update", mine((update) => this.#update(update)))
      .on("partial", mine((partial) => this.#live.partial(partial)))
      .on("warning", mine(() => this.#live.hint("no_microphone", { seconds: TOLD_FOR })))
      .on("restarted", mine(() => this.#live.hint("restarted", { seconds: TOLD_FOR })))
      .on("problem", mine((problem) => this.problem(problem.kind, { detail: problem.kind === "server_refused" ? problem.message : "" })))
      .on("summary", mine((summary) => this.#summed(summary)));
    session.start();
  }

  /** @param {string} state */
  #follow(state) {
    this.#wasLive ||= state === "live";
    this.#live.veil(state === "reconnecting" ? (this.#wasLive ? "reconnecting" : "connecting") : "");
    if (state === "live" && document.body.dataset.screen === "live") this.#live.hint("hint_first");
  }

  /** @param {any} update */
  #update(update) {
    this.#state = update.state ?? {};
    if (document.body.dataset.screen !== "live") return;
    this.#live.update(update, this.#session ?? undefined);
    if ((this.#state.snapshots ?? 0) >= this.#settings.maxSnapshots) this.#finish();
    else if (this.#live.secondsAlone > LEFT_AFTER) this.#state.subjectId ? this.#finish() : this.toStart();
  }

  /** Stop looking, and ask. */
  #finish() {
    if (!this.#session || document.body.dataset.screen !== "live") return;
    this.#session.pause();
    this.#end.sum(this.#state.satisfaction, this.#state.emotionPercentages ?? {});
    if (this.#settings.rating.enabled) this.#end.ask((rating) => this.#rated(rating));
    else this.#endWithoutRating();
    this.#enter("end");
    this.#stay(this.#settings.returnSeconds, () => this.#endAndThank("ended_text"));
  }

  /** @param {number} rating */
  #rated(rating) {
    this.#session?.mark(RATED, { rating });
    const { question, answers } = this.#settings.rating.followUp;
    if (!question || !answers.length) return this.#endAndThank("thanks_text");
    this.#end.followUp((answer) => {
      this.#session?.mark(`answer: ${answer}`.slice(0, MAX_MARKER));
      this.#endAndThank("thanks_text");
    });
    this.#stay(this.#settings.returnSeconds, () => this.#endAndThank("thanks_text"));
  }

  #endWithoutRating() {
    this.#end.askNothing();
    this.#session?.end();
  }

  /** @param {string} key of the words */
  #endAndThank(key) {
    this.#session?.end();
    this.#thank("thanks_title", key);
  }

  /** @param {string} title  @param {string} text */
  #thank(title, text) {
    setText(byId("thanks-title"), this.#words.say(title));
    setText(byId("thanks-text"), this.#words.say(text));
    this.#enter("thanks");
    this.#stay(Math.min(THANKS, this.#settings.returnSeconds), () => this.toStart());
  }

  /** The session has ended, by itself or because it was asked to. @param {any} summary */
  #summed(summary) {
    if (document.body.dataset.screen === "thanks") return;
    this.#end.sum(summary.overall, summary.emotionPercentages ?? {});
    this.#end.askNothing(summary.end === "SESSION_END_NEXT_CUSTOMER" ? "next_customer" : "ended_text");
    this.#enter("end");
    this.#stay(Math.min(THANKS, this.#settings.returnSeconds), () => this.toStart());
  }

  #decline() {
    this.#thank("declined_title", "declined_text");
  }

  #idle() {
    byId("wake").hidden = false;
    byId("wake").focus();
  }

  /** @param {string} screen */
  #enter(screen) {
    this.#clear();
    delete document.body.dataset.problem;
    this.#reader.offer(screen === "start");
    byId("languages").hidden = screen !== "start" || Object.keys(STRINGS).length < 2;
    show(screen);
  }

  /** @param {number} seconds  @param {() => void} then */
  #later(seconds, then) {
    this.#clear();
    this.#timer = setTimeout(then, seconds * 1000);
  }

  /** As ``#later``, and show how long it is. @param {number} seconds  @param {() => void} then */
  #stay(seconds, then) {
    this.#later(seconds, then);
    document.body.style.setProperty("--stay", `${seconds}s`);
  }

  #clear() {
    clearTimeout(this.#timer);
  }

  /** @param {() => void} then */
  async #awaitServer(then) {
    const answers = await fetch("/v1/info").then((response) => response.ok, () => false);
    if (document.body.dataset.problem !== "server_gone") return;
    if (answers) then();
    else this.#later(RETRY_EVERY, () => this.#awaitServer(then));
  }

  #listen() {
    byId("begin").addEventListener("click", () => this.#begin());
    byId("decline").addEventListener("click", () => this.#decline());
    byId("finish").addEventListener("click", () => (this.#state.subjectId ? this.#finish() : this.toStart()));
    byId("skip").addEventListener("click", () => this.#endAndThank("ended_text"));
    byId("wake").addEventListener("click", () => this.toStart());
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => this.#touched());
    document.addEventListener("keydown", (event) => this.#key(event.key));
  }

  #touched() {
    if (document.body.dataset.screen === "start" && byId("wake").hidden) this.#later(IDLE_AFTER, () => this.#idle());
  }

  /** @param {string} key */
  #key(key) {
    const screen = document.body.dataset.screen;
    if (screen === "end" && /^[1-5]$/.test(key)) this.#end.rate(Number(key));
    if (key !== "Escape") return;
    if (screen === "live") byId("finish").click();
    if (screen === "end") byId("skip").click();
  }

  #offerLanguages() {
    byId("languages").replaceChildren(...Object.entries(STRINGS).map(([language, table]) => {
      const text = language.toUpperCase();
      const label = `${text} ${table.language_name}`;
      const button = make("button", { type: "button", class: "language", lang: language, "aria-label": label, text });
      button.setAttribute("aria-pressed", String(language === this.#words.language));
      button.addEventListener("click", () => this.#speak(language));
      return button;
    }));
  }

  /** @param {string} language */
  #speak(language) {
    this.#reader.stop();
    this.#words = this.#wordsIn(language);
    translate(this.#words);
    this.#offerLanguages();
    /** @type {HTMLElement | null} */ (document.querySelector(`.language[lang="${language}"]`))?.focus();
  }

  /** @param {string} language */
  #wordsIn(language) {
    const variants = [...(this.#settings.consent === "required" ? ["consent"] : []), ...(this.#settings.voice ? ["voice"] : [])];
    return words(language, { variants, texts: textsFor(this.#settings.texts, language) });
  }

  #spoken() {
    const keys = ["start_title", "start_lead", "fact_not_kept", "fact_not_known", "fact_stop", "notice"];
    return keys.map((key) => this.#words.say(key)).join(" ").replaceAll(/([^.?!]) (?=\p{Lu})/gu, "$1. ");
  }
}
