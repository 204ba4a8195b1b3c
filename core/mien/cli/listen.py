"""``mien listen``: a microphone, live: each utterance with its words, tone and satisfaction, until Ctrl-C.

Nothing that is heard is stored. Recognition runs in the thread that reads; meanwhile sound waits in the queue.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.state import state_of

if TYPE_CHECKING:
    from mien.engine import Engine
    from mien.host import PluginHost
    from mien.media.microphone import Microphone
    from mien.types import AnalysisResult, AudioClip, Sample


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

    Exit code 0: stopped. 1: the microphone cannot be used, or has gone. 2: wrong usage.
    """
    from mien.media.microphone import Microphone

    state = state_of(context)
    if analyzer:
        state.enable_only(analyzer)
    redact = redact_transcript or state.settings.privacy.redact_transcript
    listener = Listener(state.engine, state.host)
    show = _json_line if as_json else _line
    chosen: str | int | None = int(device) if device.isdigit() else device or None
    with Microphone(device=chosen) as microphone:
        try:
            for result in listener.results(_limited(microphone, seconds)):
                _show(_without_words(result) if redact else result, show)
        except KeyboardInterrupt:  # the way to stop; what was being said is still analysed
            for result in listener.finish():
                _show(_without_words(result) if redact else result, show)
        finally:
            if microphone.overruns:
                typer.echo(
                    f"mien: warning: sound was lost {microphone.overruns} times: this machine recognises speech more "
                    "slowly than it is spoken",
                    err=True,
                )


class Listener:
    """Runs every enabled analyzer that takes sound on one live stream, and fuses what they say of each utterance."""

    def __init__(self, engine: Engine, host: PluginHost) -> None:
        """Load the analyzers and open their streams.

        Raises:
            AnalysisError: No enabled analyzer takes sound.
            PluginError: One cannot be loaded.
        """
        from mien.errors import AnalysisError
        from mien.interfaces import StreamSettings
        from mien.types import SampleKind

        self._engine = engine
        names = engine.enabled_for({SampleKind.AUDIO})
        if not names:
            raise AnalysisError(
                "no enabled analyzer takes sound; say --analyzer voice, or name it in [engine] analyzers of the "
                "configuration ('mien plugins list' shows what is installed)"
            )
        self._modalities = {name: host.analyzers[name].info.modality for name in names}
        self._streams = {name: host.analyzer(name).open_stream(StreamSettings()) for name in names}

    def results(self, clips: Iterator[AudioClip]) -> Iterator[AnalysisResult]:
        """One result for each utterance that has ended; at the end of the sound also for the one that was open.

        Raises:
            AnalysisError: An analyzer failed on an utterance.
        """
        for clip in clips:
            for name, stream in self._streams.items():
                for sample in stream.push(clip):
                    yield self._analyze(name, sample)
        yield from self.finish()

    def finish(self) -> Iterator[AnalysisResult]:
        """Results for the utterances that were still open."""
        for name, stream in self._streams.items():
            for sample in stream.flush():
                yield self._analyze(name, sample)

    def _analyze(self, name: str, sample: Sample) -> AnalysisResult:
        from mien.errors import AnalysisError
        from mien.types import AnalysisResult, StreamState, StreamStatus

        answer = self._engine.predict(name, [sample])[0]
        if isinstance(answer, StreamStatus):
            raise AnalysisError(f"{name}: {answer.reason}")
        predictions = tuple(self._streams[name].observe(sample, answer))
        modality = self._modalities[name]
        return AnalysisResult(
            predictions=predictions,
            satisfaction=self._engine.fuse(predictions, expected={modality}),
            streams=(StreamStatus(name, modality, StreamState.OK),),
        )


def _limited(microphone: Microphone, seconds: float) -> Iterator[AudioClip]:
    """The microphone's clips; only those of the first so many seconds, unless 0."""
    for clip in microphone:
        if seconds and clip.captured_at >= seconds:
            return
        yield clip


def _show(result: AnalysisResult, show: Callable[[AnalysisResult], str]) -> None:
    """Print an utterance at once; one in which no words were found says nothing."""
    if result.predictions:
        typer.echo(show(result))
        sys.stdout.flush()


def _json_line(result: AnalysisResult) -> str:
    from mien import records

    return records.to_json(records.AnalysisRecord(recorded_at=records.now(), analysis=result))


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


def _without_words(result: AnalysisResult) -> AnalysisResult:
    from mien.redaction import redacted

    return redacted(result)
