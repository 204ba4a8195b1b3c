/**
 * What the page is told by ``GET /v1/kiosk``, checked: a field that is missing has its default.
 *
 * @typedef {object} KioskSettings
 * @property {string} title the shop's name
 * @property {string} logo a path of this server; empty shows mien's
 * @property {"auto" | "light" | "dark"} scheme
 * @property {Record<string, string>} colours CSS colours by the name of a custom property without its dashes
 * @property {string} language "auto" takes the browser's
 * @property {Record<string, any>} texts words by key, or by language and then by key
 * @property {"none" | "notice" | "required"} consent
 * @property {boolean} voice
 * @property {number} snapshotInterval seconds
 * @property {number} maxSnapshots
 * @property {{enabled: boolean, question: string, faces: number[], followUp: {question: string, answers: string[]}}} rating
 * @property {boolean} showTranscript
 * @property {number} returnSeconds how long the last screens stay
 * @property {string} site
 */

/** The ratings that are offered where the server says nothing: four faces, none of them in the middle. */
const FACES = [5, 4, 2, 1];

/**
 * @param {any} sent
 * @returns {KioskSettings}
 */
export function readSettings(sent) {
  const rating = sent.rating ?? {};
  return {
    title: sent.title ?? "",
    logo: sent.logo ?? "",
    scheme: sent.scheme ?? "auto",
    colours: sent.colours ?? {},
    language: sent.language || "auto",
    texts: sent.texts ?? {},
    consent: sent.consent ?? "notice",
    voice: sent.voice ?? false,
    snapshotInterval: sent.snapshot_interval_seconds ?? 0.5,
    maxSnapshots: sent.max_snapshots ?? 60,
    rating: {
      enabled: rating.enabled ?? true,
      question: rating.question ?? "",
      faces: rating.faces ?? FACES,
      followUp: { question: rating.follow_up?.question ?? "", answers: rating.follow_up?.answers ?? [] },
    },
    showTranscript: sent.show_transcript ?? true,
    returnSeconds: sent.return_seconds ?? 20,
    site: sent.site ?? "",
  };
}

/**
 * Ask the server.
 * @returns {Promise<KioskSettings>}
 */
export async function loadSettings() {
  const response = await fetch("/v1/kiosk", { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`the server answered ${response.status} when asked for the page's settings`);
  return readSettings(await response.json());
}

/**
 * The shop's own words for a language: those under its name, over those for every language.
 * @param {Record<string, any>} texts
 * @param {string} language
 * @returns {Record<string, string>}
 */
export function textsFor(texts, language) {
  const plain = Object.entries(texts).filter(([, value]) => typeof value === "string");
  return { ...Object.fromEntries(plain), ...(texts[language] ?? {}) };
}
