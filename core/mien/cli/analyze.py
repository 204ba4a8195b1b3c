"""``mien analyze``: pictures, folders, videos and text into results. Options and exit codes; the work is elsewhere.

Reading is ``mien.cli.reading``, output ``mien.cli.sinks`` and ``mien.cli.annotations``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.state import CliState, state_of
from mien.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from mien.cli.inputs import Source
    from mien.cli.reading import Outcome, Run
    from mien.cli.sinks import Sink
    from mien.plugins.sinks import Sinks
    from mien.types import AudioClip, Utterance

_QUIET_DECODER = "-8"
"""libav's level that prints nothing: what is wrong with a video is said once, in our words."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("analyze")(_analyze)


def _analyze(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Pictures, videos, sound, and folders of them.")
    ] = None,
    text: Annotated[
        str,
        typer.Option(metavar="WORDS", show_default=False, help="What was said: alone, or together with each picture."),
    ] = "",
    audio: Annotated[
        Path | None,
        typer.Option(
            "--audio", metavar="FILE", show_default=False, help="Sound to analyse together with each picture."
        ),
    ] = None,
    redact_transcript: Annotated[bool, typer.Option(help="Leave the words of transcripts out.")] = False,
    every: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.0, help="Time between two analysed frames of a video; 0 takes all."),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a table too.", show_default=False)
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            "--annotate",
            metavar="DIR",
            help="Write the pictures there, with boxes, emotions and the satisfaction gauge.",
            show_default=False,
        ),
    ] = None,
    analyzer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Use only this one; may be given again.", show_default=False),
    ] = None,
    fuser: Annotated[str, typer.Option(metavar="NAME", help="Fusion rule.", show_default=False)] = "",
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="MODALITY=NUMBER", help="Weight in the fusion; may be given again.", show_default=False),
    ] = None,
) -> None:
    """Analyse pictures, videos, sound, folders or a text.

    Prints one line a result, or with --json one JSON object a line (docs/cli.md lists its fields).
    Exit code 0: done. 1: some inputs failed; each is named, the rest was finished. 2: wrong usage.
    """
    if not paths and not text.strip():
        raise typer.BadParameter("give at least one PATH, or --text", param_hint="PATH")
    if audio is not None and (not paths or text.strip()):
        raise typer.BadParameter(
            "it goes with pictures, and not with --text; name sound alone as a PATH", param_hint="--audio"
        )
    weights = dict(_parse_weight(item) for item in weight or ())
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET_DECODER)  # read when OpenCV opens its first video
    state = state_of(context)
    if redact_transcript:
        state.redact_transcripts()
    if analyzer:
        state.enable_only(analyzer)
    if fuser and fuser not in state.host.fusers:
        state.host.fuser(fuser)  # raises, with all that is known about why

    from mien.cli.reading import Run

    run = Run(
        engine=state.engine,
        host=state.host,
        settings=state.settings,
        every=every,
        said=_said(text, audio),
        fuser=fuser,
        weights=weights,
    )
    sinks = _sinks(state, as_json=as_json, csv=csv, annotate=annotate, every=every)
    if not _run(run, paths or [], sinks, annotate=annotate):
        raise typer.Exit(1)


def _said(text: str, audio: Path | None) -> Utterance | AudioClip | None:
    """What goes with the pictures, or stands alone."""
    from mien.types import Utterance

    if audio is not None:
        from mien.media.audio import MAX_SECONDS, read_audio

        return read_audio(audio, max_seconds=MAX_SECONDS)
    return Utterance(text) if text.strip() else None


def _parse_weight(item: str) -> tuple[str, float]:
    modality, _, number = item.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not modality or not 0.0 <= value < float("inf"):
        raise typer.BadParameter(
            f"expected MODALITY=NUMBER, not negative, as in face=1; got {item!r}", param_hint="--weight"
        )
    return modality, value


