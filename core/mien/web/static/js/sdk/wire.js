/**
 * Messages of the wire contract (mien/v1/sentiment.proto) in proto's own JSON mapping: bytes as base64, and a field that
 * has its default left out. What is read here has its defaults back.
 */

export const CONSENT = Object.freeze({
  none: "CONSENT_UNSPECIFIED",
  notice: "CONSENT_NOTICE_SHOWN",
  given: "CONSENT_GIVEN",
});

/**
 * @param {Uint8Array} bytes
 * @returns {string} base64
 */
export function base64(bytes) {
  const STEP = 0x8000; // more arguments than this overflow the stack of some browsers
  let binary = "";
  for (let at = 0; at < bytes.length; at += STEP) binary += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return btoa(binary);
}

/**
 * @param {Uint8Array} jpeg an encoded picture
 * @param {number} at seconds on the session's clock
 */
export function frameMessage(jpeg, at) {
  return { frame: { encoded: base64(jpeg), capturedAtSeconds: at } };
}

/**
 * @param {Int16Array} samples mono
 * @param {number} rate samples a second
 * @param {number} at seconds on the session's clock, of the first sample
 */
export function audioMessage(samples, rate, at) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const raw = { data: base64(bytes), format: "SAMPLE_FORMAT_PCM16", sampleRateHz: rate, channels: 1 };
  return { audio: { raw, capturedAtSeconds: at } };
}

/**
 * @param {string} name up to 64 characters; "end" ends the session
 * @param {number} at seconds on the session's clock
 * @param {number} rating 1 to 5, or 0 for none
 */
export function markerMessage(name, at, rating = 0) {
  const marker = { name, atSeconds: at };
  return { marker: rating ? { ...marker, rating } : marker };
}

/**
 * A satisfaction with all its fields.
 * @param {any} sent a Satisfaction as it came, or nothing
 */
export function readSatisfaction(sent = {}) {
  const interval = { low: 0, high: 0, ...sent.interval };
  const verdict = (sent.verdict ?? "VERDICT_UNSPECIFIED").replace("VERDICT_", "").toLowerCase();
  const contributions = Object.entries(sent.contributions ?? {}).map(([modality, part]) => ({
    modality, weight: 0, score: 0, confidence: 0, samples: 0, .../** @type {object} */ (part),
  }));
  return {
    score: sent.score ?? 0,
    interval,
    confidence: sent.confidence ?? 0,
    verdict,
    contributions: contributions.sort((a, b) => a.modality.localeCompare(b.modality)),
    agreement: sent.agreement ?? 0,
    mismatch: sent.mismatch ?? false,
    coverage: sent.coverage ?? 0,
  };
}

/**
 * A prediction's face, or null where it is about something else.
 * @param {any} prediction
 */
export function readFace(prediction) {
  if (!prediction?.face?.box) return null;
  const box = { x: 0, y: 0, width: 0, height: 0, ...prediction.face.box };
  return {
    box,
    subject: prediction.subjectId ?? "",
    track: prediction.face.trackId ?? "",
    quality: prediction.face.quality ?? 0,
    at: prediction.interval?.startSeconds ?? 0,
    emotion: topOf(prediction.emotions ?? {}),
    issues: prediction.face.issues ?? [],
  };
}

/**
 * The likeliest label.
 * @param {Record<string, number>} shares
 * @returns {string} empty where there is none
 */
export function topOf(shares) {
  return Object.entries(shares).reduce((best, one) => (one[1] > best[1] ? one : best), ["", -1])[0];
}
