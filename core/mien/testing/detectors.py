"""What every face detector must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mien.interfaces import Detection, DetectorSettings, FaceDetector
from mien.testing.memory import require_no_growth
from mien.testing.rules import Conformance, Grade, in_threads, plain_number, require, rule
from mien.testing.samples import odd_samples
from mien.testing.surroundings import left_alone
from mien.types import ImageFrame

Pixels = npt.NDArray[np.uint8]
Found = list[list[Detection]]


class DetectorConformance(Conformance):
    """The contract of ``mien.FaceDetector``. Subclass it, name the subclass ``Test...`` and define two fixtures.

    Fixtures:
        make_detector: Takes ``DetectorSettings`` and makes a detector, as the registered factory does.
        pictures: At least two pictures, uint8 RGB ``[height, width, 3]``, in at least one of which it finds a face.
    """

    @rule(Grade.BRONZE)
    def test_pictures_show_something(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """As many lists as pictures, each of detections, and a face in one of them."""
        require(len(pictures) >= 2, "the fixture 'pictures' must hold at least two pictures")
        found = make_detector(DetectorSettings()).detect(_own(pictures))
        require(isinstance(found, list), f"detect must answer a list, got {type(found).__name__}")
        require(len(found) == len(pictures), f"{len(found)} lists for {len(pictures)} pictures")
        faces = [face for each in found for face in each]
        require(all(isinstance(face, Detection) for face in faces), f"not all are Detections: {found}")
        require(bool(faces), "no face was found in any of the pictures")

    @rule(Grade.BRONZE)
    def test_faces_are_in_bounds(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Boxes lie on the picture, at least in part; scores are in [0, 1]; landmarks are none or five."""
        for pixels, faces in zip(pictures, make_detector(DetectorSettings()).detect(_own(pictures)), strict=True):
            height, width = pixels.shape[:2]
            for face in faces:
                box = face.box
                reaches = box.x < width and box.y < height and box.x + box.width > 0 and box.y + box.height > 0
                require(reaches and box.area > 0, f"{box} does not lie on a picture of {width} x {height}")
                require(0.0 <= face.score <= 1.0, f"score {face.score}, expected [0, 1]")
                require(len(face.landmarks) in (0, 5), f"{len(face.landmarks)} landmarks, expected none or five")

    @rule(Grade.SILVER)
    def test_numbers_are_plain(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Floats of Python's own, no numpy scalars."""
        for faces in make_detector(DetectorSettings()).detect(_own(pictures)):
            for face in faces:
                numbers = [face.score, face.box.x, face.box.y, face.box.width, face.box.height]
                for value in (*numbers, *(each for point in face.landmarks for each in point)):
                    require(plain_number(value), f"{value!r} is a {type(value).__module__}.{type(value).__name__}")

    @rule(Grade.BRONZE)
    def test_margin_and_threshold_are_numbers(self, make_detector: Callable[[DetectorSettings], FaceDetector]) -> None:
        """The margin is a share of a face, the threshold a score."""
        detector = make_detector(DetectorSettings())
        require(math.isfinite(detector.margin) and -0.5 < detector.margin < 2.0, f"margin {detector.margin}")
        require(0.0 <= detector.threshold <= 1.0, f"threshold {detector.threshold}, expected [0, 1]")

    @rule(Grade.BRONZE)
    def test_pictures_are_left_as_they_were(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """No pixel is written to, and arrays that cannot be written to are taken."""
        detector, given = make_detector(DetectorSettings()), _own(pictures)
        detector.detect(given)
        same = all(np.array_equal(one, other) for one, other in zip(given, pictures, strict=True))
        require(same, "detect changed a picture")
        for pixels in given:
            pixels.setflags(write=False)
        detector.detect(given)

    @rule(Grade.BRONZE)
    def test_a_batch_says_what_single_calls_say(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Neighbours in a batch, their sizes and their order do not change an answer."""
        detector = make_detector(DetectorSettings())
        given = [*_own(pictures), *(pixels[::2, ::2].copy() for pixels in pictures)]
        alone = [detector.detect([pixels])[0] for pixels in given]
        _require_same(detector.detect(given), alone, "in a batch")
        _require_same(detector.detect(given[::-1])[::-1], alone, "in another order")

    @rule(Grade.BRONZE)
    def test_the_same_call_gives_the_same_answer(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """To the last bit, and from another detector of the same settings as well."""
        detector = make_detector(DetectorSettings())
        first = detector.detect(_own(pictures))
        require(detector.detect(_own(pictures)) == first, "two equal calls got different answers")
        require(make_detector(DetectorSettings()).detect(_own(pictures)) == first, "a second detector sees other faces")

    @rule(Grade.BRONZE)
    def test_the_least_score_counts(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """No face has a lower score than was asked for, and a higher one leaves no more faces."""
        low = make_detector(DetectorSettings(min_score=0.1)).detect(_own(pictures))
        scores = sorted(face.score for faces in low for face in faces)
        require(not scores or scores[0] >= 0.1 - 1e-6, f"a face of score {scores[:1]} where 0.1 was asked for")
        wanted = min(1.0, (scores[-1] if scores else 0.5) + 1e-3)
        high = make_detector(DetectorSettings(min_score=wanted)).detect(_own(pictures))
        left = sum(face.score < wanted - 1e-6 for faces in high for face in faces)
        require(not left, f"{left} faces of scores below {wanted:g}, which was asked for")

    @rule(Grade.BRONZE)
    def test_the_smallest_face_counts(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Where only faces wider than the picture are asked for, there are none."""
        widest = max(max(pixels.shape[:2]) for pixels in pictures)
        found = make_detector(DetectorSettings(min_face_pixels=2 * widest)).detect(_own(pictures))
        require(not any(found), f"a face was found where none under {2 * widest} pixels was asked for")

    @rule(Grade.SILVER)
    def test_threads_do_not_disturb_each_other(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Several threads at once, each with a picture of its own, get the answers that one gets."""
        detector = make_detector(DetectorSettings())
        expected = [detector.detect([pixels])[0] for pixels in _own(pictures)]

        def work(number: int) -> Found:
            turned = [(number + step) % len(pictures) for step in range(len(pictures))]
            found = {index: detector.detect(_own([pictures[index]]))[0] for index in turned}
            return [found[index] for index in range(len(pictures))]

        for found in in_threads(work, seconds=self.seconds):
            require(found == expected, "a call that ran beside another got a different answer")

    @rule(Grade.SILVER)
    def test_odd_pictures_are_survived(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """One pixel, a strip, noise, black and white are pictures without a face, and no error."""
        detector = make_detector(DetectorSettings())
        for index, sample in enumerate(odd_samples([ImageFrame(pixels) for pixels in pictures], count=30)):
            if not isinstance(sample, ImageFrame):
                continue
            try:
                found = detector.detect([sample.pixels])
            except Exception as error:
                raise AssertionError(f"odd picture {index} raised {type(error).__name__}: {error}") from error
            require(len(found) == 1, f"odd picture {index} got {len(found)} lists")

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        detector = make_detector(DetectorSettings())
        with left_alone("detect"):
            detector.detect(_own(pictures))
        with left_alone("warm_up"):
            detector.warm_up()
            detector.warm_up()

    @rule(Grade.GOLD)
    def test_memory_does_not_grow(
        self, make_detector: Callable[[DetectorSettings], FaceDetector], pictures: Sequence[Pixels]
    ) -> None:
        """Hundreds of pictures leave nothing behind."""
        detector = make_detector(DetectorSettings())

        def call(number: int) -> None:
            detector.detect(_own([pictures[number % len(pictures)]]))

        require_no_growth(call, calls=200, warm_up=20, budget_seconds=self.memory_seconds, what="detect")


def _own(pictures: Sequence[Pixels]) -> list[Pixels]:
    return [pixels.copy() for pixels in pictures]


def _require_same(found: Found, expected: Found, where: str) -> None:
    require(len(found) == len(expected), f"{where}: {len(found)} lists, expected {len(expected)}")
    for ours, theirs in zip(found, expected, strict=True):
        require(len(ours) == len(theirs), f"{where}: {len(ours)} faces, expected {len(theirs)}")
        for one, other in zip(sorted(ours, key=_place), sorted(theirs, key=_place), strict=True):
            far = max(abs(mine - wanted) for mine, wanted in zip(_place(one), _place(other), strict=True))
            require(far <= 0.5, f"{where}: {one.box}, expected {other.box}")
            require(abs(one.score - other.score) <= 1e-3, f"{where}: score {one.score}, expected {other.score}")


def _place(face: Detection) -> tuple[float, float, float, float]:
    return face.box.x, face.box.y, face.box.width, face.box.height
