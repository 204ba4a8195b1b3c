import { requireDevices, closeStream } from "./camera.js";
import { deviceProblem } from "./problem.js";

/** Samples a second of what is sent; pcm-worklet.js makes them. */
export const SAMPLE_RATE = 16000;

/** Sound from a microphone, in chunks of a tenth of a second. */
export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;

  /**
   * Open it.
   * @param {(samples: Int16Array) => void} take
   * @param {(problem: import("./problem.js").Problem) => void} lost
   * @param {string} [deviceId] the system's default, if empty
   * @throws {import("./problem.js").Problem}
   */
  async open(take, lost, deviceId = "") {
    const devices = requireDevices();
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true };
    try {
      this.#stream = await devices.getUserMedia({ audio: deviceId ? { ...audio, deviceId: { exact: deviceId } } : audio });
      this.#context = new AudioContext({ latencyHint: "playback" });
      await this.#context.audioWorklet.addModule(new URL("./pcm-worklet.js", import.meta.url));
      await this.#context.resume();
    } catch (error) {
      this.close();
      throw deviceProblem(error, "microphone");
    }
    const node = new AudioWorkletNode(this.#context, "mien-pcm", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => take(data);
    this.#context.createMediaStreamSource(this.#stream).connect(node);
    const track = this.#stream.getAudioTracks()[0];
    track.addEventListener("ended", () => lost(deviceProblem(new DOMException("it was unplugged", "NotFoundError"), "microphone")));
  }

  /** Give it back. */
  close() {
    closeStream(this.#stream);
    this.#context?.close().catch(() => {});
    this.#stream = this.#context = null;
  }
}
