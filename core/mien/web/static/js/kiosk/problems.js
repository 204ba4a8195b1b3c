import { byId, setText } from "./dom.js";
import { show } from "./screens.js";

/** The icon of each kind of problem. @type {Record<string, string>} */
const ICONS = {
  insecure: "open-lock",
  camera_refused: "camera-off", camera_missing: "camera-off", camera_busy: "camera-off", camera_lost: "camera-off",
  server_gone: "server-off", server_refused: "alert",
  second_tab: "tabs",
};

/**
 * Say what is wrong and what to do.
 * @param {string} kind
 * @param {import("./strings.js").Words} words
 * @param {{detail?: string, action?: string}} [options] what the server said; the key of the button's words
 */
export function showProblem(kind, words, { detail = "", action = "again" } = {}) {
  byId("problem-icon").setAttribute("href", `/static/icons.svg#${ICONS[kind] ?? "alert"}`);
  setText(byId("problem-title"), words.say(`problem_${kind}`));
  setText(byId("problem-text"), words.say(`problem_${kind}_text`));
  setText(byId("problem-detail"), detail);
  setText(byId("problem-action"), words.say(action));
  document.body.dataset.problem = kind;
  show("problem");
}
