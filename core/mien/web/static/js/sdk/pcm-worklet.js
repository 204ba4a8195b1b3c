/** An AudioWorklet: what a microphone gives, as chunks of 16-bit samples at the rate that speech is recognised at. */
import { Resampler, toPcm16 } from "./resample.js";

const RATE = 16000; // Hz
const CHUNK = 1600; // samples: a tenth of a second

class PcmProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.chunk = new Int16Array(CHUNK);
    this.filled = 0;
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channels = inputs[0];
    if (channels?.length) this.take(toPcm16(this.resampler.push(mono(channels))));
    return true;
  }

  /** @param {Int16Array} samples */
  take(samples) {
    for (const sample of samples) {
      this.chunk[this.filled++] = sample;
      if (this.filled < CHUNK) continue;
      this.port.postMessage(this.chunk, [this.chunk.buffer]);
      this.chunk = new Int16Array(CHUNK);
      this.filled = 0;
    }
  }
}

/** @param {Float32Array[]} channels */
function mono(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

registerProcessor("mien-pcm", PcmProcessor);
