"""Tells speech from noise, hum and beeps in a piece of sound that the voice activity detector let through.

The detector asks "is it loud, and in the band of speech?", and says yes to a fan or a payment terminal. Two things set
speech apart: parts of it are voiced (periodic at the pitch of a voice), and its spectrum keeps changing. Whispering is
not voiced, and is lost; music and other people's talk are both, and pass.

Shapes: frames ``[frames, samples]``, spectra ``[frames, bins]``, bands ``[frames, bands]``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from mien_voice.audio import SAMPLE_RATE

MIN_PERIODICITY: Final = 0.55
"""Normalised autocorrelation at the pitch lag from which a frame counts as voiced. Measured: one frame of white or
brown noise in a thousand; in speech beside as much as 5 dB less white noise, 0.2 s to 0.6 s of a short sentence."""

MIN_SPECTRAL_CHANGE: Final = 1.6
"""Decibels by which the bands of voiced frames must vary. Measured: beeps up to 1.2, clean speech 5 to 7, heavily
clipped speech 3 to 5."""

_FRAME: Final = 640  # 40 ms: three periods of the lowest pitch
_HOP: Final = 160  # 10 ms
_FFT: Final = 2048  # at least twice the frame, so that the autocorrelation does not wrap round
_MIN_LAG: Final = SAMPLE_RATE // 400  # the highest pitch, Hz
_MAX_LAG: Final = SAMPLE_RATE // 70  # the lowest
_VOICE_BAND: Final = (70, 2_500)  # Hz; where voiced sound has most of its energy
_BAND_EDGES: Final = (100, 300, 500, 800, 1200, 1700, 2300, 3000, 4000)  # Hz; about as wide as the ear's
_FLOOR_SHARE: Final = 1e-3  # of a frame's energy: what lies under it (-30 dB) is leakage
_SILENCE: Final = 1e-4  # root mean square; -80 dB


def voiced_seconds(samples: npt.NDArray[np.float32]) -> float:
    """How much of a sound is voiced and changing, as speech is.

    Args:
        samples: ``[time]``, 16 kHz mono.

    Returns:
        Seconds of voiced frames; 0 where their spectrum stands still.
    """
    if len(samples) < _FRAME:
        return 0.0
    emphasised = np.diff(samples, prepend=samples[:1])  # takes out DC and the slope of rumbling noise
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, _FRAME)[::_HOP]  # [frames, _FRAME]
    window = np.hanning(_FRAME).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, _FFT)) ** 2  # [frames, bins]
    voiced = _periodicity(power, window) >= MIN_PERIODICITY
    voiced &= np.sqrt(np.mean(frames**2, axis=1)) >= _SILENCE
    if not voiced.any() or _spectral_change(power[voiced]) < MIN_SPECTRAL_CHANGE:
        return 0.0
    return float(np.count_nonzero(voiced)) * _HOP / SAMPLE_RATE


def _periodicity(power: npt.NDArray[np.floating], window: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
    """Highest normalised autocorrelation over the lags of a voice's pitch, ``[frames]``, about 0 to 1."""
    low, high = (round(edge * _FFT / SAMPLE_RATE) for edge in _VOICE_BAND)
    voice = np.zeros_like(power)
    voice[:, low:high] = power[:, low:high]
    correlation = np.fft.irfft(voice, axis=1)[:, : _MAX_LAG + 1]
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)[: _MAX_LAG + 1]
    energy = np.maximum(correlation[:, :1], 1e-12)
    normalised = (correlation / energy) / (shape / shape[0])
    peak: npt.NDArray[np.floating] = normalised[:, _MIN_LAG:].max(axis=1)
    return peak


def _spectral_change(power: npt.NDArray[np.floating]) -> float:
    """How much the shape of the spectrum varies over frames, decibels: standard deviation, mean over the bands."""
    edges = [round(edge * _FFT / SAMPLE_RATE) for edge in _BAND_EDGES]
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)  # [frames, bands]
    share = bands / np.maximum(bands.sum(axis=1, keepdims=True), 1e-12)
    decibels = 10 * np.log10(share + _FLOOR_SHARE)
    return float(decibels.std(axis=0).mean())
