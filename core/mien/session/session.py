"""The session itself: takes observations and markers in, keeps the running state, and sums up at the end."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from mien.errors import SessionError
from mien.interfaces import CustomerChoice, Fuser, NewCustomer
from mien.redaction import predictions_given_out
from mien.session.config import Consent, SessionConfig
from mien.session.customer import built_in_choice, is_excluded, is_seen
from mien.session.evidence import ConditionTally, SubjectEvidence
from mien.session.phases import PhaseLog
from mien.session.timeline import Misplaced, Timeline
from mien.session.values import END, Ledger, Marker, Observation, SessionEnd, SessionState, SessionSummary
from mien.types import Modality, Prediction, SampleKind, Satisfaction, TimeInterval

MAX_SUBJECTS: Final = 16
"""Subjects whose own satisfaction is kept; the one not seen for longest goes first (the group keeps its evidence)."""

MAX_LEDGER: Final = 20_000
"""A session with more than so many samples and markers keeps no ledger, so that its memory stays bounded."""


class Session:
    """One customer interaction. Pure: it reads no clock and its memory does not grow. Used by one thread at a time.

    What is pushed is dated by the caller's clock. ``now`` is another clock, the receiver's, and serves the idle timeout
    alone; any monotonic one will do.
    """

    def __init__(self, config: SessionConfig, fuser: Fuser, customer: CustomerChoice | None = None) -> None:
        """Open a session.

        Args:
            config: Its options.
            fuser: The rule that turns evidence into satisfaction.
            customer: Says who the customer is; None takes the core's own policy that ``config`` names.

        Raises:
            SessionError: A consent is required and was not given, or ``config`` names no policy of the core's own.
        """
        if config.require_consent and config.consent is Consent.UNSPECIFIED:
            raise SessionError(
                "this session needs a consent: show the notice or ask the person, and open it with consent "
                f"{Consent.NOTICE_SHOWN.value!r} or {Consent.GIVEN.value!r}"
            )
        self._config = config
        self._fuser = fuser
        self._timeline = Timeline(
            tolerance=config.late_tolerance_seconds,
            max_step=max(config.idle_timeout_seconds, 10.0 * config.snapshot_interval_seconds),
        )
        self._choice = built_in_choice(config.customer_policy) if customer is None else customer
        self._undecayed = config.fusion_context(half_life_seconds=math.inf)
        self._customers = 0
        self._began_at = -math.inf
        self._begin_evidence()
        self._snapshots = self._utterances = self._frames_dropped = 0
        self._late = self._duplicates = 0
        self._ledger: list[Observation | Marker] | None = [] if config.keep_ledger else None
        self._last_push: float | None = None
        self._end: SessionEnd | None = None

    def _begin_evidence(self) -> None:
        """All that belongs to one customer."""
        self._customer = SubjectEvidence(self._config, self._fuser)
        self._subjects: dict[str, SubjectEvidence] = {}
        self._phases = PhaseLog(lambda: self._fuser.accumulator(self._undecayed))
        self._peak = _Peak()
        self._conditions = ConditionTally()
        self._seen_from, self._seen_to = math.inf, -math.inf
        self._end_score = self._customer.current.score
        self._mismatches = self._rating = 0

    @property
    def config(self) -> SessionConfig:
        """The options it was opened with."""
        return self._config

    @property
    def end(self) -> SessionEnd | None:
        """Why it ended; None while it goes on."""
        return self._end

    def push(self, item: Observation | Prediction | Marker, *, now: float | None = None) -> SessionState:
        """Take one thing in.

        What was said before the end and recognised after it still counts; anything else after the end is refused. An
        observation that is too late, or came before, is counted as such and changes nothing. What is provisional counts
        in nothing at all.

        Args:
            item: What the analyzers said of one sample, a single prediction, or a marker.
            now: Seconds on the receiver's monotonic clock, for the idle timeout; None leaves it out.

        Returns:
            Where the session stands afterwards.

        Raises:
            SessionError: The session has ended.
            InputError: There are more markers than a session keeps.
        """
        self.tick(now)
        if now is not None and self._end is None:
            self._last_push = now
        if isinstance(item, Marker):
            self._require_open()
            self._keep(item)
            self._mark(item)
        else:
            observation = Observation.of(item) if isinstance(item, Prediction) else item
            self._require_taken(observation)
            final = tuple(each for each in observation.predictions if not each.is_provisional)
            if final or not observation.predictions:
                observation = replace(observation, predictions=final)
                self._keep(observation)
                self._observe(observation)
        return self.state()

    def tick(self, now: float | None) -> SessionEnd | None:
        """End the session if nothing was pushed for the idle timeout.

        Args:
            now: Seconds on the receiver's monotonic clock; the first call starts the wait.

        Returns:
            Why the session ended, or None while it goes on.
        """
        if now is not None:
            if self._last_push is None:
                self._last_push = now
            elif self._end is None and now - self._last_push > self._config.idle_timeout_seconds:
                self._end = SessionEnd.IDLE
        return self._end

    def note_dropped_frames(self, count: int = 1) -> None:
        """Count pictures that were left out because newer ones had arrived."""
        self._frames_dropped += count

    def close(self, end: SessionEnd = SessionEnd.CLOSED) -> SessionSummary:
        """End the session, if it has not ended, and sum up."""
        if self._end is None:
            self._end = end
        return self.summary()

    def state(self) -> SessionState:
        """Where the session stands."""
        percentages = self._customer.percentages()
        return SessionState(
            at=self._timeline.newest or 0.0,
            snapshots=self._snapshots,
            utterances=self._utterances,
            satisfaction=self._customer.current,
            emotion_percentages=percentages.get(Modality.FACE, {}),
            modality_percentages=percentages,
            subject_id=self._choice.subject_id,
            subjects={name: subject.current for name, subject in self._subjects.items()},
            mismatches=self._mismatches,
            end=self._end,
        )

    def summary(self) -> SessionSummary:
        """The whole interaction.

        Raises:
            SessionError: The session goes on.
        """
        if self._end is None:
            raise SessionError("the session goes on; close it to get its summary")
        end_score = self._end_score
        peak_score = self._peak.score if self._peak.found else end_score
        percentages = self._customer.percentages()
        first, last = self._span()
        return SessionSummary(
            session_id=self._config.session_id,
            end=self._end,
            interval=TimeInterval(first, last),
            overall=self._customer.overall(),
            peak_score=peak_score,
            end_score=end_score,
            peak_end_score=(peak_score + end_score) / 2.0,
            emotion_percentages=percentages.get(Modality.FACE, {}),
            modality_percentages=percentages,
            snapshots=self._snapshots,
            utterances=self._utterances,
            frames_dropped=self._frames_dropped,
            mismatches=self._mismatches,
            rating=self._rating,
            phases=self._phases.phases(first, last),
            reasons=self._customer.reasons(),
            subjects={name: subject.overall() for name, subject in self._subjects.items()},
            site=self._config.site,
            late=self._late,
            duplicates=self._duplicates,
            conditions=self._conditions.means(),
            ledger=self._kept(self._end),
        )

    def _span(self) -> tuple[float, float]:
        """From the first to the last evidence or marker; where there was none, all that was looked at."""
        if math.isfinite(self._seen_from):
            return self._seen_from, self._seen_to
        return self._timeline.oldest or 0.0, self._timeline.newest or 0.0

    def _keep(self, item: Observation | Marker) -> None:
        if self._ledger is None:
            return
        if isinstance(item, Observation):
            predictions = predictions_given_out(item.predictions, redact=self._config.redact_transcript)
            item = replace(item, predictions=predictions)
        self._ledger.append(item)
        if len(self._ledger) > MAX_LEDGER:
            self._ledger = None

    def _kept(self, end: SessionEnd) -> Ledger | None:
        if self._ledger is None:
            return None
        return Ledger(config=self._config, items=tuple(self._ledger), end=end, frames_dropped=self._frames_dropped)

    def _require_open(self) -> None:
        if self._end is not None:
            raise SessionError(f"the session has ended ({self._end.value}); open another one")

    def _require_taken(self, observation: Observation) -> None:
        if observation.kind is SampleKind.IMAGE or self._end in (SessionEnd.IDLE, SessionEnd.CLOSED):
            self._require_open()

    def _mark(self, marker: Marker) -> None:
        if self._timeline.is_repeated((marker.name, marker.at, marker.rating)):
            self._duplicates += 1
            return
        at = self._timeline.place_marker(marker.at, earliest=self._phases.last_began_at())
        self._timeline.reach(at)
        self._see(at)
        self._rating = marker.rating or self._rating
        if marker.name == END:
            self._end = SessionEnd.MARKER
        else:
            self._phases.begin(marker.name, at)

    def _observe(self, observation: Observation) -> None:
        placed = self._timeline.place(observation.kind, observation.at, _identity(observation))
        if isinstance(placed, Misplaced):
            self._late += placed is Misplaced.LATE
            self._duplicates += placed is Misplaced.DUPLICATE
            return
        shift = placed - observation.at
        given = predictions_given_out(observation.predictions, redact=self._config.redact_transcript)
        predictions = [
            _shifted(prediction, shift)
            for prediction in sorted(given, key=_order)
            if not is_excluded(prediction, self._config.exclude_regions, observation.frame_size)
        ]
        counted = self._counted(predictions, observation, placed)
        if self._is_next_customer() and not self._take_next(placed):
            return
        for prediction in counted:
            self._add(prediction, observation.frame_size)
        if counted:
            self._see(placed)
            self._peak.see(self._fuser.fuse(counted, self._undecayed))
        self._settle(bool(counted))
        if observation.kind is SampleKind.IMAGE:
            self._snapshots += 1
            if self._snapshots >= self._config.max_snapshots and self._end is None:
                self._end = SessionEnd.MAX_SNAPSHOTS
        else:
            self._utterances += bool(counted)

    def _is_next_customer(self) -> bool:
        before, self._customers = self._customers, self._choice.customers
        return 1 <= before < self._customers

    def _take_next(self, at: float) -> bool:
        """Another customer stands there; whether the session goes on with them."""
        if self._config.new_customer is NewCustomer.END:
            self._end = self._end or SessionEnd.NEXT_CUSTOMER
            return False
        self._began_at = at
        self._begin_evidence()
        return True

    def _see(self, at: float) -> None:
        """There was evidence, or a marker."""
        self._seen_from, self._seen_to = min(self._seen_from, at), max(self._seen_to, at)

    def _counted(self, predictions: list[Prediction], observation: Observation, at: float) -> list[Prediction]:
        """The predictions that are about the customer; words that name no subject are the customer's."""
        faces = [prediction for prediction in predictions if is_seen(prediction)]
        if observation.kind is not SampleKind.IMAGE and not faces:
            return [each for each in predictions if self._may_have_said(each)]
        customers = self._choice.choose(faces, frame_size=observation.frame_size, at=at)
        return [each for each in predictions if not is_seen(each) or each.subject_id in customers]

    def _may_have_said(self, words: Prediction) -> bool:
        """Whether it began while the customer was there, and not another one before or after."""
        is_over = self._end is SessionEnd.NEXT_CUSTOMER and words.interval.start > self._seen_to
        return not is_over and words.interval.start >= self._began_at

    def _add(self, prediction: Prediction, frame_size: tuple[int, int] | None) -> None:
        self._timeline.reach(prediction.interval.end)
        self._see(prediction.interval.end)
        self._customer.add(prediction)
        self._conditions.count(prediction, frame_size)
        self._phases.add(prediction)
        if self._choice.everybody and (is_seen(prediction) or prediction.subject_id in self._subjects):
            subject = self._subject(prediction.subject_id)
            subject.add(prediction)
            subject.settle(subject.seen_at)

    def _subject(self, subject_id: str) -> SubjectEvidence:
        if subject_id not in self._subjects:
            if len(self._subjects) >= MAX_SUBJECTS:
                del self._subjects[min(self._subjects, key=lambda name: self._subjects[name].seen_at)]
            self._subjects[subject_id] = SubjectEvidence(self._config, self._fuser)
        return self._subjects[subject_id]

    def _settle(self, is_evidence: bool) -> None:
        before = self._customer.current
        current = self._customer.settle(self._timeline.newest or 0.0)
        if is_evidence:
            self._end_score = current.score
        self._mismatches += current.mismatch and not before.mismatch


