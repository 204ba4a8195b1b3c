"""Runs analyzers so that none can hurt the others: in parallel, in batches, each with a deadline, its answers checked.

It knows samples and outcomes. Which analyzer takes part in which request, and what becomes of the outcomes, is
``mien.engine``.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import mien.types
from mien.errors import InputError, MienError
from mien.interfaces import Analyzer, AnalyzerInfo
from mien.plugins.host import PluginHost
from mien.plugins.registry import explain
from mien.plugins.workers import Call, CallTimeoutError, Lane, LaneBusyError, LaneClosedError, Result
from mien.types import Prediction, Sample, StreamState, StreamStatus

LOAD_SECONDS: Final = 120.0
"""How long a request waits for an analyzer that is being loaded; ``warm_up`` waits for ever."""

_log = logging.getLogger("mien.engine")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one analyzer made of one sample.

    Attributes:
        status: How it went.
        predictions: What it saw or heard; empty where the status is not OK.
        error: What was wrong with the sample, where the sample was to blame.
    """

    status: StreamStatus
    predictions: tuple[Prediction, ...] = ()
    error: InputError | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to one sample, before it is known how long it took."""

    state: StreamState = StreamState.OK
    reason: str = ""
    predictions: tuple[Prediction, ...] = ()
    error: InputError | None = None


class Executor:
    """Keeps one lane of threads for each analyzer and fuser. Thread-safe."""

    def __init__(self, host: PluginHost, *, deadline_seconds: float, max_batch: int) -> None:
        self._host = host
        self._deadline = deadline_seconds
        self._max_batch = max_batch
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()
        self._closed = False

    def run(self, work: Mapping[str, Sequence[Sample]]) -> dict[str, list[Outcome]]:
        """Give each analyzer its samples, all analyzers at the same time.

        Args:
            work: Name of a registered, enabled analyzer -> samples of kinds that it accepts.

        Returns:
            Name -> one outcome for each sample, in order. Nothing that an analyzer does is raised.
        """
        failed = self._load(work)
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
            for name, answered in self._run_chunks(chunks).items():
                outcomes[name] += answered
        return outcomes

    def call(self, name: str, function: Callable[[], Result]) -> Result:
        """Run something else under the deadline, in a lane of its own.

        Raises:
            CallTimeoutError: It took too long.
            LaneBusyError: An earlier call took too long and has not returned.
            LaneClosedError: The executor was closed.
        """
        return self._lane(name).submit(function).wait(self._deadline)

    def warm_up(self, names: Sequence[str]) -> dict[str, str]:
        """Load and warm up analyzers, however long it takes.

        Returns:
            Name -> the reason, for those that cannot be used.
        """
        calls: dict[str, Call[None]] = {}
        failed: dict[str, _Answer] = {}
        for name in names:
            self._submit(name, _warmer(self._host, name), calls, failed)
        reasons = {name: answer.reason for name, answer in failed.items()}
        for name, call in calls.items():
            try:
                call.wait(None)
            except Exception as error:
                reasons[name] = explain(error)
        return reasons

    def close(self) -> None:
        """Let the threads end. Calls that run are not waited for."""
        with self._lock:
            self._closed = True
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.close()

    def _lane(self, name: str) -> Lane:
        with self._lock:
            if self._closed:
                raise LaneClosedError(name)
            return self._lanes.setdefault(name, Lane(name))

    def _load(self, work: Mapping[str, Sequence[Sample]]) -> dict[str, _Answer]:
        """Load what is not loaded yet; the answer to every sample of those that cannot be."""
        calls: dict[str, Call[Analyzer]] = {}
        failed: dict[str, _Answer] = {}
        for name in work:
            if not self._host.is_loaded(name):
                self._submit(name, lambda name=name: self._host.analyzer(name), calls, failed)  # type: ignore[misc]
        for name, call in calls.items():
            try:
                call.wait(LOAD_SECONDS)
                continue
            except CallTimeoutError:
                failed[name] = _Answer(StreamState.UNAVAILABLE, f"it has been loading for {LOAD_SECONDS:g} s")
            except Exception as error:
                failed[name] = _Answer(StreamState.UNAVAILABLE, explain(error))
            _log.warning("analyzer %r could not be loaded: %s", name, failed[name].reason)
        return failed

    def _run_chunks(self, chunks: Mapping[str, Sequence[Sample]]) -> dict[str, list[Outcome]]:
        calls: dict[str, Call[list[_Answer]]] = {}
        failed: dict[str, _Answer] = {}
        for name, samples in chunks.items():
            self._submit(name, _analysis(self._host, name, samples), calls, failed)
        outcomes = {name: [self._outcome(name, answer, 0.0)] * len(chunks[name]) for name, answer in failed.items()}
        for name, call in calls.items():
            answers = self._wait(name, call, len(chunks[name]))
            _log_failures(name, answers)
            seconds = time.monotonic() - call.submitted_at
            outcomes[name] = [self._outcome(name, answer, seconds) for answer in answers]
        return outcomes

    def _submit(
        self, name: str, function: Callable[[], Result], calls: dict[str, Call[Result]], failed: dict[str, _Answer]
    ) -> None:
        try:
            calls[name] = self._lane(name).submit(function)
        except LaneBusyError:
            reason = "it has not returned from a call that ran out of time, and takes no new one until it does"
            failed[name] = _Answer(StreamState.UNAVAILABLE, reason)
        except LaneClosedError:
            failed[name] = _Answer(StreamState.UNAVAILABLE, "the engine is closed")

    def _wait(self, name: str, call: Call[list[_Answer]], count: int) -> list[_Answer]:
        try:
            return call.wait(self._deadline)
        except CallTimeoutError as error:
            doing = "it did not answer" if error.started else "it was busy with other requests"
            return [_Answer(StreamState.TIMED_OUT, f"{doing} for {self._deadline:g} s")] * count
        except LaneClosedError:
            return [_Answer(StreamState.UNAVAILABLE, "the engine is closed")] * count
        except Exception as error:
            return [_Answer(StreamState.UNAVAILABLE, explain(error))] * count

    def _outcome(self, name: str, answer: _Answer, seconds: float) -> Outcome:
        status = StreamStatus(
            analyzer=name,
            modality=self._host.analyzers[name].info.modality,
            state=answer.state,
            reason=answer.reason,
            seconds=seconds,
        )
        return Outcome(status, answer.predictions, answer.error)


def _log_failures(name: str, answers: Sequence[_Answer]) -> None:
    """Tell what an analyzer did wrong, once a batch. A bad sample is told to its caller, and not here."""
    failures = {(answer.state, answer.reason) for answer in answers if answer.error is None}
    for state, reason in sorted(failures):
        if state is StreamState.UNAVAILABLE:  # told when it became so, and true of every call since
            _log.debug("analyzer %r is unavailable: %s", name, reason)
        elif state is not StreamState.OK:
            _log.warning("analyzer %r: %s: %s", name, state.value, reason)


def _warmer(host: PluginHost, name: str) -> Callable[[], None]:
    return lambda: host.analyzer(name).warm_up()


def _analysis(host: PluginHost, name: str, samples: Sequence[Sample]) -> Callable[[], list[_Answer]]:
    info = host.analyzers[name].info
    return lambda: _analyze(host.analyzer(name), name, info, samples)


def _analyze(analyzer: Analyzer, name: str, info: AnalyzerInfo, samples: Sequence[Sample]) -> list[_Answer]:
    """Analyse a batch; where it raises, each sample by itself, so that a bad one costs nobody else."""
    try:
        return _checked(analyzer.analyze(samples), name, info, len(samples))
    except (Exception, SystemExit) as error:
        if len(samples) > 1:
            return [answer for sample in samples for answer in _analyze(analyzer, name, info, [sample])]
        return [_blame(error)]


def _checked(results: object, name: str, info: AnalyzerInfo, count: int) -> list[_Answer]:
    """The answers, where the analyzer kept its contract; INVALID where it did not."""
    if not isinstance(results, list) or len(results) != count:
        got = f"a list of {len(results)}" if isinstance(results, list) else f"a {type(results).__name__}"
        return [_Answer(StreamState.INVALID, f"it answered {got} to {count} samples")] * count
    return [_check_sample(result, name, info) for result in results]


def _check_sample(result: object, name: str, info: AnalyzerInfo) -> _Answer:
    if not isinstance(result, list | tuple):
        return _Answer(StreamState.INVALID, f"it answered a {type(result).__name__} where a list was expected")
    for prediction in result:
        if not isinstance(prediction, Prediction):
            return _Answer(StreamState.INVALID, f"it answered a {type(prediction).__name__}, not a Prediction")
        if prediction.modality != info.modality:
            reason = f"it answered for modality {prediction.modality!r}, and it was registered for {info.modality!r}"
            return _Answer(StreamState.INVALID, reason)
    return _Answer(predictions=tuple(replace(prediction, analyzer=name) for prediction in result))


def _blame(error: BaseException) -> _Answer:
    """Whose fault an exception is: the sample's, a broken contract's, or the analyzer's own."""
    if isinstance(error, InputError):
        return _Answer(StreamState.FAILED, explain(error), error=error)
    if isinstance(error, ValueError) and _raised_by_types(error):
        return _Answer(StreamState.INVALID, f"it made a value that is not allowed: {error}")
    if isinstance(error, MienError):
        return _Answer(StreamState.FAILED, explain(error))
    # Where it happened, for the plugin's developer, but not the message: it may hold the caller's words.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.debug("analyzer raised %s\n%s", type(error).__name__, where)
    return _Answer(StreamState.FAILED, f"it raised {type(error).__name__}")


def _raised_by_types(error: ValueError) -> bool:
    last = list(traceback.walk_tb(error.__traceback__))[-1:]
    return any(frame.f_globals.get("__name__") == mien.types.__name__ for frame, _ in last)
