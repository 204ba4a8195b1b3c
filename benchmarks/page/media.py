"""What Chromium's fake devices play: a real face that moves, and real speech."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Final

import numpy as np

from mien.media.audio import decode_audio

FRAMES: Final = 90
"""Of the film, three seconds, which Chromium plays over and over."""

SIZE: Final = (640, 360)

SPEECH_RATE: Final = 48_000
"""Hz; what browsers capture with."""


def write_film(path: Path, *, size: tuple[int, int] = SIZE) -> Path:
    """Write a Motion JPEG of the portrait that scikit-image ships, swaying as a person does who stands.

    Args:
        path: Where to; Chromium wants the suffix ``.mjpeg``.
        size: Width and height, pixels.
    """
    from PIL import Image
    from skimage import data

    portrait = Image.fromarray(data.astronaut())
    width = 460.0  # of the 512 pixels, so that there is room to sway
    height = width * size[1] / size[0]
    film = io.BytesIO()
    for step in range(FRAMES):
        turn = 2 * math.pi * step / FRAMES
        left, top = 20 + 4 * math.sin(turn), 2 * (1 + math.sin(2 * turn))
        frame = portrait.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        frame.save(film, "JPEG", quality=86)
    path.write_bytes(film.getvalue())
    return path


def write_speech(path: Path, clip: Path) -> Path:
    """Write a clip of speech as the WAV that Chromium's fake microphone plays, with a second of silence before it."""
    sound = decode_audio(clip.read_bytes())
    samples = np.asarray(sound.samples, np.float32).reshape(-1)
    places = np.arange(0, len(samples), sound.sample_rate / SPEECH_RATE)
    loud = np.interp(places, np.arange(len(samples)), samples)
    pcm = (np.concatenate([np.zeros(SPEECH_RATE), loud]) * 32767).clip(-32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SPEECH_RATE)
        file.writeframes(pcm.tobytes())
    return path
