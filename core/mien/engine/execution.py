"""Runs analyzers so that none can hurt the others: in parallel, in batches, each behind its guard, its answers checked.

It knows samples and outcomes. Which analyzer takes part in which request, and what becomes of the outcomes, is
``mien.engine``. Work is written as steps (``mien.plugins.guard.Steps``), which a thread or an event loop can drive.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from mien.engine.standing import Standing
from mien.errors import InputError, MienError
from mien.interfaces import Analyzer, AnalyzerInfo
from mien.plugins.checking import (
    checked_predictions,
    checked_remark,
    checked_samples,
    own_sample,
    own_samples,
    raised_by_types,
)
from mien.plugins.guard import (
    STUCK,
    CallKind,
    Deadlines,
    GuardedCall,
    PluginCallError,
    Result,
    Steps,
    can_be_told,
    log_raised,
)
from mien.plugins.host import PluginHost
from mien.plugins.parts import PartKind
from mien.plugins.slots import explain
from mien.types import AudioClip, Prediction, Sample, StreamState, StreamStatus

CLOSED: Final = "the engine is closed"
"""The reason of what came too late."""

_log = logging.getLogger("mien.engine")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one analyzer made of one sample.

    Attributes:
        status: How it went.
        predictions: What it saw or heard; empty where the status is not OK.
        error: What was wrong with the sample, where the sample was to blame.
        is_busy: The analyzer was busy, or did not answer in time: later it may.
    """

    status: StreamStatus
    predictions: tuple[Prediction, ...] = ()
    error: InputError | None = None
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to one sample, before it is known how long it took."""

    state: StreamState = StreamState.OK
    reason: str = ""
    predictions: tuple[Prediction, ...] = ()
    error: InputError | None = None
    is_busy: bool = False
    remark: str = ""


class Executor:
    """Has the analyzers of a host work. Thread-safe."""

    def __init__(self, host: PluginHost, *, deadlines: Deadlines, max_batch: int) -> None:
        self._host = host
        self._deadlines = deadlines
        self._max_batch = max_batch
        self.standing = Standing()
        self._first_uses: dict[str, _FirstUse] = {}
        self._lock = threading.Lock()
        self._closed = False

    def run(self, work: Mapping[str, Sequence[Sample]]) -> Steps[dict[str, list[Outcome]]]:
        """Give each analyzer its samples, all analyzers at the same time.

        Args:
            work: Name of a registered, enabled analyzer -> samples of kinds that it accepts.

        Returns:
            Name -> one outcome for each sample, in order. Nothing that an analyzer does is raised.
        """
        failed = yield from self._make_ready(work)
        outcomes: dict[str, list[Outcome]] = {
            name: [self._outcome(name, failed[name], 0.0)] * len(samples) if name in failed else []
            for name, samples in work.items()
        }
        longest = max((len(samples) for name, samples in work.items() if name not in failed), default=0)
        for start in range(0, longest, self._max_batch):
            chunks = {
                name: samples[start : start + self._max_batch]
                for name, samples in work.items()
                if name not in failed and start < len(samples)
            }
            answered = yield from self._run_chunks(chunks)
            for name, found in answered.items():
                outcomes[name] += found
        return outcomes

    def parts(self, name: str, sample: Sample) -> Steps[tuple[Sample, ...]]:
        """Cut a sample into what an analyzer can look at one by one; the sample alone where it cannot be cut."""
        failed = yield from self._make_ready({name: (sample,)})
        if failed or type(analyzer := self._host.analyzer(name)).parts is Analyzer.parts:
            return (sample,)
        info = self._host.analyzers[name].info
        own = own_sample(sample)

        def cut() -> tuple[Sample, ...]:
            return checked_samples(list(analyzer.parts(own)), info, analyzer=name, call=CallKind.PARTS)

        call = self._submit(name, CallKind.PARTS, cut)
        yield call
        try:
            return call.result()
        except MienError as error:  # analysed as a whole it answers for itself
            _log.debug("analyzer %r cut nothing: %s", name, reason_of(error))
            return (sample,)

    def submit(
        self,
        name: str,
        part: PartKind,
        kind: CallKind,
        function: Callable[[], Result],
        *,
        more_seconds: float = 0.0,
    ) -> GuardedCall[Result]:
        """Begin a call into a part, through its guard; an analysis may take so much longer than its deadline says."""
        if self._closed:
            return GuardedCall(f"{part} {name!r}", kind, None, None, CLOSED)
        return self._host.guard(name, part).submit(kind, function, deadlines=self._deadlines.plus(more_seconds))

    def warm_up(self, names: Sequence[str]) -> Steps[dict[str, str]]:
        """Load and warm up analyzers.

        Returns:
            Name -> the reason, for those that cannot be used.
        """
        calls = {name: self._submit(name, CallKind.WARM_UP, self._first_use(name).warm_up) for name in names}
        reasons: dict[str, str] = {}
        for name, call in calls.items():
            yield call
            try:
                call.result()
            except MienError as error:
                reasons[name] = reason_of(error)
        return reasons

    def close(self) -> None:
        """Take no more work. Calls that run are not waited for."""
        self._closed = True

    def _submit(self, analyzer: str, kind: CallKind, function: Callable[[], Result]) -> GuardedCall[Result]:
        return self.submit(analyzer, PartKind.ANALYZER, kind, function)

    def _make_ready(self, names: Mapping[str, object]) -> Steps[dict[str, _Answer]]:
        """Load what is not loaded yet, and compile; the answer to every sample of those that cannot be used.

        Who waits for an analysis as long as it takes waits for the compiling in it, too, and needs no more than that.
        """
        failed = yield from self._load([name for name in names if not self._host.is_loaded(name)])
        if self._deadlines.seconds_of(CallKind.ANALYZE) is None:
            return failed
        cold = [name for name in names if name not in failed and not self._first_use(name).done]
        calls = {name: self._submit(name, CallKind.WARM_UP, self._first_use(name)) for name in cold}
        for name, call in calls.items():
            yield call
            try:
                call.result()
            except MienError as error:
                _log.warning("analyzer %r could not be warmed up: %s", name, reason_of(error))
        return failed

    def _load(self, names: Sequence[str]) -> Steps[dict[str, _Answer]]:
        calls = {name: self._submit(name, CallKind.FACTORY, partial(self._host.analyzer, name)) for name in names}
        failed: dict[str, _Answer] = {}
        for name, call in calls.items():
            yield call
            try:
                call.result()
                continue
            except PluginCallError as error:
                seconds = self._deadlines.seconds_of(CallKind.FACTORY) or 0.0
                reason = f"it has been loading for {seconds:g} s" if error.timed_out else error.reason
            except MienError as error:
                reason = explain(error)
            failed[name] = _Answer(StreamState.UNAVAILABLE, reason)
            _log.warning("analyzer %r could not be loaded: %s", name, reason)
        return failed

    def _run_chunks(self, chunks: Mapping[str, Sequence[Sample]]) -> Steps[dict[str, list[Outcome]]]:
        calls = {
            name: self.submit(
                name,
                PartKind.ANALYZER,
                CallKind.ANALYZE,
                _analysis(self._host, name, own_samples(samples)),
                more_seconds=_sound_seconds(samples),
            )
            for name, samples in chunks.items()
        }
        outcomes: dict[str, list[Outcome]] = {}
        for name, call in calls.items():
            yield call
            answers = _answers(call, len(chunks[name]))
            _log_failures(name, answers)
            if any(answer.state is StreamState.OK for answer in answers):
                self.standing.note(name, worked=True)
            elif all(answer.error is None and not answer.is_busy for answer in answers):
                self.standing.note(name, worked=False)
            seconds = 0.0 if call.submitted_at is None else time.monotonic() - call.submitted_at
            outcomes[name] = [self._outcome(name, answer, seconds) for answer in answers]
        return outcomes

    def _first_use(self, name: str) -> _FirstUse:
        with self._lock:
            return self._first_uses.setdefault(name, _FirstUse(self._host, name))

    def _outcome(self, name: str, answer: _Answer, seconds: float) -> Outcome:
        status = StreamStatus(
            analyzer=name,
            modality=self._host.analyzers[name].info.modality,
            state=answer.state,
            reason=answer.reason,
            seconds=seconds,
            remark=answer.remark,
        )
        return Outcome(status, answer.predictions, answer.error, answer.is_busy)


class _FirstUse:
    """Warms an analyzer up before the first analysis whose time is counted, once for all who ask."""

    def __init__(self, host: PluginHost, name: str) -> None:
        self._host = host
        self._name = name
        self._lock = threading.Lock()
        self.done = False

    def __call__(self) -> None:
        """Warm up, unless that was tried before."""
        with self._lock:
            if not self.done:
                self._warm_up()

    def warm_up(self) -> None:
        """Warm up in any case."""
        with self._lock:
            self._warm_up()

    def _warm_up(self) -> None:
        try:
            self._host.analyzer(self._name).warm_up()
        finally:
            self.done = True


def reason_of(error: MienError) -> str:
    """What went wrong, where it is clear whose call it was."""
    return error.reason if isinstance(error, PluginCallError) else explain(error)


def _sound_seconds(samples: Sequence[Sample]) -> float:
    """How long the sound among samples lasts: recognising it takes longer the longer it is."""
    return sum(sample.duration_seconds for sample in samples if isinstance(sample, AudioClip))


def _answers(call: GuardedCall[list[_Answer]], count: int) -> list[_Answer]:
    try:
        return call.result()
    except PluginCallError as error:
        is_busy = error.timed_out or error.reason == STUCK
        return [_Answer(error.state, error.reason, is_busy=is_busy)] * count
    except MienError as error:  # it could not be loaded, which was found out before
        return [_Answer(StreamState.UNAVAILABLE, explain(error))] * count


def _log_failures(name: str, answers: Sequence[_Answer]) -> None:
    """Tell what an analyzer did wrong, once a batch. A bad sample is told to its caller, and not here."""
    failures = {(answer.state, answer.reason) for answer in answers if answer.error is None}
    for state, reason in sorted(failures):
        if state is StreamState.UNAVAILABLE:  # told when it became so, and true of every call since
            _log.debug("analyzer %r is unavailable: %s", name, reason)
        elif state is not StreamState.OK:
            _log.warning("analyzer %r: %s: %s", name, state.value, reason)


def _analysis(host: PluginHost, name: str, samples: tuple[Sample, ...]) -> Callable[[], list[_Answer]]:
    info = host.analyzers[name].info
    guard = host.guard(name, PartKind.ANALYZER)

    def analyze() -> list[_Answer]:
        answers = _analyze(host.analyzer(name), name, info, samples)
        # It returned, so that the guard saw nothing wrong.
        for state in {answer.state for answer in answers if answer.error is None} - {StreamState.OK}:
            guard.note_failure(CallKind.ANALYZE, state)
        return answers

    return analyze


def _analyze(analyzer: Analyzer, name: str, info: AnalyzerInfo, samples: tuple[Sample, ...]) -> list[_Answer]:
    """Analyse a batch; where it raises, each sample by itself, so that a bad one costs nobody else."""
    try:
        results: object = analyzer.analyze(samples)
    except BaseException as error:
        if len(samples) > 1:
            return [answer for sample in samples for answer in _analyze(analyzer, name, info, (sample,))]
        return [_blame(error, name)]
    copied = list(results) if isinstance(results, list) else None
    if copied is None or len(copied) != len(samples):
        got = f"a {type(results).__name__}" if copied is None else f"a list of {len(copied)}"
        reason = f"it answered {got} to {len(samples)} samples"
        return [_Answer(StreamState.INVALID, reason)] * len(samples)
    return [_check(result, name, info, sample) for result, sample in zip(copied, samples, strict=True)]


def _check(result: object, name: str, info: AnalyzerInfo, sample: Sample) -> _Answer:
    """The answer, where the analyzer kept its contract; INVALID where it did not."""
    try:
        remark = checked_remark(result, analyzer=name)
        return _Answer(predictions=checked_predictions(result, info, sample, analyzer=name), remark=remark)
    except PluginCallError as error:
        return _Answer(error.state, error.reason)


def _blame(error: BaseException, name: str) -> _Answer:
    """Whose fault an exception is: the sample's, a broken contract's, or the analyzer's own."""
    if isinstance(error, InputError) and can_be_told(error):
        return _Answer(StreamState.FAILED, explain(error), error=error)
    if raised_by_types(error):
        return _Answer(StreamState.INVALID, f"it made a value that is not allowed: {error}")
    if isinstance(error, MienError) and can_be_told(error):
        return _Answer(StreamState.FAILED, explain(error))
    log_raised(f"analyzer {name!r}", error)
    return _Answer(StreamState.FAILED, f"it raised {type(error).__name__}")
