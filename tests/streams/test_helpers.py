"""Pictures that are due, and utterances cut out of sound, by the caller's clock alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from mien import AudioClip
from mien.streams import Snapshots, UtteranceCutter
from mien.testing import make_session, make_speech

RATE = 16_000


def pieces(samples: np.ndarray, *, began: float, size: int = 1_600) -> list[AudioClip]:
    return [
        AudioClip(samples[start : start + size].astype(np.float32), RATE, began + start / RATE)
        for start in range(0, len(samples), size)
    ]


def cut(cutter: UtteranceCutter, clips: Iterable[AudioClip]) -> list[AudioClip]:
    return [said for clip in clips for said in cutter.push(clip)] + cutter.flush()


def test_one_picture_an_interval_is_due_whatever_the_clock_is() -> None:
    for began in (0.0, 1.7e9, -5.0):
        snapshots = Snapshots(interval_seconds=1.0)
        assert [snapshots.due(began + at / 4) for at in range(9)] == [at % 4 == 0 for at in range(9)]


def test_each_picture_is_due_without_an_interval_and_after_a_clock_was_set_back() -> None:
    assert [Snapshots(interval_seconds=0.0).due(at) for at in (1.0, 1.0, 1.1)] == [True] * 3
    snapshots = Snapshots(interval_seconds=10.0)
    assert [snapshots.due(at) for at in (100.0, 101.0, 5.0, 6.0)] == [True, False, True, False]


def test_an_interval_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        Snapshots(interval_seconds=-1.0)


@pytest.mark.parametrize("size", [37, 320, 1_600, 16_000])
def test_an_utterance_is_cut_out_with_its_time_in_pieces_of_any_size(size: int) -> None:
    sound = np.zeros(5 * RATE)
    sound[2 * RATE : 3 * RATE] = 0.3
    (said,) = cut(UtteranceCutter(), pieces(sound, began=1000.0, size=size))
    assert said.captured_at == pytest.approx(1001.8, abs=0.05)
    assert said.duration_seconds == pytest.approx(1.8, abs=0.05)


def test_a_pause_is_part_of_it_a_longer_one_ends_it_and_a_click_is_none() -> None:
    sound = np.zeros(8 * RATE)
    for start, end in ((1.0, 1.5), (1.9, 2.4), (4.0, 4.5), (6.0, 6.05)):
        sound[round(start * RATE) : round(end * RATE)] = 0.3
    said = cut(UtteranceCutter(), pieces(sound, began=0.0))
    assert [round(each.captured_at, 1) for each in said] == [0.8, 3.8]


def test_one_that_goes_on_is_cut_and_nothing_of_it_is_lost() -> None:
    said = cut(UtteranceCutter(max_seconds=2.0), pieces(np.full(5 * RATE, 0.3), began=0.0))
    assert [each.duration_seconds for each in said] == [2.0, 2.0, 1.0]
    assert [each.captured_at for each in said] == pytest.approx([0.0, 2.0, 4.0])


def test_a_gap_ends_it() -> None:
    loud = np.full(RATE, 0.3)
    cutter = UtteranceCutter()
    said = cut(cutter, [*pieces(loud, began=0.0), *pieces(loud, began=10.0)])
    assert [each.captured_at for each in said] == [0.0, 10.0]


def test_something_else_may_tell_what_is_speech() -> None:
    cutter = UtteranceCutter(is_speech=lambda frame, rate: bool(frame[0] < 0))
    assert not cut(cutter, pieces(np.full(RATE, 0.5), began=0.0))
    assert len(cut(cutter, pieces(np.full(RATE, -0.5), began=5.0))) == 1


def test_a_visit_that_is_drawn_has_one_utterance() -> None:
    clips = [sample for sample in make_session() if isinstance(sample, AudioClip)]
    (said,) = cut(UtteranceCutter(), clips)
    assert said.captured_at == pytest.approx(1001.5, abs=0.4)
    assert len(cut(UtteranceCutter(), pieces(make_speech(seconds=2.0).samples, began=0.0))) == 1


def test_a_longest_utterance_shorter_than_what_is_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="max_seconds"):
        UtteranceCutter(max_seconds=0.1)
