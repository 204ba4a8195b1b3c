"""Partial transcripts are numbered, and as stable as two hypotheses in a row agree."""

from __future__ import annotations

import pytest

from mien import LocalAgreement, Transcript


def heard(text: str) -> Transcript:
    return Transcript(text, engine="fake", confidence=0.7)


def test_what_two_hypotheses_agree_on_from_the_beginning_is_stable() -> None:
    agreement = LocalAgreement()
    found = [
        agreement.partial(heard(text)) for text in ("Thank.", "Thank you", "thank you, so must", "thank you so much")
    ]
    assert [each.stability for each in found] == [0.0, 0.5, 0.5, 0.75]
    assert [each.revision for each in found] == [1, 2, 3, 4]
    assert not any(each.is_final for each in found)
    assert {(each.engine, each.confidence) for each in found} == {("fake", 0.7)}


def test_the_final_transcript_is_the_last_revision() -> None:
    agreement = LocalAgreement()
    agreement.partial(heard("thank"))
    final = agreement.final(heard("thank you"))
    assert (final.is_final, final.stability, final.revision) == (True, 1.0, 2)


def test_without_partial_transcripts_there_are_no_revisions() -> None:
    assert LocalAgreement().final(heard("yes")).revision == 0


def test_nothing_heard_is_not_stable() -> None:
    assert LocalAgreement().partial(heard("")).stability == 0.0


@pytest.mark.parametrize(
    ("fields", "problem"), [({"stability": 1.5}, "stability"), ({"revision": -1}, "revision must not be negative")]
)
def test_a_number_out_of_range_is_refused(fields: dict[str, float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Transcript("yes", **fields)  # type: ignore[arg-type]
