"""Pictures of any size fit the input, and what is found in it is brought back to where it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien_face.detection.config import PADDING_VALUE, SIZE_MULTIPLE
from mien_face.detection.letterbox import MOST_ENLARGED, draw, fitting_side, input_shapes, place

sides = st.integers(1, 9000)


@given(sides, sides, st.integers(64, 1000))
def test_every_picture_fits_its_input(height: int, width: int, long_side: int) -> None:
    placement = place(height, width, long_side=long_side)
    assert placement.shape in input_shapes(long_side)
    assert all(side % SIZE_MULTIPLE == 0 for side in placement.shape)
    assert 0 <= placement.left <= placement.left + placement.width <= placement.shape[1]
    assert 0 <= placement.top <= placement.top + placement.height <= placement.shape[0]
    assert min(placement.width, placement.height) >= 1
    assert placement.scale_x <= MOST_ENLARGED * (1 + 0.5 / width)
    # one scale explains both sides, each rounded to whole pixels and at least one
    within = [
        (0.0 if drawn == 1 else (drawn - 0.5) / side, (drawn + 0.5) / side)
        for drawn, side in ((placement.width, width), (placement.height, height))
    ]
    assert max(low for low, _ in within) <= min(high for _, high in within) * (1 + 1e-12)


def test_a_camera_picture_fills_the_wide_input() -> None:
    placement = place(480, 640, long_side=320)
    assert placement.shape == (240, 320)
    assert (placement.scale_x, placement.scale_y, placement.left, placement.top) == (0.5, 0.5, 0, 0)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (100, 100), (7, 1000), (240, 320), (1, 1)])
def test_a_picture_is_drawn_where_it_is_placed_and_grey_surrounds_it(height: int, width: int) -> None:
    placement = place(height, width, long_side=320)
    out = np.zeros((*placement.shape, 3), np.uint8)
    draw(np.full((height, width, 3), 200, np.uint8), placement, out)
    inside = np.zeros(placement.shape, bool)
    inside[placement.top : placement.top + placement.height, placement.left : placement.left + placement.width] = True
    assert (out[inside] == 200).all()
    assert (out[~inside] == PADDING_VALUE).all()


@pytest.mark.parametrize(
    ("height", "width", "smallest", "side"),
    [
        (480, 640, 48, 320),  # a kiosk: faces of a tenth of the height
        (1080, 1920, 108, 320),
        (300, 420, 24, 320),
        (300, 420, 18, 448),
        (3000, 4000, 40, 1280),  # a group photograph: all the faces that are large enough to be read
        (300, 420, 1, 640),  # enlarged by half at most
        (1, 1, 0, 320),
    ],
)
def test_the_input_is_as_large_as_the_faces_asked_for_need(height: int, width: int, smallest: float, side: int) -> None:
    assert fitting_side(height, width, smallest=smallest, least=320) == side
