"""Where the detector's training pictures come from: the split, geometry, composition, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from face.support import BOX, POINTS, drawn, encoded, made_up, picture

from mien import Box, InputError
from mien_face_lab.detection.labelled import LabelledFace, LabelledPicture
from mien_face_lab.training.detector.canvas import Canvas, move_box, moved, placed, similarity, varied
from mien_face_lab.training.detector.compose import Composer
from mien_face_lab.training.detector.damage import damage, occlude
from mien_face_lab.training.detector.drawn import draw_decoys
from mien_face_lab.training.detector.paste import face_mask
from mien_face_lab.training.detector.pictures import Believed, Picture, Pictures, believed, read_training
from mien_face_lab.training.detector.split import Side, part_of


class TestSplit:
    def test_it_never_changes(self) -> None:
        assert part_of(name="Aaron_Eckhart_0001.jpg", person="Aaron_Eckhart") is part_of(
            name="x", person="Aaron_Eckhart"
        )
        assert [number for number in range(30) if part_of(name=f"{number}.jpg") is Side.VALIDATION] == [4]

    def test_about_a_tenth_is_held_back(self) -> None:
        parts = [part_of(name=f"{number}.jpg") for number in range(5000)]

        assert 0.08 < parts.count(Side.VALIDATION) / len(parts) < 0.12


class TestCanvas:
    def test_mirroring_exchanges_right_and_left_landmarks(self) -> None:
        matrix = similarity(scale=1, degrees=0, source=(0, 0), target=(64, 0), mirror=True)

        box, points = moved(BOX, POINTS, matrix, mirror=True)

        np.testing.assert_allclose(box, [32, 6, 56, 36])
        np.testing.assert_allclose(points[0], [64 - 26, 16])  # the right eye is still the one further left
        assert points[0, 0] < points[1, 0]
        assert points[3, 0] < points[4, 0]

    def test_labels_stay_on_the_pixels_that_they_name(self) -> None:
        pixels = np.zeros((96, 96, 3), np.uint8)
        pixels[45:52, 29:36] = 255
        spot = np.array([[32, 48]] * 5, np.float32)
        marked = Picture("spot", encoded(pixels), BOX[None] + 8, spot[None], np.empty((0, 4), np.float32))
        matrix = similarity(scale=1.5, degrees=25, source=(48, 48), target=(60, 50))

        canvas = placed(marked, matrix, height=128, width=128)

        y, x = np.nonzero(canvas.pixels[..., 0] > 200)
        np.testing.assert_allclose([x.mean(), y.mean()], canvas.landmarks[0][0], atol=1.0)

    def test_labels_move_with_a_canvas_that_is_used_again(self) -> None:
        plain = Canvas(np.zeros((96, 96, 3), np.uint8), ignored=[BOX + 40])
        plain.pixels[13:20, 23:30] = 255  # the left eye, which mirroring makes the right one
        plain.add(BOX, POINTS)
        matrix = similarity(scale=1.3, degrees=10, source=(30, 30), target=(48, 48), mirror=True)

        again = varied(plain, matrix, mirror=True)

        y, x = np.nonzero(again.pixels[..., 0] > 200)
        np.testing.assert_allclose([x.mean(), y.mean()], again.landmarks[0][0], atol=1.0)
        np.testing.assert_allclose(again.ignored[0], move_box(BOX + 40, matrix))
        assert plain.pixels[16, 26, 0] == 255

    def test_a_turned_circle_keeps_its_box(self) -> None:
        square = np.array([10, 10, 30, 30], np.float32)

        turned = move_box(square, similarity(scale=1, degrees=30, source=(20, 20), target=(20, 20)))

        np.testing.assert_allclose(turned, square, atol=1e-4)

    def test_a_face_mostly_outside_is_ignored_and_one_quite_outside_forgotten(self) -> None:
        canvas = Canvas(np.zeros((64, 64, 3), np.uint8))

        canvas.add(BOX - np.array([10, 0, 10, 0], np.float32), POINTS)  # most of it is there
        canvas.add(BOX - np.array([24, 0, 24, 0], np.float32), POINTS)
        canvas.add(BOX - np.array([90, 0, 90, 0], np.float32), POINTS)
        canvas.add(BOX / 4, POINTS / 4)  # too small

        assert (len(canvas.boxes), len(canvas.ignored)) == (1, 2)


class TestComposition:
    def test_a_canvas_is_decided_by_its_generator(self) -> None:
        composer = Composer(made_up(), side=64)

        first, second, other = (composer.compose(np.random.default_rng(seed))[0] for seed in (3, 3, 4))

        np.testing.assert_array_equal(first.pixels, second.pixels)
        assert len(first.boxes) == len(second.boxes)
        assert first.pixels.shape == other.pixels.shape
        assert (first.pixels != other.pixels).any()

    def test_labels_are_sound_whatever_is_drawn(self) -> None:
        composer = Composer(made_up(), side=64)
        faces = 0

        for generator in np.random.default_rng(0).spawn(60):
            (canvas,) = composer.compose(generator)
            assert canvas.pixels.shape == (64, 64, 3)
            assert canvas.pixels.dtype == np.uint8
            for box, points in zip(canvas.boxes, canvas.landmarks, strict=True):
                faces += 1
                assert (box[2:] > box[:2]).all()
                size = (box[2:] - box[:2]).max()
                assert (points > box[:2] - 0.3 * size).all()
                assert (points < box[2:] + 0.3 * size).all()

        assert faces > 20

    def test_canvases_of_the_same_pictures_differ(self) -> None:
        composer = Composer(made_up(), side=64, damaged=0.0)

        for generator in np.random.default_rng(4).spawn(10):
            first, second, third = composer.compose(generator, uses=3)
            assert first.pixels.shape == second.pixels.shape == third.pixels.shape == (64, 64, 3)
            assert (first.pixels != second.pixels).any()
            assert (second.pixels != third.pixels).any()

    def test_hard_photographs_are_shown_more_often(self) -> None:
        black, plain = np.zeros((96, 96, 3), np.uint8), made_up()
        hard = Picture("hard", encoded(black), *(np.empty((0, *end), np.float32) for end in ((4,), (5, 2), (4,))))
        many = tuple(picture(f"easy{number}", seed=number) for number in range(40))
        composer = Composer(Pictures(plain.portraits, plain.people, (*many, hard)), side=64)

        def dark() -> int:
            canvases = [composer.compose(generator)[0] for generator in np.random.default_rng(1).spawn(80)]
            return sum(bool(np.median(canvas.pixels) < 20) for canvas in canvases)

        before = dark()
        composer.show_more(["hard"])

        assert dark() > before

    def test_a_mask_is_whole_in_the_middle_and_nothing_at_the_border(self) -> None:
        for seed in range(10):
            mask = face_mask(96, 80, np.array([15, 10, 65, 86], np.float32), np.random.default_rng(seed))

            assert mask.shape == (96, 80)
            assert mask[48, 40] == pytest.approx(1.0)
            assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) < 0.65

    def test_damage_keeps_the_shape_and_changes_the_picture(self) -> None:
        pixels = drawn(5, side=64)

        damaged = [damage(pixels.copy(), generator) for generator in np.random.default_rng(2).spawn(40)]

        assert {(each.shape, each.dtype.name) for each in damaged} == {((64, 64, 3), "uint8")}
        assert sum((each != pixels).any() for each in damaged) > 30

    def test_occlusion_covers_the_face_and_leaves_the_rest(self) -> None:
        for generator in np.random.default_rng(3).spawn(20):
            canvas = Canvas(np.full((128, 128, 3), 90, np.uint8))
            canvas.add(2 * BOX, 2 * POINTS)

            occlude(canvas, generator, share=1.0)

            touched = np.argwhere((canvas.pixels != 90).any(axis=2))
            assert len(touched) > 0
            assert touched.max() < 100  # rows and columns; the face ends at 72


class TestWhatIsBelieved:
    FACE = LabelledFace(Box(0, 0, 40, 40), tuple((float(x), float(y)) for x, y in POINTS))

    def of(self, name: str, *, doubted: bool, uncertain: tuple[Box, ...] = ()) -> Believed:
        return believed(LabelledPicture("a test", b"", (self.FACE,), uncertain, name=name), (doubted,))

    def test_doubtful_faces_of_animals_are_background(self) -> None:
        small = Box(0, 0, 12, 12)

        dog = self.of("n02088364_beagle.JPEG", doubted=True, uncertain=(small,))

        assert (dog.picture.faces, dog.picture.uncertain, dog.animals) == ((), (small,), (self.FACE.box,))

    def test_a_person_beside_an_animal_is_one(self) -> None:
        assert self.of("n02088364_beagle.JPEG", doubted=False).picture.faces == (self.FACE,)

    @pytest.mark.parametrize(
        "name", ["n02669723_academic_gown.JPEG", "photograph.jpg", "n02097298_Scotch_terrier.JPEG"]
    )
    def test_elsewhere_a_doubtful_face_is_neither(self, name: str) -> None:
        found = self.of(name, doubted=True)

        assert (found.picture.faces, found.picture.uncertain, found.animals) == ((), (self.FACE.box,), ())


def test_things_are_drawn_where_no_face_is() -> None:
    for generator in np.random.default_rng(6).spawn(40):
        canvas = Canvas(np.full((128, 128, 3), 90, np.uint8))
        canvas.add(2 * BOX, 2 * POINTS)

        draw_decoys(canvas, generator)

        left, top, right, bottom = (2 * BOX).astype(int)
        assert (canvas.pixels[top:bottom, left:right] == 90).mean() > 0.9
        assert len(canvas.boxes) == 1


def test_missing_data_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=r"portraits\.parquet"):
        read_training(tmp_path)
