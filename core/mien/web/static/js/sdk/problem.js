/**
 * What can go wrong on the way to a session, as values: a kind that a page can show words for.
 *
 * @typedef {"insecure" | "camera_refused" | "camera_missing" | "camera_busy" | "camera_lost" | "microphone_refused" |
 *   "microphone_missing" | "microphone_busy" | "server_gone" | "server_refused"} ProblemKind
 */
export class Problem extends Error {
  /**
   * @param {ProblemKind} kind
   * @param {string} message for whoever writes the page
   * @param {string} [reason] the service's reason, such as CONSENT_REQUIRED, where it refused
   */
  constructor(kind, message, reason = "") {
    super(message);
    this.name = "Problem";
    this.kind = kind;
    this.reason = reason;
  }
}

/**
 * What a browser's refusal of a camera or microphone means.
 * @param {unknown} error of getUserMedia
 * @param {"camera" | "microphone"} device
 * @returns {Problem}
 */
export function deviceProblem(error, device) {
  const name = error instanceof Error ? error.name : "";
  const kinds = {
    NotAllowedError: "refused", SecurityError: "refused",
    NotFoundError: "missing", OverconstrainedError: "missing",
    NotReadableError: "busy", AbortError: "busy",
  };
  const kind = /** @type {ProblemKind} */ (`${device}_${kinds[/** @type {keyof typeof kinds} */ (name)] ?? "busy"}`);
  return new Problem(kind, `the ${device} cannot be used: ${error instanceof Error ? error.message : error}`);
}
