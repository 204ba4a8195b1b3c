/**
 * Sound at any rate into sound at a lower or equal one: a windowed-sinc low-pass (Kaiser window, Oppenheim and Schafer,
 * "Discrete-Time Signal Processing", 7.5.3) evaluated at each output sample, so that the two rates need no common
 * measure. Pure arithmetic, for an AudioWorklet as for a test.
 */

/** Zero crossings of the sinc on each side, at the output's rate. */
const CROSSINGS = 16;

/** Kaiser's beta: about 60 dB in the stop band. */
const BETA = 5.65;

/** The cut-off, as a share of the output's Nyquist frequency: room for the transition band below it. */
const CUT_OFF = 0.9;

/** Steps of the kernel's table between two zero crossings. */
const STEPS = 256;

export class Resampler {
  /** @param {number} from Hz  @param {number} to Hz, not above ``from`` */
  constructor(from, to) {
    if (!(from >= to && to > 0)) throw new RangeError(`cannot resample ${from} Hz to ${to} Hz`);
    this.step = from / to;
    this.half = Math.ceil(CROSSINGS * this.step / CUT_OFF);
    this.kernel = kernelTable();
    this.held = new Float32Array(this.half); // silence before the first sample
    this.position = this.half; // of the next output sample, in held and what follows it
  }

  /**
   * Take samples in, and give those that are complete.
   * @param {Float32Array} samples mono
   * @returns {Float32Array}
   */
  push(samples) {
    if (this.step === 1) return samples;
    const input = new Float32Array(this.held.length + samples.length);
    input.set(this.held);
    input.set(samples, this.held.length);
    const count = Math.max(0, Math.ceil((input.length - this.half - this.position) / this.step));
    const output = new Float32Array(count);
    for (let i = 0; i < count; i++) output[i] = this.#at(input, this.position + i * this.step);
    this.position += count * this.step;
    const passed = Math.max(0, Math.floor(this.position) - this.half);
    this.held = input.slice(passed);
    this.position -= passed;
    return output;
  }

  /** @param {Float32Array} input  @param {number} position */
  #at(input, position) {
    const scale = CUT_OFF / this.step;
    let sum = 0;
    const last = Math.min(input.length - 1, Math.floor(position + this.half));
    for (let i = Math.max(0, Math.ceil(position - this.half)); i <= last; i++) {
      const place = Math.abs(i - position) * scale * STEPS;
      const low = Math.floor(place);
      if (low + 1 < this.kernel.length) {
        sum += input[i] * (this.kernel[low] + (place - low) * (this.kernel[low + 1] - this.kernel[low]));
      }
    }
    return sum * scale;
  }
}

/** One side of the windowed sinc, at STEPS places between two zero crossings. */
function kernelTable() {
  const table = new Float32Array(CROSSINGS * STEPS + 1);
  for (let i = 0; i < table.length; i++) {
    const x = i / STEPS;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    table[i] = sinc * bessel(BETA * Math.sqrt(1 - (x / CROSSINGS) ** 2)) / bessel(BETA);
  }
  return table;
}

/** The modified Bessel function of order zero, by its power series. @param {number} x */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/**
 * Floats in [-1, 1] as signed 16-bit samples.
 * @param {Float32Array} samples
 */
export function toPcm16(samples) {
  return Int16Array.from(samples, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767));
}
