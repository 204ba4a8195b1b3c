"""Agreement and mismatch, by the cases that the words stand for."""

from __future__ import annotations

import pytest

from mien import FusionContext, MismatchPair, MismatchPolicy
from mien_fusion.agreement import agreement, distrusted, mismatched
from mien_fusion.evidence import StreamSummary


def stream(score: float, confidence: float = 0.8) -> StreamSummary:
    return StreamSummary(score=score, confidence=confidence, freshness=1.0, size=3.0, samples=1)


def is_mismatch(
    streams: dict[str, StreamSummary],
    *,
    pairs: tuple[MismatchPair, ...] = FusionContext().mismatch_pairs,
    margin: float = 0.15,
    min_confidence: float = 0.5,
) -> bool:
    return bool(mismatched(streams, pairs, margin=margin, min_confidence=min_confidence))


def mismatch(face: StreamSummary, words: StreamSummary, *, modality: str = "voice") -> bool:
    return is_mismatch({"face": face, modality: words})


@pytest.mark.parametrize("modality", ["voice", "text"])
def test_a_smiling_complaint_is_a_mismatch(modality: str) -> None:
    assert mismatch(stream(0.9), stream(0.1), modality=modality)


def test_an_angry_face_with_kind_words_is_a_mismatch() -> None:
    assert mismatch(stream(0.1), stream(0.9))


def test_a_neutral_face_with_kind_words_is_none() -> None:
    assert not mismatch(stream(0.5), stream(0.95))


def test_a_neutral_face_with_a_complaint_is_none() -> None:
    assert not mismatch(stream(0.55), stream(0.02))


@pytest.mark.parametrize(("face", "words"), [(0.3, 0.9), (0.9, 0.3), (0.3, 0.3)])
def test_both_must_be_confident(face: float, words: float) -> None:
    assert not mismatch(stream(0.9, face), stream(0.1, words))


def test_one_stream_alone_cannot_mismatch() -> None:
    assert not is_mismatch({"face": stream(0.9)})
    assert not is_mismatch({"voice": stream(0.9), "text": stream(0.1)})


def test_voice_and_text_speak_as_one() -> None:
    words = {"voice": stream(0.05), "text": stream(0.9)}
    assert not is_mismatch({"face": stream(0.9), **words})
    assert is_mismatch({"face": stream(0.9), "voice": words["voice"], "text": stream(0.2)})


def test_any_two_groups_may_be_held_against_each_other() -> None:
    streams = {"face": stream(0.9), "prosody": stream(0.1), "gait": stream(0.2), "text": stream(0.85)}
    assert not is_mismatch(streams)
    prosody: MismatchPair = (("prosody", "gait"), ("face",))
    words: MismatchPair = (("voice", "text"), ("prosody",))
    alike: MismatchPair = (("prosody",), ("gait",))
    assert mismatched(streams, (prosody, alike, words), margin=0.15, min_confidence=0.5) == (prosody, words)
    assert not is_mismatch(streams, pairs=())


def test_a_policy_leaves_out_what_stands_against_the_modality_it_trusts() -> None:
    pairs: tuple[MismatchPair, ...] = (
        (("face",), ("voice", "text")),
        (("prosody",), ("face",)),
        (("gait",), ("prosody",)),
        (("face", "voice"), ("text",)),
    )
    assert distrusted(pairs, MismatchPolicy.TRUST_FACE) == {"voice", "text", "prosody"}
    assert distrusted(pairs, MismatchPolicy.TRUST_WORDS) == {"face"}
    assert distrusted(pairs, MismatchPolicy.BLEND) == distrusted(pairs, MismatchPolicy.ABSTAIN) == frozenset()


def test_equal_scores_at_no_margin_are_no_mismatch() -> None:
    assert not is_mismatch({"face": stream(0.5), "voice": stream(0.5)}, margin=0.0, min_confidence=0.0)


def test_agreement_runs_from_opposite_to_equal() -> None:
    assert agreement({"face": stream(0.7), "voice": stream(0.7)}) == 1.0
    assert agreement({"face": stream(1.0, 1.0), "voice": stream(0.0, 1.0)}) == 0.0
    assert agreement({"face": stream(0.9), "voice": stream(0.6)}) == pytest.approx(0.7)
    assert agreement({"face": stream(0.9)}) == 1.0
    assert agreement({}) == 1.0


def test_a_stream_without_confidence_does_not_disagree() -> None:
    pair = {"face": stream(0.9), "voice": stream(0.8)}
    assert agreement({**pair, "gait": stream(0.0, 0.0)}) == agreement(pair)
