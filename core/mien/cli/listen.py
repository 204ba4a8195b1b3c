"""``mien listen``: a microphone, live: each utterance with its words, tone and satisfaction, until Ctrl-C.

Nothing that is heard is stored. Recognition runs in the thread that reads; meanwhile sound waits in the queue.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.state import state_of

if TYPE_CHECKING:
    from mien.cli.hearing import Heard
    from mien.engine import Engine
    from mien.media.microphone import Microphone
    from mien.types import AnalysisResult, AudioClip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("listen")(_listen)


def _listen(
    context: typer.Context,
    device: Annotated[
        str, typer.Option(metavar="NAME|INDEX", help="Microphone; 'mien devices' lists them.", show_default=False)
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.0, help="Stop after so long; 0 goes on until Ctrl-C.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
    analyzer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Use only this one; may be given again.", show_default=False),
    ] = None,
    redact_transcript: Annotated[bool, typer.Option(help="Leave the words out of what is printed.")] = False,
) -> None:
    """Listen to a microphone and say what each utterance means.

    An utterance is shown when it has ended; one in which no words are found is not.
    Exit code 0: stopped. 1: the microphone cannot be used, or has gone. 2: wrong usage.
    """
    from mien.cli.hearing import Hearing
    from mien.media.microphone import Microphone
    from mien.redaction import redacted

    state = state_of(context)
    if analyzer:
        state.enable_only(analyzer)
    if redact_transcript:
        state.redact_transcripts()
    redact = state.settings.privacy.redact_transcript
    engine, hearing = state.engine, Hearing(state.engine, state.host)

    def show(heard: Iterable[Heard]) -> None:
        for result in _results(engine, heard):
            shown = redacted(result) if redact else result
            typer.echo(_json_line(shown) if as_json else _line(shown))
            sys.stdout.flush()

    chosen: str | int | None = int(device) if device.isdigit() else device or None
    with Microphone(device=chosen) as microphone:
        try:
            show(hearing.listen(_limited(microphone, seconds)))
        except KeyboardInterrupt:  # the way to stop; what was being said is still analysed
            show(hearing.finish())
        finally:
            if microphone.overruns:
                typer.echo(
                    f"mien: warning: sound was lost {microphone.overruns} times: this machine recognises speech more "
                    "slowly than it is spoken",
                    err=True,
                )


def _results(engine: Engine, heard: Iterable[Heard]) -> Iterator[AnalysisResult]:
    """A result for each utterance in which words were found.

    Raises:
        AnalysisError: An analyzer failed.
    """
    from mien.errors import AnalysisError
    from mien.types import AnalysisResult, StreamState

    for each in heard:
        status = each.status
        if status.state is not StreamState.OK:
            raise AnalysisError(f"{status.analyzer}: {status.reason}")
        if each.predictions:
            fused = engine.fuse(each.predictions, expected={status.modality})
            yield AnalysisResult(predictions=each.predictions, satisfaction=fused, streams=(status,))


def _limited(microphone: Microphone, seconds: float) -> Iterator[AudioClip]:
    """The microphone's clips; only those of the first so many seconds, unless 0."""
    for clip in microphone:
        if seconds and clip.captured_at >= seconds:
            return
        yield clip


def _json_line(result: AnalysisResult) -> str:
    """The line that ``mien analyze --json`` would print."""
    from mien.cli.reading import Finding
    from mien.cli.sinks import as_record
    from mien.records import to_json

    return to_json(as_record(Finding(result=result, at_seconds=result.predictions[0].interval.start)))


def _line(result: AnalysisResult) -> str:
    from mien.types import Transcript

    parts = []
    for prediction in result.predictions:
        said = prediction.evidence
        words = f'"{said.text}"' if isinstance(said, Transcript) and said.text else "(speech)"
        share = prediction.emotions[prediction.top_emotion]
        at = prediction.interval
        parts.append(f"{at.start:.1f} to {at.end:.1f} s  {words}  {prediction.top_emotion} {share:.0%}")
    fused = result.satisfaction
    return f"{'; '.join(parts)}  satisfaction {fused.score:.2f} {fused.verdict.value.upper()}"
