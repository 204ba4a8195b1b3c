import { closeStream, openCamera, watchCamera } from "./camera.js";
import { Channel } from "./channel.js";
import { Emitter } from "./emitter.js";
import { Microphone, SAMPLE_RATE } from "./microphone.js";
import { Snapshots } from "./snapshots.js";
import { CONSENT, audioMessage, frameMessage, markerMessage } from "./wire.js";

/** Pictures that were sent and not answered yet; of more, the server would drop the older ones. */
const MAX_UNANSWERED = 3;

/** An answer that has not come after so long never will, seconds: the picture was dropped. */
const ANSWER_TIMEOUT = 3;

/**
 * @typedef {object} SessionOptions
 * @property {string} [server] the gateway's address, such as "https://kiosk.example"; empty takes where this file is from
 * @property {string} [key] what the server knows its caller by; whoever can read the page can read it
 * @property {HTMLVideoElement} [video] shows the camera; one that is not shown is made if there is none
 * @property {MediaStream} [stream] pictures of the page's own in place of the camera
 * @property {boolean} [voice] listen, too
 * @property {"none" | "notice" | "given"} [consent] what the person was told
 * @property {number} [snapshotInterval] seconds between two pictures
 * @property {string} [site] a name for the place, for reports
 * @property {string} [camera] a deviceId; empty takes the system's default
 * @property {string} [microphone] a deviceId; empty takes the system's default
 * @property {number} [patience] seconds of trying to connect before it is given up
 * @property {Record<string, unknown>} [config] further fields of a SessionConfig, such as maxSnapshots
 */

/**
 * One customer interaction: a camera, a microphone where asked for, and the service that judges what they give.
 *
 * Events, with the messages of the wire contract as JSON: ``started``, ``update``, ``partial``, ``notice``, ``summary``.
 * Of its own: ``state`` ("starting", "live", "reconnecting", "ended"), ``restarted`` (the server had lost the session; it
 * begins anew), ``warning`` (a Problem with which it goes on, such as no microphone), ``problem`` (one that ended it).
 */
export class Session extends Emitter {
  #options;
  #epoch = performance.now();
  /** @type {Channel} */
  #channel;
  /** @type {MediaStream | null} */
  #own = null;
  #microphone = new Microphone();
  /** @type {Snapshots | null} */
  #snapshots = null;
  #unwatch = () => {};
  #unanswered = 0;
  #sentAt = 0;
  /** @type {object[]} */
  #markers = []; // that wait for the connection to be back
  #state = "new";

