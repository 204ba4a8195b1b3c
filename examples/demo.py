"""mien in one minute: a real face in a real photograph, served over gRPC by a server in another process.

    make demo

starts ``mien serve`` on a free loopback port, asks it about the portrait that scikit-image ships (NASA's picture of
Eileen Collins, public domain), alone and with a spoken complaint, prints the answers, writes the annotated picture, and
stops the server.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mien import AnalysisResult, Transcript, decode_image
from mien.annotate import annotate
from mien.client import Client
from mien.records import AnalysisRecord, now, to_json

START_SECONDS = 120.0
STOP_SECONDS = 30.0
COMPLAINT = Path(__file__).resolve().parent / "media" / "complaint.flac"


def main() -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="where the annotated picture goes")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    console = Console()

    picture = portrait(out)
    with server(out) as address, Client(address) as client:
        client.wait_until_ready(timeout=START_SECONDS)
        console.print(f"[bold]1.[/] A server in another process answers on {address}, with these analyzers:")
        for analyzer in client.server_info().analyzers:
            console.print(f"   {analyzer.name} {analyzer.version}: {', '.join(analyzer.labels)}", highlight=False)
        console.print(f"\n[bold]2.[/] The face alone: {picture}")
        face_only = client.analyze(image=picture)
        console.print(as_table(face_only))
        console.print(f"[bold]3.[/] The same face, while a synthetic voice complains: {COMPLAINT}")
        with_voice = client.analyze(image=picture, audio=COMPLAINT)
        console.print(as_table(with_voice))
    if with_voice.satisfaction.mismatch:
        console.print("   [bold]Mismatch:[/] the face and the words point opposite ways, and both are confident.\n")
    console.print("[bold]4.[/] The face alone as JSON, as a program gets it:")
    console.print_json(to_json(AnalysisRecord(recorded_at=now(), analysis=face_only, source=picture.name)))
    annotated = write_annotated(picture, face_only, out)
    console.print(f"[bold]5.[/] The annotated picture: {annotated.resolve()}", soft_wrap=True, highlight=False)
    return 0


def portrait(out: Path) -> Path:
    """Write the portrait that scikit-image ships, and say where."""
    from PIL import Image
    from skimage import data

    path = out / "portrait.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


@contextlib.contextmanager
def server(out: Path) -> Iterator[str]:
    """Start ``mien serve`` in a process of its own, yield its address, and stop it as an operator would."""
    ready = out / "address"
    ready.unlink(missing_ok=True)
    mien = Path(sys.executable).with_name("mien")
    voice = ["--analyzer", "face", "--analyzer", "voice"]  # the voice is off until it is asked for
    command = [str(mien), "serve", *voice, "--address", "127.0.0.1:0", "--ready-file", str(ready)]
    with (out / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield wait_for(ready, process, log_path=out / "server.log")
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def wait_for(ready: Path, process: subprocess.Popen[bytes], *, log_path: Path) -> str:
    """The address that the server wrote once it serves."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server stopped before it served:\n{log_path.read_text()}")
        if ready.exists() and (address := ready.read_text().strip()):
            return address
        time.sleep(0.05)
    raise SystemExit(f"the server did not serve within {START_SECONDS:.0f} s; see {log_path}")


def as_table(result: AnalysisResult) -> Table:
    """What a person wants to know, on a few lines."""
    table = Table("what", "answer", show_header=False)
    for prediction in result.predictions:
        ranked = sorted(prediction.emotions.items(), key=lambda item: -item[1])[:3]
        if isinstance(prediction.evidence, Transcript):
            table.add_row("words", prediction.evidence.text)
        emotions = ", ".join(f"{label} {share:.0%}" for label, share in ranked)
        table.add_row(prediction.modality, emotions)
    signal = result.satisfaction
    table.add_section()
    table.add_row(
        "satisfaction", f"{signal.score:.2f}  (90 %: {signal.interval.low:.2f} to {signal.interval.high:.2f})"
    )
    table.add_row("verdict", signal.verdict.value)
    table.add_row("rests on", ", ".join(f"{name} {part.weight:.0%}" for name, part in signal.contributions.items()))
    return table


def write_annotated(picture: Path, result: AnalysisResult, out: Path) -> Path:
    """Draw the result on the picture, and say where it was written."""
    from PIL import Image

    path = out / "annotated.png"
    Image.fromarray(annotate(decode_image(picture.read_bytes()), result)).save(path)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
