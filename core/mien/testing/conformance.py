"""What every analyzer must do, as tests to subclass. Transcribers are in ``mien.testing.speech``.

The tests ask for their subjects as pytest fixtures, which the subclass defines; no pytest is imported here.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mien.engine.requests import kind_of
from mien.errors import InputError
from mien.interfaces import Analyzer, AnalyzerInfo
from mien.plugins.checking import checked_predictions, own_samples
from mien.plugins.guard import PluginCallError
from mien.testing.memory import require_no_growth
from mien.testing.predictions import assert_predictions_close, flatten, require_plain, require_said, require_within
from mien.testing.rules import Grade, in_threads, not_applicable, require, rule, within
from mien.testing.samples import fresh, odd_samples, same_sample, varied
from mien.testing.streams import StreamConformance
from mien.testing.surroundings import left_alone
from mien.types import PROBABILITY_TOLERANCE, ImageFrame, Prediction, Sample

_LATER = 5000.0  # seconds; another clock than that of whoever begins at 0


class AnalyzerConformance(StreamConformance):
    """The contract of ``mien.Analyzer``. Subclass it, name the subclass ``Test...`` and define three fixtures.

    Fixtures:
        analyzer: The analyzer, loaded. Of scope ``class`` or narrower, since the last test closes it; where loading is
            slow, a class-scoped fixture outside of the class, so that pytest makes one for all tests.
        info: The ``AnalyzerInfo`` it is registered with.
        samples: At least two different samples that it accepts, at least one of which it has something to say about.

    Attributes:
        tolerance: How far numbers may differ between a sample analysed alone and in a batch.
        batch: The largest batch that is compared with single calls.
        odd_inputs: How many inputs it is to survive.
    """

    tolerance: ClassVar[float] = 1e-4
    batch: ClassVar[int] = 9
    odd_inputs: ClassVar[int] = 50

    @rule(Grade.BRONZE)
    def test_info_says_what_a_user_must_know(self, info: AnalyzerInfo) -> None:
        """Modality, kinds, labels, version and licence are there, and labels are unique."""
        for name in ("modality", "accepts", "labels", "version", "weights_license"):
            require(bool(getattr(info, name)), f"info.{name} is empty")
        require(len(set(info.labels)) == len(info.labels), f"info.labels has one twice: {info.labels}")

    @rule(Grade.BRONZE)
    def test_samples_show_something(self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]) -> None:
        """The samples are fit to test with: without this the other tests could pass on empty answers."""
        require(len(samples) >= 2, "the fixture 'samples' must hold at least two samples")
        wrong = [kind_of(sample).value for sample in samples if kind_of(sample) not in info.accepts]
        require(not wrong, f"the fixture 'samples' holds kinds that info.accepts does not name: {wrong}")
        require(any(analyzer.analyze(fresh(samples))), "the analyzer has nothing to say about any of the samples")

    @rule(Grade.BRONZE)
    def test_each_sample_gets_one_list(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """As many lists as samples, for one and for several, each of predictions."""
        for batch in (fresh(samples[:1]), fresh(samples)):
            results = analyzer.analyze(batch)
            require(isinstance(results, list), f"analyze must answer a list, got {type(results).__name__}")
            require(len(results) == len(batch), f"{len(results)} lists for {len(batch)} samples")
            for result in results:
                require(isinstance(result, list), f"each sample gets a list, got {type(result).__name__}")
                require(all(isinstance(item, Prediction) for item in result), f"not all are Predictions: {result}")

    @rule(Grade.BRONZE)
    def test_predictions_fit_the_info(self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]) -> None:
        """Predictions carry the modality and exactly the labels of the info, and probabilities sum to one."""
        for prediction in flatten(analyzer.analyze(fresh(samples))):
            require(prediction.modality == info.modality, f"modality {prediction.modality!r}, not {info.modality!r}")
            require(
                tuple(prediction.emotions) == info.labels, f"labels {tuple(prediction.emotions)}, not {info.labels}"
            )
            total = sum(prediction.emotions.values())
            require(abs(total - 1.0) <= PROBABILITY_TOLERANCE, f"probabilities sum to {total}")

    @rule(Grade.SILVER)
    def test_numbers_are_plain(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Floats of Python's own, no numpy scalars and no tensors."""
        for prediction in flatten(analyzer.analyze(fresh(samples))):
            require_plain(prediction)

    @rule(Grade.BRONZE)
    def test_subjects_of_one_sample_are_told_apart(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Where a sample has several subjects, their ids differ (or are left to the engine)."""
        for result in analyzer.analyze(fresh(samples)):
            ids = [prediction.subject_id for prediction in result if prediction.subject_id]
            require(len(set(ids)) == len(ids), f"two predictions of one sample are about the same subject: {ids}")

    @rule(Grade.BRONZE)
    def test_intervals_are_on_the_callers_clock(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """What is said of a sample lies within its time, whichever clock the caller has."""
        for shift in (0.0, _LATER):
            given = fresh(samples, shift=shift)
            for sample, predictions in zip(given, analyzer.analyze(given), strict=True):
                for prediction in predictions:
                    require_within(prediction.interval, sample)

    @rule(Grade.BRONZE)
    def test_samples_are_left_as_they_were(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """No pixel and no sound is written to: other analyzers are given the same arrays."""
        given = fresh(samples)
        analyzer.analyze(given)
        for index, (sample, before) in enumerate(zip(given, fresh(samples), strict=True)):
            require(same_sample(sample, before), f"analyze changed sample {index}")

    @rule(Grade.BRONZE)
    def test_read_only_arrays_are_taken(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """A tuple of samples whose arrays cannot be written to, as the host gives them, gets the same answer."""
        found = analyzer.analyze(own_samples(fresh(samples)))
        assert_predictions_close(found, analyzer.analyze(fresh(samples)), tolerance=self.tolerance)

    @rule(Grade.BRONZE)
    def test_a_batch_says_what_single_calls_say(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Neighbours in a batch do not change an answer."""
        alone = [analyzer.analyze([sample])[0] for sample in fresh(samples)]
        assert_predictions_close(analyzer.analyze(fresh(samples)), alone, tolerance=self.tolerance)

    @rule(Grade.SILVER)
    def test_batches_of_every_size_say_the_same(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """From one sample to ``batch``, each gets the answer that it gets alone."""
        given = varied(samples, self.batch)
        alone = [analyzer.analyze(fresh([sample]))[0] for sample in given]
        for size in range(2, self.batch + 1):
            try:
                assert_predictions_close(analyzer.analyze(fresh(given[:size])), alone[:size], tolerance=self.tolerance)
            except AssertionError as error:
                raise AssertionError(f"in a batch of {size}: {error}") from None

    @rule(Grade.BRONZE)
    def test_order_is_kept(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """The samples backwards give the answers backwards."""
        forwards = analyzer.analyze(fresh(samples))
        backwards = analyzer.analyze(fresh(list(reversed(samples))))
        assert_predictions_close(list(reversed(backwards)), forwards, tolerance=self.tolerance)

    @rule(Grade.BRONZE)
    def test_the_same_call_gives_the_same_answer(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """To the last bit: there is no state and no chance."""
        first, second = analyzer.analyze(fresh(samples)), analyzer.analyze(fresh(samples))
        require(first == second, "two equal calls got different answers")

    @rule(Grade.SILVER)
    def test_samples_of_one_moment_are_not_confused(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Samples are known by what they hold, not by their time: two cameras have pictures of one moment."""
        expected = [analyzer.analyze([sample])[0] for sample in fresh(samples)]
        found = [analyzer.analyze([sample])[0] for sample in fresh(samples, at=_LATER)]
        for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
            require(
                len(ours) == len(theirs), f"sample {index}: {len(ours)} predictions, and {len(theirs)} at its own time"
            )
            for one, other in zip(ours, theirs, strict=True):
                require_said(f"sample {index}", one, other, self.tolerance)

    @rule(Grade.SILVER)
    def test_a_buffer_that_is_filled_anew_is_looked_at_anew(
        self, analyzer: Analyzer, samples: Sequence[Sample]
    ) -> None:
        """Cameras fill one array again and again: an answer that is kept by the array's identity is another's."""
        pictures = [sample for sample in samples if isinstance(sample, ImageFrame)]
        if not pictures:
            raise not_applicable("no sample is a picture")
        other = next((each for each in pictures[1:] if each.pixels.shape == pictures[0].pixels.shape), None)
        second = np.zeros_like(pictures[0].pixels) if other is None else other.pixels
        expected = analyzer.analyze([ImageFrame(second.copy(), 1.0)])
        buffer = ImageFrame(pictures[0].pixels.copy(), 1.0)
        analyzer.analyze([buffer])
        buffer.pixels[...] = second
        assert_predictions_close(analyzer.analyze([buffer]), expected, tolerance=self.tolerance)

    @rule(Grade.SILVER)
    def test_threads_do_not_disturb_each_other(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Several threads at once, each with samples of its own, get the answers that one gets."""
        expected = [analyzer.analyze([sample])[0] for sample in fresh(samples)]

        def work(number: int) -> list[list[Prediction]]:
            turned = [(number + step) % len(samples) for step in range(len(samples))]
            found = {index: analyzer.analyze(fresh([samples[index]]))[0] for index in turned}
            return [found[index] for index in range(len(samples))]

        for found in in_threads(work, seconds=self.seconds):
            require(found == expected, "a call that ran beside another got a different answer")

    @rule(Grade.SILVER)
    def test_odd_inputs_are_survived(self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]) -> None:
        """Empty, tiny, noisy, cut and foreign samples get a valid answer, or an ``InputError`` that says why not."""
        for index, sample in enumerate(odd_samples(samples, count=self.odd_inputs)):
            try:
                (found,) = analyzer.analyze([sample])
            except InputError as error:
                require(bool(str(error).strip()), f"odd input {index}: an InputError without a word")
                continue
            except Exception as error:
                kind = kind_of(sample).value
                raise AssertionError(f"odd input {index} ({kind}) raised {type(error).__name__}: {error}") from error
            try:
                checked_predictions(found, info, sample, analyzer="conformance")
            except PluginCallError as error:
                raise AssertionError(f"odd input {index} ({kind_of(sample).value}): {error.reason}") from None
        require(any(analyzer.analyze(fresh(samples))), "after odd inputs there is nothing to say about the usual ones")

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        with left_alone("analyze"):
            analyzer.analyze(fresh(samples))
        with left_alone("warm_up"):
            analyzer.warm_up()

    @rule(Grade.SILVER)
    def test_nothing_is_printed(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Standard output belongs to whoever runs mien: it may be JSON that somebody reads."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            analyzer.analyze(fresh(samples))
        require(not printed.getvalue(), f"analyze printed {printed.getvalue()[:80]!r}")

    @rule(Grade.GOLD)
    def test_memory_does_not_grow(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Hundreds of calls leave nothing behind."""

        def call(number: int) -> None:
            analyzer.analyze(fresh(samples[number % len(samples) :][:1], at=float(number)))

        require_no_growth(call, calls=400, warm_up=50, budget_seconds=self.memory_seconds, what="analyze")

    @rule(Grade.BRONZE)
    def test_warm_up_and_close_can_be_repeated(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Warming up twice changes nothing, closing twice is quick and does no harm. The last test: it closes it."""
        before = analyzer.analyze(fresh(samples))
        analyzer.warm_up()
        analyzer.warm_up()
        require(analyzer.analyze(fresh(samples)) == before, "warming up changed the answers")
        for _ in range(2):
            within(self.close_seconds, analyzer.close, what="close")
