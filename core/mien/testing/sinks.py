"""What every sink must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime

from mien.interfaces import Provenance, Sink
from mien.session import SessionEnd, SessionSummary
from mien.testing.fakes import make_prediction
from mien.testing.memory import require_no_growth
from mien.testing.rules import Conformance, Grade, require, rule, within
from mien.testing.surroundings import left_alone
from mien.types import AnalysisResult, Contribution, Satisfaction, ScoreInterval, TimeInterval, Verdict

_NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class SinkConformance(Conformance):
    """The contract of ``mien.Sink``. Subclass it, name the subclass ``Test...`` and define two fixtures.

    Fixtures:
        make_sink: Makes a sink of the same settings; each test makes its own, and may make a second after closing one.
        count: How many results a reader finds after a flush, of all sinks that ``make_sink`` has made in this test.
    """

    def result(self) -> AnalysisResult:
        """A result as an engine gives it."""
        return AnalysisResult(predictions=(make_prediction(satisfaction=0.8),), satisfaction=_satisfaction())

    def summary(self) -> SessionSummary:
        """A session's summary."""
        return SessionSummary(
            session_id="visit 1",
            end=SessionEnd.MARKER,
            interval=TimeInterval(0.0, 60.0),
            overall=_satisfaction(),
            peak_score=0.9,
            end_score=0.7,
            peak_end_score=0.8,
            emotion_percentages={"happy": 75.0, "sad": 25.0},
            snapshots=4,
            utterances=1,
        )

    def provenance(self) -> Provenance:
        """Of a frame of a video in a session at a place: every field has a value."""
        return Provenance(
            source="door.mp4",
            session_id="visit 1",
            site="Harbour",
            at_seconds=1.5,
            recorded_at=_NOON,
            image_width=640,
            image_height=480,
        )

    @rule(Grade.BRONZE)
    def test_results_and_summaries_are_kept(self, make_sink: Callable[[], Sink], count: Callable[[], int]) -> None:
        """Each can be read after a flush, while the sink is open."""
        sink = make_sink()
        sink.write(self.result(), self.provenance())
        sink.write(self.summary(), self.provenance())
        sink.flush()
        require(count() == 2, f"a reader finds {count()} results after a flush, expected 2")
        sink.close()

    @rule(Grade.BRONZE)
    def test_provenance_may_say_nothing(self, make_sink: Callable[[], Sink], count: Callable[[], int]) -> None:
        """A text alone has no source, no session, no place and no picture."""
        sink = make_sink()
        sink.write(self.result(), Provenance(recorded_at=_NOON))
        sink.flush()
        require(count() == 1, f"a reader finds {count()} results, expected 1")
        sink.close()

    @rule(Grade.BRONZE)
    def test_text_of_any_kind_is_taken(self, make_sink: Callable[[], Sink], count: Callable[[], int]) -> None:
        """Names with line ends, quotes and letters of any script cost nothing and split nothing."""
        sink = make_sink()
        sink.write(self.result(), Provenance(source='a\n"b", \u00e9\u6f22.jpg', site="=1+1", recorded_at=_NOON))
        sink.flush()
        require(count() == 1, f"a reader finds {count()} results, expected 1")
        sink.close()

    @rule(Grade.BRONZE)
    def test_what_is_written_is_left_as_it_was(self, make_sink: Callable[[], Sink]) -> None:
        """Other sinks are shown the same."""
        sink, result, summary = make_sink(), self.result(), self.summary()
        before = copy.deepcopy((result, summary))
        sink.write(result, self.provenance())
        sink.write(summary, self.provenance())
        require((result, summary) == before, "the sink has changed what it was shown")
        sink.close()

    @rule(Grade.BRONZE)
    def test_closing_keeps_what_was_written(self, make_sink: Callable[[], Sink], count: Callable[[], int]) -> None:
        """Without a flush before it; and whoever goes on afterwards adds to it."""
        for expected in (1, 2):
            sink = make_sink()
            sink.write(self.result(), self.provenance())
            sink.close()
            require(count() == expected, f"a reader finds {count()} results after a close, expected {expected}")

    @rule(Grade.BRONZE)
    def test_a_sink_that_was_shown_nothing_closes(
        self, make_sink: Callable[[], Sink], count: Callable[[], int]
    ) -> None:
        """Flushing and closing can be repeated, and keep nothing where nothing was shown."""
        sink = make_sink()
        sink.flush()
        sink.flush()
        sink.close()
        sink.close()
        require(count() == 0, f"a reader finds {count()} results, expected none")

    @rule(Grade.SILVER)
    def test_closing_is_quick(self, make_sink: Callable[[], Sink]) -> None:
        """The host waits no longer; asked twice, with results in hand and without."""
        for written in (0, 1):
            sink = make_sink()
            for _ in range(written):
                sink.write(self.result(), self.provenance())
            for _ in range(2):
                within(self.close_seconds, sink.close, what="close")

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(self, make_sink: Callable[[], Sink]) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        sink = make_sink()
        with left_alone("write"):
            sink.write(self.result(), self.provenance())
            sink.flush()
        sink.close()

    @rule(Grade.GOLD)
    def test_memory_does_not_grow(self, make_sink: Callable[[], Sink]) -> None:
        """Result after result leaves nothing behind, whoever reads them."""
        sink, result, provenance = make_sink(), self.result(), self.provenance()

        def write(number: int) -> None:
            sink.write(result, provenance)
            if number % 10 == 0:
                sink.flush()

        require_no_growth(write, calls=400, warm_up=100, budget_seconds=self.memory_seconds, what="write")
        sink.close()


def _satisfaction() -> Satisfaction:
    return Satisfaction(
        score=0.8,
        interval=ScoreInterval(0.6, 0.9),
        confidence=0.7,
        verdict=Verdict.GOOD,
        contributions={"face": Contribution(1.0, 0.8)},
        coverage=1.0,
    )
