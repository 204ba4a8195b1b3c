// The microphone's anti-alias filter: what speech recognition hears is passed on, and what would fold into it is not.
import assert from "node:assert/strict";
import test from "node:test";

import { Resampler, toPcm16 } from "../../../core/mien/web/static/js/sdk/resample.js";

/** Root mean square of a tone of so many Hz after resampling, against 1 before; pieces are as an AudioWorklet gives them. */
function passed(hertz, from, to) {
  const tone = Float32Array.from({ length: from }, (_, i) => Math.SQRT2 * Math.sin((2 * Math.PI * hertz * i) / from));
  const resampler = new Resampler(from, to);
  const output = [];
  for (let at = 0; at < tone.length; at += 128) output.push(...resampler.push(tone.subarray(at, at + 128)));
  const middle = output.slice(200, -200);
  return { gain: Math.sqrt(middle.reduce((sum, value) => sum + value * value, 0) / middle.length), count: output.length };
}

for (const from of [44100, 48000, 22050]) {
  test(`speech passes, and what would alias does not, at ${from} Hz`, () => {
    for (const hertz of [100, 1000, 3400, 6000]) assert.ok(Math.abs(passed(hertz, from, 16000).gain - 1) < 0.02, `${hertz} Hz`);
    for (const hertz of [8500, 9000, 10500]) assert.ok(passed(hertz, from, 16000).gain < 0.003, `${hertz} Hz`);
  });

  test(`a second of ${from} Hz is a second of 16 kHz`, () => {
    assert.ok(Math.abs(passed(440, from, 16000).count - 16000) <= 20);
  });
}

test("the same rate passes unchanged, and a higher one is refused", () => {
  const samples = Float32Array.of(0, 0.5, -1);
  assert.deepEqual(new Resampler(16000, 16000).push(samples), samples);
  assert.throws(() => new Resampler(8000, 16000), RangeError);
});

test("16-bit samples are clipped, not wrapped", () => {
  assert.deepEqual([...toPcm16(Float32Array.of(0, 1, -1, 2, -2))], [0, 32767, -32767, 32767, -32767]);
});
