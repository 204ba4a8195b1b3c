import { make, setText } from "./dom.js";

/** A list of shares as bars, in a fixed order, so that nothing jumps while it grows. */
export class Bars {
  #list;
  #rows = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** Forget all. */
  clear() {
    this.#list.replaceChildren();
    this.#rows.clear();
  }

  /**
   * @param {Record<string, number>} percentages label -> 0 to 100
   * @param {(label: string) => string} name
   */
  show(percentages, name) {
    const top = Math.max(...Object.values(percentages), 0);
    for (const label of Object.keys(percentages)) if (!this.#rows.has(label)) this.#add(label);
    for (const [label, row] of this.#rows) {
      const value = percentages[label] ?? 0;
      row.item.classList.toggle("is-top", value === top && top > 0);
      row.item.style.setProperty("--share", String(value / 100));
      setText(row.name, name(label));
      setText(row.value, `${Math.round(value)} %`);
    }
  }

  /** @param {string} label */
  #add(label) {
    const [name, value] = [make("span", { class: "bar-name" }), make("span", { class: "bar-value" })];
    const item = make("li", { "data-emotion": label }, [name, make("span", { class: "bar-track", "aria-hidden": "true" }), value]);
    this.#rows.set(label, { item, name, value });
    this.#list.append(item);
  }
}
