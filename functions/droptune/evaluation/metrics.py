"""Scores of answers against expected answers, in 0..1 for each row; one line per metric in `METRICS`.

sacrebleu and rouge-score do the counting and are imported by the metric that needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from .examples import Task

Scores = list[float]
Metric = Callable[[Sequence[str], Sequence[str]], Scores]
Tokenization = Literal["words", "words of any script", "characters"]

# Scripts written without spaces between words: Thai to Khmer, kana, Han.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def exact_match(answers: Sequence[str], expected: Sequence[str]) -> Scores:
    """1 where the answer is the expected one, white space around both aside; 0 elsewhere."""
    return [float(a.strip() == e.strip()) for a, e in zip(answers, expected, strict=True)]


def rouge_l(answers: Sequence[str], expected: Sequence[str]) -> Scores:
    """F1 of the longest common subsequence of each row (Lin 2004), by rouge-score."""
    return _rouge("rougeL", answers, expected)


def rouge_l_sum(answers: Sequence[str], expected: Sequence[str]) -> Scores:
    """As `rouge_l` with lines taken as sentences; the name under which Model Registry keeps ROUGE."""
    return _rouge("rougeLsum", answers, expected)


def bleu(answers: Sequence[str], expected: Sequence[str]) -> Scores:
    """Sentence BLEU of each row with effective order, by sacrebleu, divided by 100.

    Its mean over rows is no corpus BLEU; a score per row is what paired statistics need.
    """
    from sacrebleu.metrics import BLEU

    tokenize = {"words": "13a", "words of any script": "intl", "characters": "char"}[tokenization(expected)]
    scorer = BLEU(effective_order=True, tokenize=tokenize)
    return [
        scorer.sentence_score(answer, [reference]).score / 100
        for answer, reference in zip(answers, expected, strict=True)
    ]


METRICS: Mapping[str, Metric] = {
    "exact_match": exact_match,
    "rouge_l": rouge_l,
    "rouge_l_sum": rouge_l_sum,
    "bleu": bleu,
}

# The first is the primary one, by which the verdict is reached.
METRICS_OF_TASK: Mapping[Task, tuple[str, ...]] = {
    "classification": ("exact_match",),
    "generation": ("rouge_l", "rouge_l_sum", "bleu", "exact_match"),
}


def tokenization(expected: Sequence[str]) -> Tokenization:
    """How answers are cut into tokens, one way for a whole data set.

    rouge-score keeps ASCII letters and digits only, so that any Japanese or Greek answer would score 0.
    """
    letters = [character for text in expected for character in text if character.isalpha()]
    ascii_letters = sum(character.isascii() for character in letters)
    if 2 * ascii_letters >= len(letters):
        return "words"
    unspaced = sum(_UNSPACED.match(character) is not None for character in letters)
    return "characters" if 2 * unspaced >= len(letters) - ascii_letters else "words of any script"


class _Tokenizer(Protocol):
    def tokenize(self, text: str) -> list[str]: ...


def _rouge(kind: str, answers: Sequence[str], expected: Sequence[str]) -> Scores:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([kind], tokenizer=_rouge_tokenizer(tokenization(expected)))
    return [
        float(scorer.score(reference, answer)[kind].fmeasure)
        for answer, reference in zip(answers, expected, strict=True)
    ]


def _rouge_tokenizer(kind: Tokenization) -> _Tokenizer | None:
    """None is rouge-score's own; the others cut as sacrebleu does for the same data."""
    if kind == "words":
        return None
    if kind == "characters":
        from sacrebleu.tokenizers.tokenizer_char import TokenizerChar as Cut
    else:
        from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International as Cut

    class Tokens:
        def tokenize(self, text: str) -> list[str]:
            return str(Cut()(text.lower())).split()

    return Tokens()
