"""One recording or microphone through the analyzers' streams: samples go in, moments come out.

What a stream gives back is analysed in one batch for each analyzer. An analyzer whose stream fails is missing from
the moments, with the reason; only where nobody is left does the recording end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mien.cli.findings import Run
from mien.errors import AnalysisError, InputError
from mien.live import NoticeKind, open_streams
from mien.live.streams import Ready
from mien.types import Prediction, Sample, SampleKind, StreamState, StreamStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the analyzers said of one picture or utterance.

    Attributes:
        sample: What they were asked about.
        start: When it began, seconds on the recording's clock.
        end: When it was over.
        predictions: Of those that could look or listen.
        statuses: How each analyzer fared, those that could not be asked among them.
        asked: Names of the analyzers that were asked.
    """

    sample: Sample
    start: float
    end: float
    predictions: tuple[Prediction, ...]
    statuses: tuple[StreamStatus, ...]
    asked: frozenset[str]

    @property
    def failures(self) -> tuple[StreamStatus, ...]:
        """How those failed that were asked and could not answer."""
        return tuple(
            status for status in self.statuses if status.analyzer in self.asked and status.state is not StreamState.OK
        )

    @property
    def is_missing(self) -> bool:
        """No analyzer could look or listen."""
        return all(status.state is not StreamState.OK for status in self.statuses)


class Follower:
    """Follows one recording or microphone with the analyzers of one kind of sample; not for use by several threads."""

    def __init__(
        self,
        run: Run,
        kind: SampleKind,
        *,
        every: float = 0.0,
        tell_partial: Callable[[Prediction], None] | None = None,
    ) -> None:
        """Load the analyzers and open their streams.

        Args:
            run: What the command was asked for.
            kind: Of the samples that will come.
            every: Seconds between two of them, on average; 0 where each is taken.
            tell_partial: Takes what is being said, on any thread; None where nobody wants to know.

        Raises:
            AnalysisError: No enabled analyzer takes such samples.
            PluginError: None of them can be used.
        """
        names = run.engine.enabled_for({kind})
        if not names:
            raise AnalysisError(_NOBODY_TAKES[kind])
        self._names = names
        self._engine = run.engine
        self._refusals: dict[str, None] = {}
        self._refused: list[str] = []  # of the last sample
        # Frames are picked by who reads the video, and at a constant frame rate no two are closer than half of
        # "every": so each of them is taken, and the streams still know how long a face may be out of sight.
        self._streams = open_streams(
            run.host,
            names,
            run.settings,
            snapshot_interval_seconds=every / 2,
            exclude_regions=run.settings.session.exclude_regions,
            tell=self._tell,
            tell_partial=tell_partial,
            deadlines=run.deadlines,
        )

    @property
    def analyzers(self) -> tuple[StreamStatus, ...]:
        """How each analyzer fares at present, in the order of names."""
        working = [each.status(StreamState.OK) for each in self._streams.participants if each.failure is None]
        return tuple(sorted((*working, *self.failures), key=lambda status: status.analyzer))

    @property
    def failures(self) -> tuple[StreamStatus, ...]:
        """Those of them that do not work, with the reasons."""
        return self._streams.failures

    @property
    def refusals(self) -> tuple[str, ...]:
        """What analyzers could not use of the samples, and why, each once."""
        return tuple(self._refusals)

    @property
    def is_working(self) -> bool:
        """Whether there is any that works."""
        return len(self.failures) < len(self._names)

    def follow(self, samples: Sequence[Sample]) -> list[Moment]:
        """Push the next samples, and analyse what is ready after them in one batch for each analyzer.

        Raises:
            InputError: Nobody could use a sample, for what is in it.
            AnalysisError: No analyzer is left.
        """
        taken: list[tuple[Ready, tuple[StreamStatus, ...]]] = []
        for sample in samples:
            self._refused.clear()
            ready = self._streams.push(sample)
            if not ready:
                self._check_that_somebody_is_left()
            taken += [(each, self._streams.failures) for each in ready]
        return self._analyze(taken)

    def finish(self) -> list[Moment]:
        """Analyse what the streams still hold; the recording has ended."""
        return self._analyze([(each, self._streams.failures) for each in self._streams.flush()])

    def close(self) -> None:
        """Let go of the streams."""
        self._streams.close()

    def _analyze(self, taken: Sequence[tuple[Ready, tuple[StreamStatus, ...]]]) -> list[Moment]:
        answers = self._ask([ready for ready, _ in taken])
        moments = []
        for (ready, absent), said in zip(taken, answers, strict=True):
            answer = self._streams.observe(ready, said)
            asked = frozenset(status.analyzer for status in answer.statuses)
            statuses = (*answer.statuses, *(status for status in absent if status.analyzer not in asked))
            moments.append(
                Moment(
                    sample=ready.sample,
                    start=ready.sample.captured_at,
                    end=ready.ends_at,
                    predictions=answer.predictions,
                    statuses=tuple(sorted(statuses, key=lambda status: status.analyzer)),
                    asked=asked,
                )
            )
        return moments

    def _ask(self, ready: Sequence[Ready]) -> list[Mapping[str, list[Prediction] | StreamStatus]]:
        """What the analyzers say of each moment, asked in one batch each."""
        answers: list[dict[str, list[Prediction] | StreamStatus]] = [{} for _ in ready]
        for name in self._names:
            wanted = [(index, each.samples[name]) for index, each in enumerate(ready) if name in each.samples]
            if not wanted:
                continue
            found = self._engine.predict(name, [sample for _, sample in wanted])
            for (index, _), answer in zip(wanted, found, strict=True):
                answers[index][name] = answer
        return list(answers)

    def _check_that_somebody_is_left(self) -> None:
        if self._refused and len(self._refused) + len(self.failures) >= len(self._names):
            raise InputError("; ".join(self._refused))
        if not self.is_working:
            raise AnalysisError(nobody_left(self.failures))

    def _tell(self, kind: NoticeKind, message: str) -> None:
        """Keep why a sample was refused; where a stream fails, its status tells."""
        if kind is NoticeKind.BAD_INPUT:
            self._refusals[message] = None
            self._refused.append(message)


def nobody_left(failures: Sequence[StreamStatus]) -> str:
    """Why there is no result, in one sentence."""
    reasons = dict.fromkeys(f"{status.analyzer}: {status.reason}" for status in failures)
    return f"no stream could be analysed: {'; '.join(reasons)}"


_NOBODY_TAKES: Final = {
    SampleKind.IMAGE: "no enabled analyzer takes pictures; see 'mien plugins list'",
    SampleKind.AUDIO: (
        "no enabled analyzer takes sound; say --analyzer voice, or name it in [engine] analyzers of the configuration "
        "('mien plugins list' shows what is installed)"
    ),
}
