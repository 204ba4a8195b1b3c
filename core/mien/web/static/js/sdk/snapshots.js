/**
 * Pictures from a video element, as JPEG at a steady pace. The last few stay in memory, so that a face can be cut out of
 * the very picture that it was found in.
 */

/** The longer side of what is sent, pixels: faces across a counter are large in it, and it is some 60 kB. */
export const LONGER_SIDE = 720;

const JPEG_QUALITY = 0.86;

const KEPT = 4;

/**
 * @typedef {object} Snapshot
 * @property {number} at seconds on the session's clock
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {HTMLCanvasElement} canvas
 */

export class Snapshots {
  #video;
  #interval;
  #take;
  /** @type {Snapshot[]} */
  #kept = [];
  #timer = 0;
  #running = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {number} interval seconds between two of them
   * @param {(jpeg: Uint8Array, snapshot: Snapshot) => void} take
   */
  constructor(video, interval, take) {
    this.#video = video;
    this.#interval = Math.max(interval, 0.1);
    this.#take = take;
  }

  /**
   * Begin.
   * @param {() => number} now seconds on the session's clock
   * @param {() => boolean} wanted whether one would be taken now
   */
  start(now, wanted) {
    this.#running = true;
    let due = performance.now();
    const step = async () => {
      if (!this.#running) return;
      if (wanted() && this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) await this.#shoot(now());
      due = Math.max(due + this.#interval * 1000, performance.now());
      if (this.#running) this.#timer = setTimeout(step, due - performance.now());
    };
    step();
  }

  /** End, and forget every picture. */
  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    for (const { canvas } of this.#kept) canvas.width = canvas.height = 0;
    this.#kept = [];
  }

  /**
   * The picture of a time.
   * @param {number} at seconds
   * @returns {Snapshot | undefined}
   */
  at(at) {
    return this.#kept.find((one) => Math.abs(one.at - at) < 1e-6) ?? this.#kept.at(-1);
  }

  /** @param {number} at */
  async #shoot(at) {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    const scale = Math.min(1, LONGER_SIDE / Math.max(videoWidth, videoHeight));
    const canvas = this.#kept.length < KEPT ? document.createElement("canvas") : /** @type {Snapshot} */ (this.#kept.shift()).canvas;
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext("2d", { willReadFrequently: true })?.drawImage(this.#video, 0, 0, width, height);
    const snapshot = { at, width, height, canvas };
    this.#kept.push(snapshot);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
    if (blob && this.#running) this.#take(new Uint8Array(await blob.arrayBuffer()), snapshot);
  }
}