  /** @param {SessionOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = { voice: false, consent: /** @type {"none"} */ ("none"), snapshotInterval: 0.5, patience: 30, ...options };
    this.video = options.video ?? document.createElement("video");
    const config = () => this.#config();
    const { server, key, patience } = this.#options;
    this.#channel = new Channel({ url: socketUrl(server), config, key, patience: patience * 1000 });
    this.#channel.on("response", (response) => this.#take(response));
    this.#channel.on("restarted", () => this.emit("restarted"));
    this.#channel.on("failed", (problem) => this.#fail(problem));
    this.#channel.on("state", (state) => this.#follow(state));
  }

  /** Where it stands: "new", "starting", "live", "reconnecting" or "ended". */
  get state() {
    return this.#state;
  }

  /** Seconds on the session's clock. */
  now() {
    return (performance.now() - this.#epoch) / 1000;
  }

  /**
   * Open the camera and the connection. A problem is told as an event, and by the promise's value.
   * @returns {Promise<boolean>} whether it has begun
   */
  async start() {
    this.#enter("starting");
    try {
      await this.#openPictures();
    } catch (problem) {
      this.#fail(problem);
      return false;
    }
    if (this.#state === "ended") { // it was stopped while the camera opened
      this.#release();
      return false;
    }
    this.#channel.open();
    this.#snapshots = new Snapshots(this.video, this.#options.snapshotInterval, (jpeg, { at }) => this.#sendFrame(jpeg, at));
    this.#snapshots.start(() => this.now(), () => this.#wantsFrame());
    if (this.#options.voice) await this.#openMicrophone();
    return true;
  }

  /** The picture in which something was found. @param {number} at seconds */
  snapshot(at) {
    return this.#snapshots?.at(at);
  }

  /** Let go of the camera and the microphone; the session stays open for markers. */
  pause() {
    this.#unwatch();
    this.#snapshots?.stop();
    this.#microphone.close();
    closeStream(this.#own);
    this.#own = null;
    if (!this.#options.stream) this.video.srcObject = null;
  }

  /**
   * Mark a moment, such as "pay"; with a rating, 1 to 5, from the customer. While the connection is lost, it waits.
   * @param {string} name up to 64 characters
   * @param {{rating?: number}} [options]
   */
  mark(name, { rating = 0 } = {}) {
    const message = markerMessage(name, this.now(), rating);
    if (this.#state !== "ended" && !this.#channel.send(message)) this.#markers.push(message);
  }

  /** Stop looking and ask for the summary. */
  end() {
    this.pause();
    this.mark("end");
  }

  /** Stop at once and hear no more of it. What was seen until then is a visit for the server, and in its records. */
  cancel() {
    this.#release();
    this.#enter("ended");
  }

  async #openPictures() {
    if (this.#options.stream) {
      this.video.srcObject = this.#options.stream;
      await this.video.play();
      return;
    }
    this.#own = await openCamera(this.video, this.#options.camera);
    this.#unwatch = watchCamera(this.video, this.#own, (problem) => this.#fail(problem));
  }

  async #openMicrophone() {
    const warn = (/** @type {unknown} */ problem) => this.emit("warning", problem);
    try {
      await this.#microphone.open((samples) => this.#sendSound(samples), warn, this.#options.microphone);
    } catch (problem) {
      warn(problem);
    }
    if (this.#state === "ended") this.#microphone.close();
  }

  #config() {
    const { consent, snapshotInterval, site, voice, config } = this.#options;
    return {
      consent: CONSENT[consent],
      snapshotIntervalSeconds: snapshotInterval,
      ...(site ? { site } : {}),
      ...(voice ? {} : { expectedModalities: ["face"] }),
      ...config,
    };
  }

  #wantsFrame() {
    if (this.now() - this.#sentAt > ANSWER_TIMEOUT) this.#unanswered = 0;
    return this.#channel.hasRoom && this.#state === "live" && this.#unanswered < MAX_UNANSWERED;
  }

  /** @param {Uint8Array} jpeg  @param {number} at */
  #sendFrame(jpeg, at) {
    if (!this.#channel.send(frameMessage(jpeg, at))) return;
    this.#unanswered++;
    this.#sentAt = this.now();
  }

  /** @param {Int16Array} samples */
  #sendSound(samples) {
    if (this.#state === "live") this.#channel.send(audioMessage(samples, SAMPLE_RATE, this.now() - samples.length / SAMPLE_RATE));
  }

  /** @param {any} response */
  #take(response) {
    for (const kind of ["started", "update", "partial", "notice", "summary"]) {
      if (!response[kind]) continue;
      if (kind === "update") this.#unanswered = Math.max(0, this.#unanswered - 1);
      if (kind === "summary") this.#release();
      this.emit(kind, response[kind]);
      if (kind === "summary") this.#enter("ended");
    }
  }

  /** @param {string} state of the channel */
  #follow(state) {
    if (state === "open") {
      this.#unanswered = 0;
      this.#enter("live");
      for (const marker of this.#markers.splice(0)) this.#channel.send(marker);
    } else if (this.#state === "live" || state === "waiting") {
      this.#enter("reconnecting");
    }
  }

  /** @param {unknown} problem */
  #fail(problem) {
    if (this.#state === "ended") return;
    this.#release();
    this.emit("problem", problem);
    this.#enter("ended");
  }

  #release() {
    this.pause();
    this.#channel.close();
  }

  /** @param {string} state */
  #enter(state) {
    if (this.#state === state || this.#state === "ended") return;
    this.#state = state;
    this.emit("state", state);
  }
}

/** @param {string} [server] */
function socketUrl(server) {
  const url = new URL("/v1/session", server || import.meta.url);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
