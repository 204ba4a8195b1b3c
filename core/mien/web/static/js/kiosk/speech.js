/** Reads the start screen aloud, where the browser can. */
export class Reader {
  #button;
  #words;

  /**
   * @param {HTMLElement} button
   * @param {() => import("./strings.js").Words} words
   * @param {() => string} text what to read
   */
  constructor(button, words, text) {
    this.#button = button;
    this.#words = words;
    button.hidden = !("speechSynthesis" in window);
    button.addEventListener("click", () => (speechSynthesis.speaking ? this.stop() : this.#read(text())));
  }

  /** Be silent. */
  stop() {
    if ("speechSynthesis" in window) speechSynthesis.cancel();
    this.#label(false);
  }

  /** Show or hide the button. @param {boolean} shown */
  offer(shown) {
    if (!shown) this.stop();
    this.#button.hidden = !shown || !("speechSynthesis" in window);
  }

  /** @param {string} text */
  #read(text) {
    const speech = new SpeechSynthesisUtterance(text);
    speech.lang = this.#words().language;
    speech.rate = 0.95;
    speech.onend = speech.onerror = () => this.#label(false);
    speechSynthesis.speak(speech);
    this.#label(true);
  }

  /** @param {boolean} reads */
  #label(reads) {
    this.#button.setAttribute("aria-pressed", String(reads));
    const span = this.#button.querySelector("span");
    if (span) span.textContent = this.#words().say(reads ? "stop_reading" : "read_aloud");
  }
}