class _Peak:
    """The score of the most extreme moment by itself: where the interval is furthest clear of 0.5, whenever it was."""

    __slots__ = ("_clearance", "score")

    def __init__(self) -> None:
        self._clearance = -math.inf
        self.score = 0.5

    @property
    def found(self) -> bool:
        return math.isfinite(self._clearance)

    def see(self, satisfaction: Satisfaction) -> None:
        if not satisfaction.contributions:
            return
        clearance = max(satisfaction.interval.low - 0.5, 0.5 - satisfaction.interval.high)
        if (clearance, satisfaction.score) > (self._clearance, self.score):
            self._clearance = clearance
            self.score = satisfaction.score


def _order(prediction: Prediction) -> tuple[float, str, str, str, float, float]:
    """A fixed order of the predictions of one sample, so that the order in which they came does not matter."""
    return (
        prediction.interval.end,
        prediction.modality,
        prediction.subject_id,
        prediction.analyzer,
        prediction.satisfaction,
        prediction.confidence,
    )


def _identity(observation: Observation) -> tuple[object, ...]:
    """Equal for two observations that say the same of the same moment."""
    return tuple((_order(each), each.interval.start) for each in sorted(observation.predictions, key=_order))


def _shifted(prediction: Prediction, shift: float) -> Prediction:
    if shift == 0.0:
        return prediction
    interval = prediction.interval
    return replace(prediction, interval=TimeInterval(interval.start + shift, interval.end + shift))
