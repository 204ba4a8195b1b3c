/**
 * mien in a page of your own:
 *
 *     <script type="module" src="https://kiosk.example/mien.js"></script>
 *     <mien-camera voice consent="given"></mien-camera>
 *
 * or, without the element:
 *
 *     import { mien } from "https://kiosk.example/mien.js";
 *     const session = mien.session({ consent: "given" }).on("update", ({ state }) => console.log(state.satisfaction.score));
 *     await session.start();
 */
import { MienCamera } from "./static/js/camera-element.js";
import { Problem } from "./static/js/sdk/problem.js";
import { Session } from "./static/js/sdk/session.js";

export { MienCamera, Problem, Session };

/** @param {import("./static/js/sdk/session.js").SessionOptions} [options] */
export const session = (options) => new Session(options);

export const mien = Object.freeze({ session });

if (!customElements.get("mien-camera")) customElements.define("mien-camera", MienCamera);
