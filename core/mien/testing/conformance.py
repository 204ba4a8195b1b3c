"""What every analyzer must do, as tests to subclass. Transcribers are in ``mien.testing.speech``.

The tests ask for their subjects as pytest fixtures, which the subclass defines; no pytest is imported here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, TypeVar

from mien.engine.requests import kind_of
from mien.interfaces import Analyzer, AnalyzerInfo, StreamSettings
from mien.types import PROBABILITY_TOLERANCE, Prediction, Sample, Transcript

_THREADS = 2
_THREAD_SECONDS = 60.0

Answer = TypeVar("Answer")


class AnalyzerConformance:
    """The contract of ``mien.Analyzer``. Subclass it, name the subclass ``Test...`` and define three fixtures.

    Fixtures:
        analyzer: The analyzer, loaded. Of scope ``class`` or narrower, since the last test closes it; where loading is
            slow, a class-scoped fixture outside of the class, so that pytest makes one for all tests.
        info: The ``AnalyzerInfo`` it is registered with.
        samples: At least two different samples that it accepts, at least one of which it has something to say about.

    Attributes:
        tolerance: How far numbers may differ between a sample analysed alone and in a batch.
    """

    tolerance: ClassVar[float] = 1e-4

    def test_info_says_what_a_user_must_know(self, info: AnalyzerInfo) -> None:
        """Modality, kinds, labels, version and licence are there, and labels are unique."""
        for name in ("modality", "accepts", "labels", "version", "weights_license"):
            require(bool(getattr(info, name)), f"info.{name} is empty")
        require(len(set(info.labels)) == len(info.labels), f"info.labels has one twice: {info.labels}")

    def test_samples_show_something(self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]) -> None:
        """The fixtures are fit to test with: without this the other tests could pass on empty answers."""
        require(len(samples) >= 2, "the fixture 'samples' must hold at least two samples")
        wrong = [kind_of(sample).value for sample in samples if kind_of(sample) not in info.accepts]
        require(not wrong, f"the fixture 'samples' holds kinds that info.accepts does not name: {wrong}")
        require(any(analyzer.analyze(samples)), "the analyzer has nothing to say about any of the samples")

    def test_each_sample_gets_one_list(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """As many lists as samples, for one and for several, each of predictions."""
        for batch in (samples[:1], samples):
            results = analyzer.analyze(batch)
            require(isinstance(results, list), f"analyze must answer a list, got {type(results).__name__}")
            require(len(results) == len(batch), f"{len(results)} lists for {len(batch)} samples")
            for result in results:
                require(isinstance(result, list), f"each sample gets a list, got {type(result).__name__}")
                require(all(isinstance(item, Prediction) for item in result), f"not all are Predictions: {result}")

    def test_predictions_fit_the_info(self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]) -> None:
        """Predictions carry the modality and exactly the labels of the info, and probabilities sum to one."""
        for prediction in flatten(analyzer.analyze(samples)):
            require(prediction.modality == info.modality, f"modality {prediction.modality!r}, not {info.modality!r}")
            require(
                tuple(prediction.emotions) == info.labels, f"labels {tuple(prediction.emotions)}, not {info.labels}"
            )
            total = sum(prediction.emotions.values())
            require(abs(total - 1.0) <= PROBABILITY_TOLERANCE, f"probabilities sum to {total}")

    def test_subjects_of_one_sample_are_told_apart(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Where a sample has several subjects, their ids differ (or are left to the engine)."""
        for result in analyzer.analyze(samples):
            ids = [prediction.subject_id for prediction in result if prediction.subject_id]
            require(len(set(ids)) == len(ids), f"two predictions of one sample are about the same subject: {ids}")

    def test_a_batch_says_what_single_calls_say(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Neighbours in a batch do not change an answer."""
        alone = [analyzer.analyze([sample])[0] for sample in samples]
        assert_predictions_close(analyzer.analyze(samples), alone, tolerance=self.tolerance)

    def test_order_is_kept(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """The samples backwards give the answers backwards."""
        forwards = analyzer.analyze(samples)
        backwards = analyzer.analyze(list(reversed(samples)))
        assert_predictions_close(list(reversed(backwards)), forwards, tolerance=self.tolerance)

    def test_the_same_call_gives_the_same_answer(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """To the last bit: there is no state and no chance."""
        require(analyzer.analyze(samples) == analyzer.analyze(samples), "two equal calls got different answers")

    def test_threads_do_not_disturb_each_other(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Several threads at once get the answer that one gets."""
        expected = analyzer.analyze(samples)
        for found in in_threads(lambda: analyzer.analyze(samples)):
            require(found == expected, "a call that ran beside another got a different answer")

    def test_a_stream_gives_samples_that_can_be_analysed(
        self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]
    ) -> None:
        """Push, analyse, observe and flush fit together, and ``observe`` loses no prediction."""
        stream = analyzer.open_stream(StreamSettings(snapshot_interval_seconds=0.0))
        ready = [item for sample in samples for item in stream.push(sample)] + stream.flush()
        for sample in ready:
            require(kind_of(sample) in info.accepts, f"the stream gave a sample of kind {kind_of(sample).value}")
            predictions = analyzer.analyze([sample])[0]
            observed = stream.observe(sample, predictions)
            require(len(observed) == len(predictions), "observe must give back one prediction for each")

    def test_what_a_stream_tells_is_provisional(
        self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]
    ) -> None:
        """What goes to ``StreamSettings.tell`` rests on partial transcripts, whose revisions grow; closing ends it."""
        told: list[Prediction] = []
        stream = analyzer.open_stream(StreamSettings(snapshot_interval_seconds=0.0, tell=told.append))
        for sample in samples:
            stream.push(sample)
        stream.close()
        stream.close()
        revisions: dict[float, int] = {}
        for prediction in tuple(told):
            words = prediction.evidence
            require(prediction.modality == info.modality, f"modality {prediction.modality!r}, not {info.modality!r}")
            require(isinstance(words, Transcript) and not words.is_final, "told a prediction that is not provisional")
            revision = words.revision if isinstance(words, Transcript) else 0
            last = revisions.get(prediction.interval.start, 0)
            require(revision > last, f"told revision {revision} of an utterance after revision {last}")
            revisions[prediction.interval.start] = revision

    def test_streams_do_not_share_state(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """What one session pushed does not show in another."""
        settings = StreamSettings(snapshot_interval_seconds=0.0)
        alone = analyzer.open_stream(settings)
        expected = [len(alone.push(sample)) for sample in samples] + [len(alone.flush())]
        first, second = analyzer.open_stream(settings), analyzer.open_stream(settings)
        found = []
        for sample in samples:
            first.push(sample)
            found.append(len(second.push(sample)))
        first.flush()
        require([*found, len(second.flush())] == expected, "a stream gave something else beside another stream")

    def test_warm_up_and_close_can_be_repeated(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Warming up twice changes nothing, and closing twice does no harm. The last test: it closes the analyzer."""
        before = analyzer.analyze(samples)
        analyzer.warm_up()
        analyzer.warm_up()
        require(analyzer.analyze(samples) == before, "warming up changed the answers")
        analyzer.close()
        analyzer.close()


def require(condition: bool, message: str) -> None:
    """Fail a test with a message; a bare assert here would lose its values outside pytest's rewriting."""
    if not condition:
        raise AssertionError(message)


def assert_predictions_close(
    found: Sequence[Sequence[Prediction]], expected: Sequence[Sequence[Prediction]], *, tolerance: float
) -> None:
    """Fail unless both say the same of each sample, with numbers no further apart than ``tolerance``."""
    require(len(found) == len(expected), f"{len(found)} lists, expected {len(expected)}")
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        where = f"sample {index}"
        require(len(ours) == len(theirs), f"{where}: {len(ours)} predictions, expected {len(theirs)}")
        for one, other in zip(ours, theirs, strict=True):
            _require_close(where, one, other, tolerance)


def _require_close(where: str, found: Prediction, expected: Prediction, tolerance: float) -> None:
    for name in ("modality", "subject_id", "interval"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        require(ours == theirs, f"{where}: {name} is {ours!r}, expected {theirs!r}")
    pairs: list[tuple[str, Mapping[str, float], Mapping[str, float]]] = [
        ("emotions", found.emotions, expected.emotions),
        ("sentiment", found.sentiment, expected.sentiment),
        ("prediction", _numbers(found), _numbers(expected)),
    ]
    for name, one, other in pairs:
        require(one.keys() == other.keys(), f"{where}: {name} has {sorted(one)}, expected {sorted(other)}")
        for key in one:
            close = abs(one[key] - other[key]) <= tolerance
            require(close, f"{where}: {name}.{key} is {one[key]}, expected {other[key]} within {tolerance}")


def _numbers(prediction: Prediction) -> Mapping[str, float]:
    return {name: getattr(prediction, name) for name in ("valence", "satisfaction", "confidence")}


def flatten(results: Sequence[Sequence[Prediction]]) -> list[Prediction]:
    """All predictions of a batch, in order."""
    return [prediction for result in results for prediction in result]


def in_threads(function: Callable[[], Answer]) -> list[Answer]:
    """What a function answers in several threads that start together."""
    barrier = threading.Barrier(_THREADS)
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            barrier.wait(_THREAD_SECONDS)
            answers.append(function())
        except BaseException as error:  # raised again in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_THREAD_SECONDS)
    if errors:
        raise errors[0]
    require(len(answers) == _THREADS, f"a thread did not answer within {_THREAD_SECONDS:g} s")
    return answers
