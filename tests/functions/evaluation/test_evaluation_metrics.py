"""The metrics: every one of the table keeps the same promises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.evaluation.metrics import METRICS, METRICS_OF_TASK, tokenization

TEXTS = {
    "English": "the cat sat on the mat",
    "Japanese": "猫がマットの上に座った",
    "Greek": "η γάτα κάθισε στο χαλί",
    "Thai": "แมวนั่งบนเสื่อ",
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("language", TEXTS)
def test_the_same_text_scores_one_and_nothing_scores_zero(metric: str, language: str) -> None:
    """In every script, not in English alone."""
    text = TEXTS[language]
    assert METRICS[metric]([text], [text]) == [pytest.approx(1.0)]
    assert METRICS[metric]([""], [text]) == [0.0]


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), min_size=1, max_size=4))
def test_scores_are_shares(metric: str, pairs: list[tuple[str, str]]) -> None:
    """Any texts give one score in 0..1 each."""
    scores = METRICS[metric]([answer for answer, _ in pairs], [expected for _, expected in pairs])
    assert len(scores) == len(pairs)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


def test_exact_match_forgives_outer_white_space_only() -> None:
    """Case, punctuation and inner spaces count."""
    answers = [" refund\n", "Refund", "refund.", "re fund"]
    assert METRICS["exact_match"](answers, ["refund"] * 4) == [1, 0, 0, 0]


def test_rouge_and_bleu_agree_with_their_libraries() -> None:
    """Known values: a subsequence of 5 of 6 words, and sacrebleu's own sentence score."""
    (rouge,) = METRICS["rouge_l"](["the cat sat on mat"], ["the cat sat on the mat"])
    (bleu,) = METRICS["bleu"](["the cat sat on mat"], ["the cat sat on the mat"])
    assert rouge == pytest.approx(2 * 1.0 * (5 / 6) / (1.0 + 5 / 6))
    assert bleu == pytest.approx(0.57893, abs=1e-4)


def test_tokens_follow_the_script() -> None:
    """Scripts without spaces are cut into characters, others into words."""
    kinds = {language: tokenization([text]) for language, text in TEXTS.items()}
    assert kinds == {
        "English": "words",
        "Japanese": "characters",
        "Greek": "words of any script",
        "Thai": "characters",
    }


def test_every_task_has_known_metrics() -> None:
    """The table of tasks names nothing that the table of metrics lacks."""
    assert {name for names in METRICS_OF_TASK.values() for name in names} <= set(METRICS)
