"""Measures the voice pipeline: recognition speed and word errors, tone latency, and what the plugin costs in memory.

    python benchmarks/voice_pipeline.py [--voices slt,rms,awb] [--sentences N] [--checkpoint ID_OR_FOLDER] [--json FILE]

The speech is synthetic: the sentences of ``speech_sentences.txt`` spoken by flite's voices where flite is installed
(``apt-get install flite``), else the committed clips of ``examples/media``. Real speech is harder: these figures
compare engines and settings, and do not promise an error rate at a counter.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien import AudioClip, Transcriber
from mien.media.audio import read_audio
from mien_voice.segmentation import cut_into_utterances
from mien_voice.settings import SegmentationSettings, TransformersSettings

HERE = Path(__file__).parent
MEDIA = HERE.parent / "examples" / "media"
COMMITTED = {
    "thanks.flac": "thank you so much you have been very kind and helpful",
    "complaint.flac": "this is terrible i have been waiting for an hour and nobody helps me",
    "refusal.flac": "no i do not want to pay for this",
    "opening_hours.flac": "the shop opens at nine in the morning",
}
THIRTY_TOKENS = (
    "i have been waiting at this counter for almost an hour now and nobody has told me "
    "what is going on so i would like to speak to the manager please"
)
MEMORY_CODE = """
import sys, psutil
from mien.config import parse_settings
from mien.plugins.host import PluginHost
host = PluginHost.discover(parse_settings({"engine": {"analyzers": sys.argv[1].split(",")}}))
for name in host.analyzers:
    if host.analyzers[name].enabled:
        host.analyzer(name).warm_up()
own = psutil.Process()
print(sum(process.memory_info().rss for process in (own, *own.children(recursive=True))) / 2**20)
"""


@dataclass(frozen=True)
class Spoken:
    """A clip and the words that are said in it."""

    clip: AudioClip
    words: str


def speech(voices: Sequence[str], sentences: int) -> tuple[str, list[Spoken]]:
    """What the speech is, and the speech."""
    if shutil.which("flite") is None:
        return "the committed clips", [Spoken(read_audio(MEDIA / name), words) for name, words in COMMITTED.items()]
    lines = (HERE / "speech_sentences.txt").read_text(encoding="utf-8").splitlines()[:sentences]
    return f"{len(lines)} sentences by flite's voices {', '.join(voices)}", list(_spoken(voices, lines))


def _spoken(voices: Sequence[str], lines: Sequence[str]) -> Iterator[Spoken]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        for voice in voices:
            for line in lines:
                subprocess.run(["flite", "-voice", voice, "-t", line, "-o", str(path)], check=True)
                yield Spoken(read_audio(path), line)


def measure_engine(engine: Transcriber, spoken: Sequence[Spoken]) -> dict[str, Any]:
    """Word error rate, and processor and wall time for each second of sound, segmentation included."""
    errors = words = exact = 0
    processor, wall = time.process_time(), time.perf_counter()
    for item in spoken:
        utterances = cut_into_utterances(item.clip, SegmentationSettings())
        heard = " ".join(engine.transcribe(utterance).text for utterance in utterances).lower()
        wrong = word_errors(item.words.split(), heard.split())
        errors, words, exact = errors + wrong, words + len(item.words.split()), exact + (wrong == 0)
    seconds = sum(item.clip.duration_seconds for item in spoken)
    return {
        "word_error_rate": round(errors / words, 4),
        "sentences_without_error": f"{exact}/{len(spoken)}",
        "real_time_factor_processor": round((time.process_time() - processor) / seconds, 3),
        "real_time_factor_wall": round((time.perf_counter() - wall) / seconds, 3),
        "seconds_of_sound": round(seconds, 1),
    }


def word_errors(expected: Sequence[str], found: Sequence[str]) -> int:
    """Words to insert, delete or replace to get from one to the other."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(found, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def measure_tone(repeats: int = 20) -> dict[str, float]:
    """Median milliseconds of one call on texts of 30 words, by batch size."""
    from mien_voice.tonenetwork import ToneNetwork

    network = ToneNetwork()
    figures = {}
    for size in (1, 8, 32):
        texts = [THIRTY_TOKENS] * size
        network.predict(texts)
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            network.predict(texts)
            times.append(1000 * (time.perf_counter() - start))
        figures[f"batch_{size}_ms"] = round(statistics.median(times), 2)
    return figures


def measure_memory() -> dict[str, float]:
    """Resident MiB with the analyzers loaded and warm, the recogniser's own process counted in."""
    figures = {}
    for name, analyzers in (("face", "face"), ("face_and_voice", "face,voice")):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY_CODE, analyzers], capture_output=True, text=True, check=True
        )
        figures[f"{name}_mib"] = round(float(done.stdout.split()[-1]), 1)
    figures["voice_adds_mib"] = round(figures["face_and_voice_mib"] - figures["face_mib"], 1)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", default="slt,rms,awb")
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--checkpoint", default="", help="measure the transformers engine with this one too")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()

    from mien_voice.transcribers.pocketsphinx import PocketSphinxTranscriber

    what, spoken = speech(options.voices.split(","), options.sentences)
    figures: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        "speech": what,
        "pocketsphinx": measure_engine(PocketSphinxTranscriber(), spoken),
    }
    if options.checkpoint:
        from mien_voice.transcribers.transformers import TransformersTranscriber

        engine = TransformersTranscriber(TransformersSettings(checkpoint=options.checkpoint))
        figures[f"transformers {options.checkpoint}"] = measure_engine(engine, spoken)
    figures["tone"] = measure_tone()
    figures["memory"] = measure_memory()
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
