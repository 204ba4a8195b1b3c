import { Emitter } from "./emitter.js";
import { Problem } from "./problem.js";

/** Milliseconds before the first, second, ... attempt to connect again; the last one repeats. */
const PAUSES = [300, 700, 1500, 3000];

/** A connection that waits to send more than so many bytes takes no further picture. */
const MAX_WAITING_BYTES = 2 ** 20;

/** An attempt that is neither answered nor refused for so long is given up, milliseconds. */
const ATTEMPT_TIMEOUT = 8000;

/** The subprotocol of the gateway's sessions. */
const PROTOCOL = "mien.v1";

/** Refusals that pass by themselves, by their google.rpc.Code: the server loads, is full, or is away. */
const PASSING = new Set(["UNAVAILABLE", "RESOURCE_EXHAUSTED"]);

/**
 * One session's WebSocket: opens it with the config, and opens it again with the resume token where it breaks.
 *
 * Events: ``response`` (a StreamSessionResponse), ``state`` ("connecting", "open", "waiting"), ``restarted`` (the
 * server no longer knew the session: it began anew), ``failed`` (a Problem: it is given up), ``closed``.
 */
export class Channel extends Emitter {
  #url;
  #config;
  #protocols;
  #patience;
  /** @type {WebSocket | null} */
  #socket = null;
  #token = "";
  #session = "";
  #attempts = 0;
  #brokenSince = 0;
  #timer = 0;
  #over = false;

  /**
   * @param {object} options
   * @param {string} options.url ws: or wss:
   * @param {() => object} options.config the SessionConfig
   * @param {string} [options.key] what the server knows its caller by
   * @param {number} [options.patience] milliseconds of trying before it is given up
   */
  constructor({ url, config, key = "", patience = 30000 }) {
    super();
    this.#url = url;
    this.#config = config;
    // Browsers set no header on a WebSocket; the key goes as a second subprotocol, base64url.
    this.#protocols = key ? [PROTOCOL, `mien.key.${base64url(key)}`] : [PROTOCOL];
    this.#patience = patience;
  }

  /** Begin to connect. */
  open() {
    this.#brokenSince = performance.now();
    this.#connect();
  }

  /** Whether a message would go out now. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether it keeps up, so that another picture is worth taking. */
  get hasRoom() {
    return this.isOpen && /** @type {WebSocket} */ (this.#socket).bufferedAmount < MAX_WAITING_BYTES;
  }

  /**
   * Send a StreamSessionRequest; what cannot be sent now is dropped.
   * @param {object} message
   * @returns {boolean} whether it was sent
   */
  send(message) {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** End it for good. */
  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect() {
    this.emit("state", "connecting");
    const socket = new WebSocket(this.#url, this.#protocols);
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.close(), ATTEMPT_TIMEOUT);
    let answered = false;
    socket.onopen = () => {
      const token = this.#token ? { resumeToken: this.#token } : {};
      socket.send(JSON.stringify({ config: { ...this.#config(), ...token } }));
    };
    socket.onmessage = ({ data }) => {
      if (this.#over || typeof data !== "string") return;
      const response = JSON.parse(data);
      if (!answered && response.started) {
        answered = true;
        this.#opened(response.started);
      }
      this.#take(response);
    };
    socket.onclose = () => {
      if (this.#socket === socket && !this.#over) this.#broken();
    };
  }

  /** @param {any} started */
  #opened(started) {
    clearTimeout(this.#timer);
    this.#attempts = 0;
    this.#brokenSince = 0;
    this.#token = started.resumeToken ?? "";
    const isOther = this.#session !== "" && this.#session !== started.sessionId;
    this.#session = started.sessionId;
    this.emit("state", "open");
    if (isOther) this.emit("restarted");
  }

  /** @param {any} response */
  #take(response) {
    if (response.error) return this.#refused(response.error);
    this.emit("response", response);
    if (response.summary) {
      this.close();
      this.emit("closed");
    }
  }

  /** @param {{message?: string, reason?: string, status?: string}} error */
  #refused({ message = "", reason = "", status = "" }) {
    if (PASSING.has(status)) return; // the close that follows makes it try again
    if (this.#token) { // it was asked to resume what the server no longer has
      this.#token = "";
      this.#socket?.close();
      return;
    }
    this.close();
    this.emit("failed", new Problem("server_refused", message, reason));
  }

  #broken() {
    clearTimeout(this.#timer);
    this.#brokenSince ||= performance.now();
    if (performance.now() - this.#brokenSince > this.#patience) {
      this.close();
      this.emit("failed", new Problem("server_gone", `no server answers at ${this.#url}`));
      return;
    }
    this.emit("state", "waiting");
    const pause = PAUSES[Math.min(this.#attempts++, PAUSES.length - 1)];
    this.#timer = setTimeout(() => this.#connect(), pause);
  }
}

/** @param {string} text of ASCII characters */
function base64url(text) {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
