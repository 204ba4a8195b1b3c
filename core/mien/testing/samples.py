"""Samples to test with: copies, pictures with a face, sound like speech, a visit, and inputs that are odd in every way.

All of it is made from numbers, so that no test needs a file of somebody's face or voice. A drawn face is one for
detectors that are used to photographs as well; a drawn voice has the pitch, vowels and pauses of speech, and no words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from mien.types import AudioClip, ImageFrame, Sample, Utterance

RATE: Final = 16_000
"""Of sound, Hz."""

AnySample = TypeVar("AnySample", ImageFrame, AudioClip, Utterance)
Floats = npt.NDArray[np.float32]

_TEXTS: Final = (
    "",
    " ",
    "\n\t",
    "...",
    "\u00e9\u00e8\u00fc\u00df",
    "\u6f22\u5b57\u304b\u306a",
    "\u0645\u0631\u062d\u0628\u0627",
    "\U0001f600\U0001f44d\U0001f3fd",
    "nul\x00nul",
    "\ufeffbom",
    "a\u0301\u0301\u0301",
    "\u202eright to left",
    "SHOUTING!!!!!!",
    "word " * 400,
    "x" * 3000,
    "1234567890",
    "<b>bold</b> & 'quoted'",
    "thank you\r\nvery much",
    "\ud83d",
    "%s %d {0} {name} \\n",
)
_LANGUAGES: Final = ("", "en", "en-GB", "de", "xx-unknown", "EN_us")
_SIDES: Final = ((1, 1), (1, 200), (200, 1), (2, 3), (31, 17), (48, 64), (120, 90), (240, 320))
_VOWELS: Final = ((730.0, 1090.0, 2440.0), (270.0, 2290.0, 3010.0), (570.0, 840.0, 2410.0), (530.0, 1840.0, 2480.0))
"""The first three formants of four vowels, Hz (Peterson and Barney 1952, men)."""


def fresh(samples: Iterable[Sample], *, at: float | None = None, shift: float = 0.0) -> list[Sample]:
    """Copies with arrays of their own, which may be written to.

    Args:
        samples: To copy.
        at: The moment of all copies, seconds; None keeps each one's own.
        shift: Added to it, seconds.
    """
    return [_copied(sample, (sample.captured_at if at is None else at) + shift) for sample in samples]


def same_sample(one: Sample, other: Sample) -> bool:
    """Whether two samples say the same of the same moment, bit by bit."""
    if type(one) is not type(other) or one.captured_at != other.captured_at:
        return False
    if isinstance(one, Utterance) or isinstance(other, Utterance):
        return one == other
    ours, theirs = _array(one), _array(other)
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


def varied(samples: Sequence[Sample], count: int) -> list[Sample]:
    """``count`` samples at moments of their own: the given ones in turn, each time round a little quieter or darker."""
    made: list[Sample] = []
    for index in range(count):
        given, turn = samples[index % len(samples)], index // len(samples)
        at = float(index)
        if isinstance(given, ImageFrame):
            made.append(ImageFrame((given.pixels * (1.0 - 0.08 * min(turn, 8))).astype(np.uint8), at))
        elif isinstance(given, AudioClip):
            made.append(
                AudioClip((given.samples * (1.0 - 0.08 * min(turn, 8))).astype(np.float32), given.sample_rate, at)
            )
        else:
            made.append(replace(given, captured_at=at))
    return made


def odd_samples(samples: Sequence[Sample], *, count: int, seed: int = 1) -> list[Sample]:
    """Inputs that callers do send, damaged in every way that the types allow; the same each time.

    Args:
        samples: Which kinds, and what to damage.
        count: How many.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    return [_odd(samples[index % len(samples)], index // len(samples), random) for index in range(count)]


def make_face(smile: float = 0.0, *, size: int = 240, captured_at: float = 0.0, x: float = 0.5) -> ImageFrame:
    """A picture with a drawn face that looks into the camera, shaded as by a lamp from the left.

    Args:
        smile: What the mouth does, -1 (corners down) to 1 (corners up).
        size: Height of the picture, pixels; it is a third wider.
        captured_at: Seconds.
        x: Where the middle of the face is, as a share of the width.
    """
    return ImageFrame(_drawn_face(smile, size, x).copy(), captured_at)


def make_speech(
    *, seconds: float = 2.0, captured_at: float = 0.0, pitch: float = 120.0, level: float = 0.4
) -> AudioClip:
    """Sound with the rhythm of speech: voiced syllables of changing vowels, with short pauses, and no words.

    Source and filter: pulses of the pitch, falling by 12 dB an octave, through three resonances (Fant 1960).

    Args:
        seconds: Length.
        captured_at: Seconds.
        pitch: Mean pitch, Hz; it falls by a fifth towards the end.
        level: Of the loudest moment, (0, 1].
    """
    return AudioClip((level * _drawn_speech(seconds, pitch)).astype(np.float32), RATE, captured_at)


def make_session(*, seconds: float = 6.0, began: float = 1000.0) -> list[Sample]:
    """A visit in the order of time: a face that comes to smile, and a voice in the middle.

    As a camera and a microphone give it: two pictures a second and sound in pieces of 100 ms, from ``began`` on.
    """
    speech = make_speech(seconds=seconds / 2.0).samples
    sound = np.zeros(round(seconds * RATE), np.float32)
    start = len(sound) // 4
    sound[start : start + len(speech)] = speech
    step = RATE // 10
    clips: list[Sample] = [
        AudioClip(sound[begin : begin + step].copy(), RATE, began + begin / RATE)
        for begin in range(0, len(sound), step)
    ]
    pictures: list[Sample] = [
        make_face(
            -0.5 + 1.5 * index / max(seconds * 2.0, 1.0), captured_at=began + index / 2.0, x=0.45 + 0.01 * (index % 3)
        )
        for index in range(round(seconds * 2.0))
    ]
    return sorted([*pictures, *clips], key=lambda sample: sample.captured_at)


@lru_cache(maxsize=32)
def _drawn_face(smile: float, size: int, x: float) -> npt.NDArray[np.uint8]:
    height, width = size, size * 4 // 3
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    down = (rows / height - 0.5) / 0.34  # 1 is the chin
    across = (columns - x * width) / (0.26 * height)  # 1 is the ear
    picture = np.full((height, width, 3), (96.0, 108.0, 118.0), np.float32)
    _paint(picture, _blob(across, down + 0.12, 1.06, 1.12), (52.0, 38.0, 30.0))  # hair
    _paint(picture, _blob(across, down - 0.95, 0.45, 0.6), (186.0, 142.0, 118.0))  # neck
    head = _blob(across, down, 0.92, 1.0)
    light = 1.04 - 0.16 * np.clip(across, -1.0, 1.0) - 0.10 * np.clip(down, -1.0, 1.0) ** 2
    _paint(picture, head, (218.0, 172.0, 146.0), shade=light)
    _paint(picture, head * _blob(across, down + 1.02, 1.0, 0.46), (52.0, 38.0, 30.0))  # fringe
    for side in (-0.38, 0.38):
        _paint(picture, 0.55 * _blob(across - side, down + 0.20, 0.27, 0.17, soft=0.4), (140.0, 100.0, 84.0))  # socket
        _paint(picture, _blob(across - side, down + 0.18, 0.17, 0.075), (238.0, 236.0, 232.0))
        _paint(picture, _blob(across - side, down + 0.18, 0.075, 0.075), (48.0, 34.0, 26.0))
        brow = down + 0.38 + 0.10 * (across - side) ** 2 * 4.0
        _paint(picture, _blob(across - side, brow, 0.24, 0.055), (60.0, 42.0, 32.0))
        _paint(picture, 0.35 * _blob(across - 1.1 * side, down - 0.22, 0.24, 0.2, soft=0.6), (226.0, 140.0, 124.0))
    _paint(picture, 0.45 * _blob(across - 0.10, down - 0.02, 0.07, 0.26, soft=0.5), (160.0, 116.0, 96.0))  # nose
    _paint(picture, 0.75 * _blob(across, down - 0.20, 0.16, 0.05, soft=0.4), (134.0, 88.0, 74.0))
    curve = down - 0.50 + 0.22 * smile * (np.abs(across) / 0.34) ** 2 * (np.abs(across) < 0.5)
    _paint(picture, _blob(across, curve, 0.36, 0.085 + 0.03 * max(smile, 0.0)), (156.0, 66.0, 66.0))  # lips
    if smile > 0.3:
        _paint(picture, _blob(across, curve, 0.27, 0.045), (240.0, 236.0, 230.0))
    return np.clip(picture, 0.0, 255.0).astype(np.uint8)


@lru_cache(maxsize=8)
def _drawn_speech(seconds: float, pitch: float) -> npt.NDArray[np.float64]:
    """At full level, ``[time]``."""
    count = round(seconds * RATE)
    times = np.arange(count) / RATE
    intonation = pitch * (1.1 - 0.2 * times / max(seconds, 1e-3)) * (1.0 + 0.04 * np.sin(2.0 * math.pi * 3.1 * times))
    phase = 2.0 * math.pi * np.cumsum(intonation) / RATE
    voice = np.zeros(count)
    for number, formants in enumerate(_VOWELS):
        syllable = np.clip(np.sin(2.0 * math.pi * (times * 1.1 + number / len(_VOWELS))), 0.0, 1.0) ** 0.7
        vowel = np.zeros(count)
        for harmonic in range(1, int(3800.0 / pitch)):
            vowel += _gain(harmonic * pitch, formants) / harmonic * np.sin(harmonic * phase)
        voice += syllable * vowel
    breaths = np.random.default_rng(7).standard_normal(count) * 0.01 * float(np.abs(voice).max(initial=1e-9))
    rhythm = np.clip(np.sin(2.0 * math.pi * 3.7 * times) + 0.75, 0.0, 1.0)
    voice = (voice + breaths) * rhythm
    peak = float(np.abs(voice).max(initial=0.0))
    return voice / (peak or 1.0)


def _copied(sample: Sample, at: float) -> Sample:
    if isinstance(sample, ImageFrame):
        return replace(sample, pixels=sample.pixels.copy(), captured_at=at)
    if isinstance(sample, AudioClip):
        return replace(sample, samples=sample.samples.copy(), captured_at=at)
    return replace(sample, captured_at=at)


def _array(sample: ImageFrame | AudioClip) -> npt.NDArray[np.generic]:
    return sample.pixels if isinstance(sample, ImageFrame) else sample.samples


def _odd(sample: Sample, turn: int, random: np.random.Generator) -> Sample:
    at = float(random.choice([0.0, -5.0, 1e-9, 86_400.0, 1.7e9]))
    if isinstance(sample, ImageFrame):
        return ImageFrame(_odd_picture(sample.pixels, turn, random), at)
    if isinstance(sample, AudioClip):
        return _odd_clip(sample, turn, random, at)
    text = _TEXTS[turn % len(_TEXTS)] if turn % 4 < 3 else "".join(random.permutation(list(sample.text + " ?")))
    return Utterance(text, _LANGUAGES[turn % len(_LANGUAGES)], at, float(turn % 2))


def _odd_picture(pixels: npt.NDArray[np.uint8], turn: int, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    height, width = _SIDES[turn % len(_SIDES)]
    ways = (
        lambda: np.zeros((height, width, 3), np.uint8),
        lambda: np.full((height, width, 3), 255, np.uint8),
        lambda: random.integers(0, 256, (height, width, 3), np.uint8),
        lambda: np.ascontiguousarray(np.rot90(pixels, 1 + turn % 3)),
        lambda: pixels[:, ::-1],
        lambda: pixels[::3, ::3],
        lambda: np.where(random.random(pixels.shape) < 0.2, np.uint8(255), pixels),
        lambda: np.asfortranarray(pixels[: pixels.shape[0] // 2 + 1]),
        lambda: (pixels // 8).astype(np.uint8),
    )
    return ways[turn % len(ways)]()


def _odd_clip(clip: AudioClip, turn: int, random: np.random.Generator, at: float) -> AudioClip:
    samples = clip.samples
    ways = (
        lambda: np.zeros(0, np.float32),
        lambda: np.zeros(1, np.float32),
        lambda: np.ones(clip.sample_rate // 4, np.float32),
        lambda: np.sign(samples).astype(np.float32),
        lambda: random.standard_normal(clip.sample_rate // 2).astype(np.float32),
        lambda: (samples * 1e-6).astype(np.float32),
        lambda: (samples * 1e3).astype(np.float32),
        lambda: samples[::-1],
        lambda: samples[: clip.sample_rate // 50],
        lambda: np.tile(np.asarray([1.0, -1.0], np.float32), clip.sample_rate // 8),
    )
    rate = (clip.sample_rate, 8_000, 44_100, 48_000)[turn // len(ways) % 4]
    return AudioClip(ways[turn % len(ways)](), rate, at)


def _blob(across: Floats, down: Floats, half_width: float, half_height: float, *, soft: float = 0.12) -> Floats:
    """An ellipse: 1 inside, 0 outside, with a soft edge."""
    radius = np.sqrt((across / half_width) ** 2 + (down / half_height) ** 2)
    inside: Floats = np.clip((1.0 + soft - radius) / (2.0 * soft), 0.0, 1.0).astype(np.float32)
    return inside


def _paint(picture: Floats, mask: Floats, colour: tuple[float, float, float], *, shade: Floats | None = None) -> None:
    colours = np.asarray(colour, np.float32) * (1.0 if shade is None else shade[..., None])
    picture += mask[..., None] * (colours - picture)


def _gain(frequency: float, formants: tuple[float, float, float]) -> float:
    """How strongly the throat lets a frequency through."""
    return sum(1.0 / (1.0 + ((frequency - formant) / (60.0 + 0.05 * formant)) ** 2) for formant in formants)
