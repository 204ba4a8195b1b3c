import { placed } from "../sdk/geometry.js";
import { byId, make, setText } from "./dom.js";

/** A face's surroundings in the cut-out, as a share of its size on each side. */
const MARGIN = 0.3;

/** The boxes over the camera's picture, and the customer's face cut out of it. */
export class Overlay {
  #layer = byId("boxes");
  #crop = /** @type {HTMLCanvasElement} */ (byId("crop"));
  /** @type {Map<string, HTMLElement>} */
  #boxes = new Map();

  clear() {
    this.#layer.replaceChildren();
    this.#boxes.clear();
    this.#crop.hidden = true;
    this.#crop.getContext("2d")?.clearRect(0, 0, this.#crop.width, this.#crop.height);
  }

  /**
   * @param {NonNullable<ReturnType<typeof import("../sdk/wire.js").readFace>>[]} faces
   * @param {import("../sdk/snapshots.js").Snapshot | undefined} snapshot the picture that they were found in
   * @param {string} customer the subject whose satisfaction it is
   * @param {(label: string) => string} name of an emotion
   */
  show(faces, snapshot, customer, name) {
    const seen = new Set(faces.map((face) => face.track || face.subject));
    for (const [key, box] of this.#boxes) {
      if (seen.has(key)) continue;
      box.remove();
      this.#boxes.delete(key);
    }
    if (!snapshot) return;
    for (const face of faces) this.#place(face, snapshot, face.subject === customer, name(face.emotion));
    const own = faces.find((face) => face.subject === customer) ?? faces[0];
    if (own) this.#cut(own.box, snapshot);
  }

  /**
   * @param {NonNullable<ReturnType<typeof import("../sdk/wire.js").readFace>>} face
   * @param {import("../sdk/snapshots.js").Snapshot} snapshot
   * @param {boolean} isCustomer
   * @param {string} label
   */
  #place(face, snapshot, isCustomer, label) {
    const key = face.track || face.subject;
    let box = this.#boxes.get(key);
    if (!box) {
      box = make("div", { class: "box" }, [make("span", { class: "box-label" })]);
      this.#boxes.set(key, box);
      this.#layer.append(box);
    }
    const place = placed(face.box, snapshot, this.#layer.clientWidth, this.#layer.clientHeight);
    box.style.transform = `translate(${place.x}px, ${place.y}px)`;
    box.style.width = `${place.width}px`;
    box.style.height = `${place.height}px`;
    box.classList.toggle("is-customer", isCustomer);
    setText(/** @type {HTMLElement} */ (box.firstElementChild), label);
  }

  /** @param {{x: number, y: number, width: number, height: number}} box  @param {import("../sdk/snapshots.js").Snapshot} snapshot */
  #cut(box, snapshot) {
    const side = Math.max(box.width, box.height) * (1 + 2 * MARGIN);
    const [x, y] = [box.x + box.width / 2 - side / 2, box.y + box.height / 2 - side / 2];
    const context = this.#crop.getContext("2d");
    if (!context || !snapshot.canvas.width) return;
    const size = this.#crop.width;
    context.setTransform(-1, 0, 0, 1, size, 0); // as in a mirror, like the picture
    context.drawImage(snapshot.canvas, x, y, side, side, 0, 0, size, size);
    this.#crop.hidden = false;
  }
}