def _sinks(state: CliState, *, as_json: bool, csv: Path | None, annotate: Path | None, every: float) -> list[Sink]:
    from rich.console import Console

    from mien.cli.annotations import AnnotationSink
    from mien.cli.sinks import CsvSink, JsonSink, LineSink

    sinks: list[Sink] = [JsonSink(sys.stdout) if as_json else LineSink(Console(highlight=False))]
    if csv is not None:
        enabled = [entry.info for entry in state.host.analyzers.values() if entry.enabled]
        sinks.append(CsvSink(csv, list(dict.fromkeys(label for info in enabled for label in info.labels))))
    if annotate is not None:
        sinks.append(AnnotationSink(annotate, every=every))
    return sinks


def _run(run: Run, paths: Sequence[Path], sinks: Sequence[Sink], *, annotate: Path | None) -> bool:
    """Analyse everything and hand it out; whether every input could be analysed. Reads nothing in ``annotate``."""
    from rich.console import Console

    from mien.cli.inputs import find_sources
    from mien.cli.reading import Failure, analyze_alone, analyze_sources
    from mien.plugins.sinks import Sinks

    found = find_sources(paths, leave_out=annotate)
    if run.said is not None and any(source.kind != "picture" for source in found.sources):
        raise ConfigError(
            "--text and --audio go with pictures, or --text alone; a video would need to know when it was said"
        )
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    plugin_sinks = Sinks(run.host)
    hand_out = partial(_hand_out, run=run, sinks=sinks, plugin_sinks=plugin_sinks, messages=messages)
    complete = True
    with ExitStack() as stack:
        stack.callback(plugin_sinks.close)
        for sink in sinks:
            stack.callback(sink.close)
        advance = stack.enter_context(_progress(messages, found.sources, run.every))
        for path, error in found.problems:
            complete = hand_out(Failure(path, error)) and complete
        if run.said is not None and not paths:
            complete = hand_out(analyze_alone(run, run.said)) and complete
        for outcome in analyze_sources(run, found.sources):
            complete = hand_out(outcome) and complete
            advance()
    if found.skipped:
        files = "file that is" if found.skipped == 1 else "files that are"
        messages.print(f"mien: skipped {found.skipped} {files} neither picture, video nor sound", markup=False)
    return complete


def _hand_out(outcome: Outcome, *, run: Run, sinks: Sequence[Sink], plugin_sinks: Sinks, messages: Console) -> bool:
    """Say what came of an input, here and to the plugins that want to see results; False where it failed."""
    from mien.cli.reading import Failure, Notice
    from mien.cli.sinks import printable, provenance_of

    if isinstance(outcome, Notice):
        messages.print(f"mien: warning: {_named(printable(outcome.path), outcome.message)}", markup=False)
        return True
    if isinstance(outcome, Failure):
        name = "the text" if outcome.path is None else printable(outcome.path)
        messages.print(f"mien: {_named(name, str(outcome.error))}", markup=False)
        for sink in sinks:
            sink.fail(outcome)
        return False
    if run.settings.privacy.redact_transcript:
        from mien.redaction import redacted

        outcome = replace(outcome, result=redacted(outcome.result))
    plugin_sinks.notify(outcome.result, provenance_of(outcome))
    for sink in sinks:
        sink.write(outcome)
    return True


def _named(name: str, message: str) -> str:
    """The message with the input's name in front, once."""
    return message if message.startswith(f"{name}: ") else f"{name}: {message}"


@contextmanager
def _progress(messages: Console, sources: Sequence[Source], every: float) -> Iterator[Any]:
    """A progress bar with the time left, where stderr is a terminal; gives out a function that counts one result."""
    if not messages.is_terminal or not sources:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("analysing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines on stdout must go around the bar where both are the same terminal, and must not be taken where it is a file.
    redirect = sys.stdout.isatty()
    with Progress(*columns, console=messages, transient=True, redirect_stdout=redirect, redirect_stderr=True) as bar:
        task = bar.add_task("analysing", total=sum(_results_of(source, every) for source in sources))
        yield lambda: bar.advance(task)


def _results_of(source: Source, every: float) -> int:
    """How many results to expect; a guess is good enough for a bar."""
    from mien.cli.inputs import InputKind
    from mien.errors import InputError
    from mien.media.video import probe

    if source.kind is not InputKind.VIDEO:
        return 1
    try:
        info = probe(source.path)
    except InputError:  # told when its turn comes
        return 1
    return max(1, round(info.seconds / every) if every > 0 else info.frame_count)
