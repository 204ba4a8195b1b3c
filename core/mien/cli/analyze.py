"""``mien analyze``: pictures, folders, videos and text into results. Options and exit codes; the work is elsewhere.

Reading is ``mien.cli.reading``, giving out ``mien.cli.delivery``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.state import CliState, state_of
from mien.errors import ConfigError
from mien.types import is_weight

if TYPE_CHECKING:
    from rich.console import Console

    from mien.cli.findings import Run
    from mien.cli.inputs import Source
    from mien.cli.outputs import Output
    from mien.types import AudioClip, Utterance


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
    state = state_of(context)
    state.wait_for_analyses()
    if redact_transcript:
        state.redact_transcripts()
    if analyzer:
        state.enable_only(analyzer)
    if fuser and fuser not in state.host.fusers:
        state.host.fuser(fuser)  # raises, with all that is known about why

    from mien.cli.findings import Run
    from mien.engine.requests import check_weights

    check_weights(state.host, weights)

    run = Run(
        engine=state.engine,
        host=state.host,
        settings=state.settings,
        every=every,
        said=_said(text, audio),
        fuser=fuser,
        weights=weights,
        deadlines=state.deadlines,
    )
    outputs = _outputs(state, as_json=as_json, csv=csv, annotate=annotate, every=every)
    if not _run(run, paths or [], outputs, annotate=annotate):
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
    if not modality or not is_weight(value):
        raise typer.BadParameter(
            f"expected MODALITY=NUMBER, not negative, as in face=1; got {item!r}", param_hint="--weight"
        )
    return modality, value


def _outputs(state: CliState, *, as_json: bool, csv: Path | None, annotate: Path | None, every: float) -> list[Output]:
    from rich.console import Console

    from mien.cli.annotations import AnnotationOutput
    from mien.cli.outputs import CsvOutput, JsonOutput, LineOutput
    from mien.types import SampleKind

    enabled = [entry.info for entry in state.host.analyzers.values() if entry.enabled]
    seen = {info.modality for info in enabled if SampleKind.IMAGE in info.accepts}
    outputs: list[Output] = [
        JsonOutput(sys.stdout) if as_json else LineOutput(Console(highlight=False), seen=seen),
    ]
    if csv is not None:
        outputs.append(CsvOutput(csv, list(dict.fromkeys(label for info in enabled for label in info.labels))))
    if annotate is not None:
        outputs.append(AnnotationOutput(annotate, every=every))
    return outputs


def _run(run: Run, paths: Sequence[Path], outputs: Sequence[Output], *, annotate: Path | None) -> bool:
    """Analyse everything and give it out; whether every input could be analysed. Reads nothing in ``annotate``."""
    from rich.console import Console

    from mien.cli.delivery import Delivery
    from mien.cli.findings import Failure
    from mien.cli.inputs import find_sources
    from mien.cli.reading import read_alone, read_sources
    from mien.plugins.sinks import Sinks

    found = find_sources(paths, leave_out=annotate)
    if run.said is not None and any(source.kind != "picture" for source in found.sources):
        raise ConfigError(
            "--text and --audio go with pictures, or --text alone; a video would need to know when it was said"
        )
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    delivery = Delivery(Sinks(run.host), outputs, messages, redact=run.settings.privacy.redact_transcript)
    complete = True
    with ExitStack() as stack:
        stack.callback(delivery.close)
        advance = stack.enter_context(_progress(messages, found.sources, run.every))
        for path, error in found.problems:
            complete = delivery.deliver(Failure(path, error)) and complete
        for path in found.linked_folders:
            delivery.warn("a link to a folder, passed over; name it to have it read", path=path)
        if run.said is not None and not paths:
            complete = delivery.deliver(read_alone(run, run.said)) and complete
        for read in read_sources(run, found.sources):
            complete = delivery.deliver(read) and complete
            advance()
    if found.skipped:
        files = "file that is" if found.skipped == 1 else "files that are"
        messages.print(f"mien: skipped {found.skipped} {files} neither picture, video nor sound", markup=False)
    return complete


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
