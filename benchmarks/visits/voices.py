"""Sentences as sound: spoken by synthetic voices, or by people, in a room that is not silent."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as parquet
import soundfile
import soxr

Samples = npt.NDArray[np.float32]

RATE: Final = 16_000
"""Samples a second."""

SPEECH_LEVEL: Final = 0.06
"""Root mean square of speech."""

SIGNAL_TO_NOISE: Final = (15.0, 25.0)
"""Of speech to the room's noise, dB, lowest and highest."""

LONGEST_REAL: Final = 5.0
"""Seconds of what people say, at most."""

_FLITE: Final = ("awb", "rms", "slt")
_ESPEAK: Final = ("en-us", "en-gb", "en-us+f3", "en-gb+m3")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What people said, recorded."""

    text: str
    samples: Samples


class Voices:
    """Speaks sentences with whichever synthetic voices are installed."""

    def __init__(self) -> None:
        """Find the voices.

        Raises:
            RuntimeError: There are none.
        """
        self._voices = [
            *(("flite", voice) for voice in _FLITE if shutil.which("flite")),
            *(("espeak-ng", voice) for voice in _ESPEAK if shutil.which("espeak-ng")),
        ]
        if not self._voices:
            raise RuntimeError("no synthetic voice is installed: apt-get install flite espeak-ng")

    def speak(self, text: str, random: np.random.Generator) -> Samples:
        """A sentence in any of the voices, float32 ``[time]`` at ``RATE``."""
        program, voice = self._voices[random.integers(len(self._voices))]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "said.wav"
            if program == "flite":
                command = ["flite", "-voice", voice, "-t", text, "-o", str(file)]
            else:
                command = ["espeak-ng", "-v", voice, "-s", "150", "-w", str(file), text]
            subprocess.run(command, check=True, capture_output=True)
            return _levelled(*soundfile.read(file, dtype="float32"))


def real_speech(file: Path) -> list[Spoken]:
    """Short clips of people who read or ask something; nothing that they say is kind or a complaint."""
    rows = parquet.read_table(file, columns=["audio", "seconds", "text", "condition"]).to_pylist()
    return [
        Spoken(row["text"], _levelled(*soundfile.read(io.BytesIO(row["audio"]), dtype="float32")))
        for row in rows
        if row["condition"] in ("clean", "accent", "command") and row["seconds"] <= LONGEST_REAL
    ]


def room(said: Sequence[tuple[float, Samples]], seconds: float, random: np.random.Generator) -> Samples:
    """Speech at its times over noise that falls with frequency, float32 ``[seconds * RATE]``."""
    length = int(seconds * RATE)
    white = np.fft.rfft(random.normal(0.0, 1.0, length))
    white /= np.sqrt(np.maximum(np.arange(len(white)), 50.0))
    noise = np.fft.irfft(white, length)
    level = SPEECH_LEVEL * 10.0 ** (-random.uniform(*SIGNAL_TO_NOISE) / 20.0)
    sound = noise / np.sqrt(np.mean(noise**2)) * level
    for at, samples in said:
        first = int(at * RATE)
        part = samples[: max(0, length - first)]
        sound[first : first + len(part)] += part
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def _levelled(samples: npt.NDArray[np.float32], rate: int) -> Samples:
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    even = mono if rate == RATE else soxr.resample(mono, rate, RATE)
    return np.asarray(even * (SPEECH_LEVEL / max(1e-6, float(np.sqrt(np.mean(even**2))))), np.float32)
