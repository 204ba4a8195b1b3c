/** Events by name: the small part of an event emitter that mien needs. */
export class Emitter {
  /** @type {Map<string, Set<(value: any) => void>>} */
  #listeners = new Map();

  /**
   * Call a function on each event of a name.
   * @param {string} name
   * @param {(value: any) => void} listener
   * @returns {this} for chaining
   */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name)?.add(listener);
    return this;
  }

  /**
   * Take a function away again.
   * @param {string} name
   * @param {(value: any) => void} listener
   * @returns {this}
   */
  off(name, listener) {
    this.#listeners.get(name)?.delete(listener);
    return this;
  }

  /**
   * Tell all listeners. One that throws is reported to the console and stops no other.
   * @param {string} name
   * @param {any} [value]
   */
  emit(name, value) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        console.error(`mien: a listener to ${name} failed`, error);
      }
    }
  }
}
