"""The one form of sound that this plugin works on: 16 kHz mono. Decoding files is the core's."""

from __future__ import annotations

from typing import Final

import numpy as np

from mien import AudioClip

SAMPLE_RATE: Final = 16_000
"""Hz; what speech recognisers are trained on."""


def at_speech_rate(clip: AudioClip) -> AudioClip:
    """The clip at ``SAMPLE_RATE``; itself where it has that rate already."""
    if clip.sample_rate == SAMPLE_RATE:
        return clip
    import soxr

    samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
    return AudioClip(np.asarray(samples, np.float32), SAMPLE_RATE, clip.captured_at)
