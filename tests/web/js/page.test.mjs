// Pure parts of the kiosk page: words, places on a mirrored picture, contrast, and fields that the wire leaves out.
import assert from "node:assert/strict";
import test from "node:test";

import { STRINGS, words } from "../../../core/mien/web/static/js/kiosk/strings.js";
import { readSettings, textsFor } from "../../../core/mien/web/static/js/kiosk/settings.js";
import { contrast, readableOn } from "../../../core/mien/web/static/js/kiosk/theme.js";
import { placed } from "../../../core/mien/web/static/js/sdk/geometry.js";
import { base64, readFace, readSatisfaction } from "../../../core/mien/web/static/js/sdk/wire.js";

test("every language has every word, with the same blanks to fill in", () => {
  const blanks = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [language, table] of Object.entries(STRINGS)) {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(STRINGS.en).sort(), language);
    for (const [key, text] of Object.entries(table)) assert.deepEqual(blanks(text), blanks(STRINGS.en[key]), `${language}: ${key}`);
  }
});

test("a variant goes before the plain word, and a shop's own before both", () => {
  assert.equal(words("en", { variants: ["voice"] }).say("fact_not_kept"), STRINGS.en.fact_not_kept_voice);
  assert.equal(words("en", { variants: ["voice"], texts: { fact_not_kept: "Nothing" } }).say("fact_not_kept"), "Nothing");
  assert.equal(words("xx").language, "en");
  assert.equal(words("en").say("progress_text", { done: 1, all: 2 }), "1 of 2 looks");
  assert.deepEqual(textsFor({ begin: "Go", de: { begin: "Los" } }, "de"), { begin: "Los" });
});

test("settings that are missing have defaults", () => {
  assert.deepEqual(readSettings({}).rating.faces, [5, 4, 2, 1]);
  assert.equal(readSettings({ consent: "required" }).consent, "required");
});

test("a box is placed as in a mirror, on a picture that covers its frame", () => {
  const box = { x: 0, y: 10, width: 20, height: 20 };
  assert.deepEqual(placed(box, { width: 100, height: 100 }, 200, 200), { x: 160, y: 20, width: 40, height: 40 });
  assert.deepEqual(placed(box, { width: 100, height: 100 }, 200, 100), { x: 160, y: -30, width: 40, height: 40 });
});

test("contrast is WCAG's", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(readableOn([255, 212, 0]), "#000000");
  assert.equal(readableOn([36, 80, 216]), "#ffffff");
});

test("fields that the wire leaves out have their defaults", () => {
  assert.equal(readSatisfaction(undefined).verdict, "unspecified");
  const sent = { verdict: "VERDICT_GOOD", contributions: { text: { weight: 0.4 }, face: {} } };
  const { verdict, contributions } = readSatisfaction(sent);
  assert.equal(verdict, "good");
  assert.deepEqual(contributions.map(({ modality, weight }) => [modality, weight]), [["face", 0], ["text", 0.4]]);
  assert.equal(readFace({ transcript: {} }), null);
  const face = readFace({ subjectId: "a", emotions: { sad: 0.2, happy: 0.8 }, face: { box: { width: 4 } } });
  assert.deepEqual([face.box, face.emotion], [{ x: 0, y: 0, width: 4, height: 0 }, "happy"]);
});

test("bytes of any length as base64", () => {
  const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i % 251);
  assert.deepEqual(Uint8Array.from(Buffer.from(base64(bytes), "base64")), bytes);
});
