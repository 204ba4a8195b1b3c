"""The engine: requests in, results out. It picks the analyzers, has them run, and fuses what they said.

It knows no gRPC, no files and no sessions, and does no arithmetic of its own. Each of its methods comes twice: for
threads, and as ``..._async`` for an event loop, which no plugin's code ever runs on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from mien.config import Settings
from mien.engine import requests
from mien.engine.execution import CLOSED, Executor, Outcome, reason_of
from mien.engine.requests import AnalysisRequest
from mien.engine.standing import Standing
from mien.errors import AnalysisError, AnalyzerBusyError, MienError
from mien.interfaces import FusionContext, MismatchPolicy
from mien.plugins.checking import checked_satisfaction, own_predictions
from mien.plugins.guard import CallKind, Deadlines, PluginCallError, Steps, run_steps, run_steps_async
from mien.plugins.host import PluginHost
from mien.plugins.parts import PartKind
from mien.types import (
    AnalysisResult,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    StreamState,
    StreamStatus,
    kind_of,
)

__all__ = ["AnalysisRequest", "Engine", "Outcome"]

_NO_WEIGHTS: Final[Mapping[str, float]] = {}
_log = logging.getLogger("mien.engine")


class Engine:
    """Analyses requests with the plugins of a host. Thread-safe; closing it leaves the host open."""

    def __init__(self, host: PluginHost, settings: Settings, *, deadlines: Deadlines | None = None) -> None:
        """Take a host.

        Args:
            host: The plugins.
            settings: How predictions are fused, how many samples go in one batch, and how long an analysis may take.
            deadlines: In the place of those that follow from the settings; ``Deadlines.patient`` for somebody who waits
                for an analysis however long it takes.
        """
        self._host = host
        self._settings = settings
        self._executor = Executor(
            host, deadlines=deadlines or Deadlines.of(settings), max_batch=settings.limits.max_batch
        )

    @property
    def standing(self) -> Standing:
        """How the analyzers have fared of late."""
        return self._executor.standing

    def analyze(self, request: AnalysisRequest) -> AnalysisResult:
        """Analyse one request.

        Raises:
            InputError: There is no sample, no analyzer takes it, or it cannot be used and nothing else is left.
            AnalyzerNotFoundError: A named analyzer or fuser does not exist or is not enabled.
            AnalysisError: No stream could be analysed (``AnalyzerBusyError``: for now), or the predictions could not be
                fused.
        """
        result = self.analyze_batch([request])[0]
        if isinstance(result, MienError):
            raise result
        return result

    def analyze_batch(self, batch: Sequence[AnalysisRequest]) -> list[AnalysisResult | MienError]:
        """Analyse independent requests, each analyzer's samples of all of them in one batch.

        Returns:
            One answer for each request, in order: its result, or the error that ``analyze`` would raise.
        """
        return run_steps(self._analyze_batch(batch))

    async def analyze_batch_async(self, batch: Sequence[AnalysisRequest]) -> list[AnalysisResult | MienError]:
        """As ``analyze_batch``, for an event loop."""
        return await run_steps_async(self._analyze_batch(batch))

    def predict(self, analyzer: str, samples: Sequence[Sample]) -> list[list[Prediction] | StreamStatus]:
        """Have one analyzer look at samples of a session.

        Returns:
            For each sample its predictions, or how it failed.

        Raises:
            AnalyzerNotFoundError: There is no such analyzer, or it is not enabled.
            InputError: It does not accept a sample's kind.
        """
        return run_steps(self._predict(analyzer, samples))

    async def predict_async(self, analyzer: str, samples: Sequence[Sample]) -> list[list[Prediction] | StreamStatus]:
        """As ``predict``, for an event loop: a sample goes from thread to thread twice, to the analyzer and back."""
        return await run_steps_async(self._predict(analyzer, samples))

    # The steps of ``analyze``, for a scheduler that has batches of its own

    def plan(self, request: AnalysisRequest) -> dict[str, list[Sample]]:
        """Analyzer -> the samples of this request that it is to be given. Raises as ``analyze`` does."""
        self._fuser_name(request.fuser)
        return requests.plan(self._host, request)

    def parallel(self, analyzer: str) -> int:
        """Pieces of sound that an analyzer works on at once. Raises as ``predict`` does."""
        return self._host.enabled_analyzer(analyzer).info.parallel

    def nothing(self, analyzer: str) -> Outcome:
        """What an analyzer makes of a sample in which nothing is to be analysed. Raises as ``predict`` does."""
        modality = self._host.enabled_analyzer(analyzer).info.modality
        return Outcome(StreamStatus(analyzer, modality, StreamState.OK))

    async def parts_async(self, analyzer: str, sample: Sample) -> tuple[Sample, ...]:
        """A sample as an analyzer can look at it piece by piece; see ``mien.Analyzer.parts``."""
        return await run_steps_async(self._executor.parts(analyzer, sample))

    async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
        """What one analyzer makes of samples; nothing that it does is raised.

        Raises:
            AnalyzerNotFoundError: There is no such analyzer, or it is not enabled.
            InputError: It does not accept a sample's kind.
        """
        registered = self._host.enabled_analyzer(analyzer)
        for sample in samples:
            requests.check_accepts(registered, {kind_of(sample)})
        return (await run_steps_async(self._executor.run({analyzer: samples})))[analyzer]

    async def answer_async(self, request: AnalysisRequest, outcomes: Mapping[str, Sequence[Outcome]]) -> AnalysisResult:
        """Fuse what the analyzers of a plan made of its samples. Raises as ``analyze`` does."""
        answer = await run_steps_async(self._answer(request, outcomes))
        if isinstance(answer, MienError):
            raise answer
        return answer

    def fuse(
        self,
        predictions: Sequence[Prediction],
        *,
        expected: Iterable[str],
        now: float | None = None,
        fuser: str = "",
        weights: Mapping[str, float] = _NO_WEIGHTS,
        half_life_seconds: float | None = None,
        mismatch_policy: MismatchPolicy | None = None,
    ) -> Satisfaction:
        """Turn predictions about one customer into one satisfaction.

        Args:
            predictions: Of any modalities; may be empty. Provisional ones are left out.
            expected: The modalities that were asked for.
            now: The moment the score is for, seconds on the caller's clock; None takes the newest prediction's end.
            fuser: Name; empty takes the configured one.
            weights: Modality -> prior weight, over the configured ones.
            half_life_seconds: Seconds; None takes the configured one.
            mismatch_policy: None takes the configured one.

        Raises:
            AnalyzerNotFoundError: There is no such fuser.
            InputError: A weight is negative, NaN or infinite, or of a modality that nobody has.
            AnalysisError: The fuser raised, took too long or answered something else.
        """
        name = self._fuser_name(fuser)
        requests.check_weights(self._host, weights)
        context = self._context(expected, weights)
        context = replace(context, now=now)
        if half_life_seconds is not None:
            context = replace(context, half_life_seconds=half_life_seconds)
        if mismatch_policy is not None:
            context = replace(context, mismatch_policy=mismatch_policy)
        return run_steps(self._fuse(name, tuple(predictions), context))

    def enabled_for(self, kinds: Collection[SampleKind]) -> tuple[str, ...]:
        """Names of the enabled analyzers that accept at least one of these kinds, in the order of names."""
        return requests.enabled_for(self._host, kinds)

    def warm_up(self) -> Mapping[str, str]:
        """Load and compile every enabled analyzer.

        Returns:
            Analyzer -> the reason, for those that could not be loaded or warmed up.
        """
        return run_steps(self._warm_up())

    async def warm_up_async(self) -> Mapping[str, str]:
        """As ``warm_up``, for an event loop."""
        return await run_steps_async(self._warm_up())

    def close(self) -> None:
        """Take no more work; calls that run are not waited for. May be called twice."""
        self._executor.close()

    def _warm_up(self) -> Steps[Mapping[str, str]]:
        reasons = yield from self._executor.warm_up(self.enabled_for(frozenset(SampleKind)))
        for name, reason in reasons.items():
            _log.warning("analyzer %r could not be warmed up: %s", name, reason)
        return reasons

    def _analyze_batch(self, batch: Sequence[AnalysisRequest]) -> Steps[list[AnalysisResult | MienError]]:
        plans = [self._plan(request) for request in batch]
        work: dict[str, list[Sample]] = {}
        for plan in plans:
            if not isinstance(plan, MienError):
                for name, samples in plan.items():
                    work.setdefault(name, []).extend(samples)
        found = yield from self._executor.run(work)
        outcomes = {name: iter(each) for name, each in found.items()}
        answers: list[AnalysisResult | MienError] = []
        for request, plan in zip(batch, plans, strict=True):
            if isinstance(plan, MienError):
                answers.append(plan)
                continue
            own = {name: [next(outcomes[name]) for _ in samples] for name, samples in plan.items()}
            answers.append((yield from self._answer(request, own)))
        return answers

    def _predict(self, analyzer: str, samples: Sequence[Sample]) -> Steps[list[list[Prediction] | StreamStatus]]:
        registered = self._host.enabled_analyzer(analyzer)
        for sample in samples:
            requests.check_accepts(registered, {kind_of(sample)})
        outcomes = yield from self._executor.run({analyzer: samples})
        return [
            list(outcome.predictions) if outcome.status.state is StreamState.OK else outcome.status
            for outcome in outcomes[analyzer]
        ]

    def _context(self, expected: Iterable[str], weights: Mapping[str, float]) -> FusionContext:
        fusion = self._settings.fusion
        return FusionContext(
            expected=frozenset(expected),
            weights={**fusion.weights, **weights},
            half_life_seconds=fusion.half_life_seconds,
            good_threshold=fusion.good_threshold,
            poor_threshold=fusion.poor_threshold,
            min_confidence=fusion.min_confidence,
            mismatch_policy=fusion.mismatch_policy,
            mismatch_pairs=fusion.mismatch_pairs,
        )

    def _fuse(self, name: str, predictions: tuple[Prediction, ...], context: FusionContext) -> Steps[Satisfaction]:
        own = own_predictions(each for each in predictions if not each.is_provisional)

        def fuse() -> Satisfaction:
            return checked_satisfaction(self._host.fuser(name).fuse(own, context), fuser=name)

        call = self._executor.submit(name, PartKind.FUSER, CallKind.FUSE, fuse)
        yield call
        try:
            return call.result()
        except MienError as error:
            reason = reason_of(error)
            _log.warning("fuser %r: %s", name, reason)
            if reason == CLOSED:
                raise AnalysisError(CLOSED) from None
            if isinstance(error, PluginCallError) and error.state is not StreamState.FAILED:
                raise AnalysisError(f"fuser {name!r} {reason.removeprefix('it ')}") from None
            raise AnalysisError(f"fuser {name!r} failed: {reason}") from error

    def _fuser_name(self, name: str) -> str:
        name = name or self._settings.fusion.fuser
        if name not in self._host.fusers:
            self._host.fuser(name)  # raises, with all that is known about why
        return name

    def _plan(self, request: AnalysisRequest) -> dict[str, list[Sample]] | MienError:
        """What each analyzer is given; or why the request cannot be analysed."""
        try:
            return self.plan(request)
        except MienError as error:
            return error

    def _answer(
        self, request: AnalysisRequest, outcomes: Mapping[str, Sequence[Outcome]]
    ) -> Steps[AnalysisResult | MienError]:
        streams = {name: _first_failure(found) for name, found in outcomes.items()}
        statuses = tuple(outcome.status for outcome in streams.values())
        if all(status.state is not StreamState.OK for status in statuses):
            return _nothing_left(list(streams.values()))
        predictions = _with_unique_subjects(
            prediction
            for name, found in outcomes.items()
            if streams[name].status.state is StreamState.OK
            for outcome in found
            for prediction in outcome.predictions
        )
        context = self._context((status.modality for status in statuses), request.weights)
        try:
            satisfaction = yield from self._fuse(self._fuser_name(request.fuser), predictions, context)
        except MienError as error:
            return error
        return AnalysisResult(predictions=predictions, satisfaction=satisfaction, streams=statuses)


def _first_failure(outcomes: Sequence[Outcome]) -> Outcome:
    """A stream is as good as its worst sample."""
    return next((outcome for outcome in outcomes if outcome.status.state is not StreamState.OK), outcomes[0])


def _nothing_left(outcomes: Sequence[Outcome]) -> MienError:
    """The error of a request of which no stream is left: the sample's where one was to blame, so callers can act."""
    for outcome in outcomes:
        if outcome.error is not None:
            return outcome.error
    reasons = "; ".join(f"{outcome.status.analyzer}: {outcome.status.reason}" for outcome in outcomes)
    is_busy = any(outcome.is_busy for outcome in outcomes)
    return (AnalyzerBusyError if is_busy else AnalysisError)(f"no stream could be analysed: {reasons}")


def _with_unique_subjects(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """Give a subject id to those that have none, or one that somebody earlier in the request has."""
    taken: set[str] = set()
    named = []
    for prediction in predictions:
        subject, number = prediction.subject_id, 1
        while not subject or subject in taken:
            subject = f"{prediction.modality}-{number}"
            number += 1
        taken.add(subject)
        named.append(replace(prediction, subject_id=subject))
    return tuple(named)
