"""The word error rate that the voice is measured by: what counts as an error, and what is only another spelling."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    """A module of the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


words = load("word_errors")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("two nine three four zero", "29340"),
        ("two nine three four zero", "2 9 3 4 0"),
        ("twenty five colours", "25 colors"),
        ("one thousand two hundred and five", "1,205"),
        ("nineteen sixty one", "1961"),
        ("mister o'brien realised", "Mr. O'Brien realized."),
        ("uh i think um it is grey", "I think it's gray"),
        ("a t v reporter", "A TV reporter."),
        ("we can not travelling", "We can't traveling"),
        ("the first of may", "The 1st of May!"),
        ("et cetera", "Et cetera..."),
        ("", "Um."),
    ],
)
def test_another_spelling_is_no_error(said: str, heard: str) -> None:
    assert words.word_errors(said, heard).errors == 0


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("no i do not want to pay", "no i want to pay", 2),
        ("thank you", "thank you so much", 2),
        ("nine in the morning", "ten in the morning", 2),
        ("four five six", "4 5 7", 1),
        ("thank you", "", 2),
        ("", "you", 1),
    ],
)
def test_what_was_left_out_put_in_or_replaced_is(said: str, heard: str, errors: int) -> None:
    assert words.word_errors(said, heard).errors == errors


def test_rates_are_over_all_words_and_not_over_texts() -> None:
    parts = [
        words.word_errors("we are all here and so are you my friend", "we are all here and so are you my end"),
        words.word_errors("yes", "no"),
    ]
    assert words.total(parts).rate == pytest.approx(2 / 11)
    assert words.word_errors("", "you").rate == 1.0
    assert words.word_errors("", "").rate == 0.0
