"""Measures the voice pipeline on real speech, engines side by side in one run.

    python benchmarks/voice_pipeline.py [--speech FILE] [--engines whisper,pocketsphinx] [--models tiny.en,base.en]
        [--share 0.5] [--only words,activity,latency,memory,faces] [--json FILE]

Word error rate by condition and processor seconds for a second of sound; how well the voice activity detectors tell
speech; the time from the end of an utterance to its tone; resident memory; and how long a face waits while somebody
speaks. The speech is a table of clips (columns ``audio``, ``text``, ``condition``, ``seconds``), or the committed clips
of ``examples/media``, which are synthetic and easy.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from spoken import Spoken, committed, read_table
from voice_activity import measure_activity
from word_errors import WordErrors, total, word_errors

from mien import AudioClip, ImageFrame, StreamSettings, Transcriber
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.audio import SAMPLE_RATE
from mien_voice.segmentation import cut_into_utterances
from mien_voice.settings import SegmentationSettings, VoiceSettings, WhisperSettings
from mien_voice.tonenetwork import WEIGHTS, ToneNetwork
from mien_voice.transcribers.choice import load_whisper

HERE: Final = Path(__file__).parent
SHARED: Final = HERE.parents[1] / "shared" / "data" / "speech" / "dev.parquet"
PIECE_SECONDS: Final = 0.1
FACE_SECONDS: Final = 15.0
FRAME_INTERVAL_SECONDS: Final = 0.2
MEMORY_CODE: Final = """
import sys, psutil
from mien import AudioClip
from mien.config import parse_settings
from mien.media.audio import read_audio
from mien.plugins.host import PluginHost
from pathlib import Path
host = PluginHost.discover(parse_settings({"engine": {"analyzers": sys.argv[1].split(",")}}))
for name in host.analyzers:
    if host.analyzers[name].enabled:
        host.analyzer(name).warm_up()
if "voice" in sys.argv[1]:
    host.analyzer("voice").analyze([read_audio(Path(sys.argv[2]))])
