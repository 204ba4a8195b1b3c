"""What decoding may cost is told before anything is decoded: honest files are plain, what is built to cost is not."""

from __future__ import annotations

import contextlib
import struct

import pytest
from core.bombs import COSTLY, PLAIN, REFUSED, saved, wav
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import InputTooLargeError
from mien.media.census import Cost, picture_cost, sound_cost


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_what_programs_write_is_plain(data: bytes) -> None:
    assert picture_cost(data) is Cost.PLAIN


@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY)
def test_what_may_cost_more_than_its_bytes_and_pixels_is_costly(data: bytes) -> None:
    assert picture_cost(data) is Cost.COSTLY


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_no_program_writes_is_refused(data: bytes) -> None:
    with pytest.raises(InputTooLargeError, match="save it"):
        picture_cost(data)


def test_plain_samples_are_plain_and_everything_else_of_sound_is_costly() -> None:
    tag = b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert sound_cost(wav()) is sound_cost(wav(before=tag, behind=tag)) is Cost.PLAIN
    many = b"abcd\0\0\0\0" * 10_000
    for data in (wav(before=many), wav(behind=many), wav(form=2), b"OggS" + bytes(100), b"fLaC", b"RIFF", b""):
        assert sound_cost(data) is Cost.COSTLY


@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP"]), data=st.data())
def test_damage_raises_nothing_else(kind: str, data: st.DataObject) -> None:
    whole = bytearray(saved(kind))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[place] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(InputTooLargeError):
        assert picture_cost(cut) in Cost
    assert sound_cost(cut) is Cost.COSTLY
