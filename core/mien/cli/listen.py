"""``mien listen``: a microphone, live: each utterance with its words, tone and satisfaction, until Ctrl-C.

Nothing that is heard is stored. Recognition runs in the thread that reads; meanwhile sound waits in the queue.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.state import CliState, state_of

if TYPE_CHECKING:
    from mien.cli.delivery import Delivery
    from mien.cli.following import Moment
    from mien.media.microphone import Microphone
    from mien.types import AudioClip


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
    partials: Annotated[
        bool | None,
        typer.Option(
            "--partials/--no-partials",
            help="Show words while they are spoken; on a terminal, unless told otherwise.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Listen to a microphone and say what each utterance means.

    An utterance is shown when it has ended; one in which no words are found is not. On a terminal, what is being said
    stands dimmed below until then.
    Exit code 0: stopped. 1: the microphone cannot be used, or has gone. 2: wrong usage.
    """
    from mien.media.microphone import Microphone

    state = state_of(context)
    if analyzer:
        state.enable_only(analyzer)
    if redact_transcript:
        state.redact_transcripts()
    if as_json and partials:
        raise typer.BadParameter("--json prints records, which hold results alone; leave --partials out")
    listener = _Listener(
        state,
        name=" ".join(("microphone", device)).strip(),
        as_json=as_json,
        partials=sys.stdout.isatty() and not as_json if partials is None else partials,
    )
    chosen: str | int | None = int(device) if device.isdigit() else device or None
    try:
        with Microphone(device=chosen) as microphone:
            try:
                listener.listen(_limited(microphone, seconds))
            except KeyboardInterrupt:  # the way to stop; what was being said is still analysed
                listener.finish()
            finally:
                if microphone.overruns:
                    listener.warn(
                        f"sound was lost {microphone.overruns} times: this machine recognises speech more slowly than "
                        "it is spoken"
                    )
    finally:
        listener.close()


class _Listener:
    """Gives out each utterance when it has ended, and when the sound ends the one that was open."""

    def __init__(self, state: CliState, *, name: str, as_json: bool, partials: bool) -> None:
        """Load the analyzers.

        Raises:
            AnalysisError: No enabled analyzer takes sound.
            PluginError: None of them can be used.
        """
        from mien.cli.findings import Run
        from mien.cli.following import Follower
        from mien.cli.utterances import Utterances
        from mien.types import SampleKind

        self._name = name
        self._run = Run(engine=state.engine, host=state.host, settings=state.settings)
        self._delivery = _delivery(state, as_json=as_json)
        tell = self._delivery.tell if partials else None
        self._follower = Follower(self._run, SampleKind.AUDIO, tell_partial=tell)
        self._utterances = Utterances(analyzers=len(self._follower.analyzers))
        self._told: set[str] = set()

    def listen(self, clips: Iterable[AudioClip]) -> None:
        """Listen to the end.

        Raises:
            AnalysisError: No analyzer could listen.
        """
        for clip in clips:
            self._warn_of_missing()
            now = clip.captured_at + clip.duration_seconds
            self._give_out(self._utterances.add(self._follower.follow([clip]), now=now))
        self.finish()

    def finish(self) -> None:
        """Give out what is still open; the sound has ended."""
        self._give_out(self._utterances.rest(self._follower.finish()))

    def warn(self, message: str) -> None:
        """Say on stderr what somebody should know."""
        self._delivery.warn(message)

    def close(self) -> None:
        """Let go of everything."""
        self._follower.close()
        self._delivery.close()

    def _warn_of_missing(self) -> None:
        """Say once of each analyzer that it does not work; of the last one, an error tells."""
        for status in self._follower.failures:
            if status.analyzer not in self._told:
                self._told.add(status.analyzer)
                self.warn(f"{status.analyzer} is missing: {status.reason}")

    def _give_out(self, moments: Sequence[Moment]) -> None:
        from mien.cli.findings import Finding
        from mien.cli.following import nobody_left
        from mien.errors import AnalysisError

        for moment in moments:
            if moment.is_missing:
                raise AnalysisError(nobody_left(moment.statuses))
            if moment.predictions:  # else no words were found in it
                self._delivery.deliver(
                    Finding(
                        result=self._run.result(moment.predictions, moment.statuses),
                        device=self._name,
                        at_seconds=moment.predictions[0].interval.start,
                    )
                )


def _delivery(state: CliState, *, as_json: bool) -> Delivery:
    from rich.console import Console

    from mien.cli.delivery import Delivery
    from mien.cli.outputs import HeardOutput, JsonOutput
    from mien.plugins.sinks import Sinks

    output = JsonOutput(sys.stdout) if as_json else HeardOutput(sys.stdout)
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    return Delivery(Sinks(state.host), [output], messages, redact=state.settings.privacy.redact_transcript)


def _limited(microphone: Microphone, seconds: float) -> Iterator[AudioClip]:
    """The microphone's clips; only those of the first so many seconds, unless 0."""
    for clip in microphone:
        if seconds and clip.captured_at >= seconds:
            return
        yield clip