own = psutil.Process()
print(sum(process.memory_info().rss for process in (own, *own.children(recursive=True))) / 2**20)
"""


def measure_words(engine: Transcriber, spoken: Sequence[Spoken]) -> dict[str, Any]:
    """Word error rate in per cent by condition, and processor seconds for a second of sound, cutting included."""
    errors: dict[str, list[WordErrors]] = defaultdict(list)
    processor = 0.0
    for item in spoken:
        start = time.process_time()
        utterances = cut_into_utterances(item.clip, SegmentationSettings())
        heard = " ".join(engine.transcribe(utterance).text for utterance in utterances)
        processor += time.process_time() - start
        errors[item.condition].append(word_errors(item.words, heard))
    seconds = sum(item.clip.duration_seconds for item in spoken)
    rates = {name: round(100 * total(found).rate, 1) for name, found in sorted(errors.items()) if total(found).words}
    put_in = sum(total(found).errors for found in errors.values() if not total(found).words)
    return {
        "all": round(100 * total(part for found in errors.values() for part in found).rate, 1),
        **rates,
        "words heard where nobody speaks": put_in,
        "processor seconds a second": round(processor / seconds, 3),
    }


def measure_latency(engine: Transcriber, spoken: Sequence[Spoken]) -> dict[str, float]:
    """Seconds from the end of what was said to its tone: the pause that is waited for, and recognition by the clock."""
    voice = VoiceAnalyzer(transcriber=engine, tone=ToneNetwork(WEIGHTS), settings=VoiceSettings())
    voice.warm_up()
    waits: list[float] = []
    recognition: list[float] = []
    step = round(PIECE_SECONDS * SAMPLE_RATE)
    for item in spoken:
        stream = voice.open_stream(StreamSettings())
        sound = np.concatenate([item.clip.samples, np.zeros(2 * SAMPLE_RATE, np.float32)])
        for position in range(0, len(sound) - step, step):
            piece = AudioClip(sound[position : position + step], SAMPLE_RATE, position / SAMPLE_RATE)
            for utterance in stream.push(piece):
                assert isinstance(utterance, AudioClip)
                ended = utterance.captured_at + utterance.duration_seconds - SegmentationSettings().post_roll_seconds
                start = time.perf_counter()
                voice.analyze([utterance])
                took = time.perf_counter() - start
                waits.append((position + step) / SAMPLE_RATE - ended + took)
                recognition.append(took)
    return {
        "median": round(float(np.median(waits)), 2),
        "p95": round(float(np.percentile(waits, 95)), 2),
        "of it recognition and tone, median": round(float(np.median(recognition)), 2),
    }


def measure_memory() -> dict[str, float]:
    """Resident MiB with the analyzers loaded and used, processes of their own counted in."""
    figures = {}
    for name, analyzers in (("face", "face"), ("face and voice", "face,voice")):
        command = [sys.executable, "-c", MEMORY_CODE, analyzers, str(HERE.parent / "examples/media/thanks.flac")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures[name] = round(float(done.stdout.split()[-1]), 1)
    figures["voice adds"] = round(figures["face and voice"] - figures["face"], 1)
    return figures


def measure_faces(engine: Transcriber, spoken: Sequence[Spoken]) -> dict[str, float]:
    """Milliseconds to analyse a frame of 640 x 480, by the clock, while nobody and while somebody speaks."""
    host = PluginHost.discover(parse_settings({"engine": {"analyzers": ["face"]}}))
    face = host.analyzer("face")
    face.warm_up()
    frame = ImageFrame(np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8))
    quiet = _frame_times(lambda: face.analyze([frame]))
    ended = threading.Event()
    speaker = threading.Thread(target=_speak, args=(engine, spoken, ended))
    speaker.start()
    spoken_to = _frame_times(lambda: face.analyze([frame]))
    ended.set()
    speaker.join()
    host.close()
    return {
        f"{name}, {what}": round(1000 * float(np.percentile(times, percentile)), 1)
        for name, times in (("nobody speaks", quiet), ("somebody speaks", spoken_to))
        for what, percentile in (("median", 50), ("p99", 99))
    }


def _frame_times(analyse: Callable[[], object]) -> list[float]:
    times = []
    until = time.perf_counter() + FACE_SECONDS
    while (start := time.perf_counter()) < until:
        analyse()
        times.append(time.perf_counter() - start)
        time.sleep(max(FRAME_INTERVAL_SECONDS - times[-1], 0.0))
    return times


def _speak(engine: Transcriber, spoken: Sequence[Spoken], ended: threading.Event) -> None:
    """One utterance after the other, as fast as it comes: more than a person says."""
    while not ended.is_set():
        for item in spoken:
            for utterance in cut_into_utterances(item.clip, SegmentationSettings()):
                if ended.is_set():
                    return
                engine.transcribe(utterance)


def engines(names: Sequence[str], models: Sequence[str]) -> Iterator[tuple[str, Transcriber]]:
    """The engines to measure, each loaded when it is asked for."""
    if "pocketsphinx" in names:
        from mien_pocketsphinx.transcriber import PocketSphinxTranscriber

        yield "pocketsphinx", PocketSphinxTranscriber()
    if "whisper" in names:
        for model in models:
            yield f"whisper {model}", load_whisper(WhisperSettings(model=model))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=SHARED)
    parser.add_argument("--engines", default="pocketsphinx,whisper")
    parser.add_argument("--models", default="tiny.en")
    parser.add_argument("--share", type=float, default=1.0, help="of the clips, drawn at random with a fixed seed")
    parser.add_argument("--only", default="words,activity,latency,memory,faces")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    parts = options.only.split(",")

    everything = read_table(options.speech) if options.speech.exists() else committed()
    spoken = random.Random(1).sample(everything, max(1, round(options.share * len(everything))))
    few = [item for item in spoken if item.condition in ("clean", "accent", "telephone")][:25] or spoken
    figures: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        "speech": f"{len(spoken)} clips of {options.speech.name if options.speech.exists() else 'examples/media'}",
    }
    models = options.models.split(",")
    if "words" in parts:
        for name, engine in engines(options.engines.split(","), models):
            figures[f"word errors, {name}"] = measure_words(engine, spoken)
    if "activity" in parts:
        figures["voice activity, ROC-AUC of frames"] = measure_activity(everything)
    if "latency" in parts:
        figures["seconds from the end of an utterance to its tone"] = measure_latency(
            load_whisper(WhisperSettings(model=models[0])), few
        )
    if "memory" in parts:
        figures["resident MiB"] = measure_memory()
    if "faces" in parts:
        figures["ms a frame"] = measure_faces(load_whisper(WhisperSettings(model=models[0])), few)
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
