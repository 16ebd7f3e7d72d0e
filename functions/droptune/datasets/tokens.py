"""How many tokens texts have: counted where a tokenizer is configured, estimated from their characters where not.

A tokenizer is the path of a ``tokenizer.json`` of the Hugging Face tokenizers library; without one, numbers are less
certain and nothing else changes. Turn markers and other special tokens are not counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from .report import Tokens

Counter = Callable[[Sequence[str]], list[int]]

SAMPLE_ROWS = 2_000  # enough for about ±1 % of the total (95 %)


class Script(NamedTuple):
    """Characters for a token in texts of one script, and the factor by which that may be wrong either way."""

    characters_per_token: float
    factor: float


# Measured bytes per token of mixed tuning data: 3.67 and 3.65 with the vocabularies of Gemini and Gemma 3, 3.15 and
# 3.73 with two others; of 27 data sets in Latin script, each by itself, 3.41 to 5.34 characters per token with a fifth.
# The factor spans all of these. For Chinese, Japanese and Korean, vocabularies that know them reach 1.3 to 1.6
# characters a token; one of English alone measured 0.58, beyond the factor: only counting tells there. Of other scripts
# nothing was measured: the factor is wider.
LATIN = Script(4.0, 1.4)
CJK = Script(1.45, 1.5)
OTHER = Script(2.4, 2.0)
# Among 98,855 measured rows the worst had 0.61 tokens a byte, 2.24 times their mean of 1 / 3.67.
WORST_TOKENS_PER_BYTE = 0.61
WORST_ROW_FACTOR = 2.24

_LATIN_RUNS = re.compile(r"[\u0000-\u024f\u1e00-\u1eff\u2000-\u206f]+")
_CJK_RUNS = re.compile(
    r"[\u1100-\u11ff\u2e80-\u31ff\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)


class Estimate(NamedTuple):
    """A number of tokens that lies between `low` and `high`."""

    tokens: float
    low: float
    high: float


def tokenizer(path: Path | None) -> Counter | None:
    """What counts the tokens of texts, or None without a path; Refused when there is no tokenizer to load there."""
    if path is None:
        return None
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise Refused("a tokenizer needs the library tokenizers: pip install tokenizers") from error
    if not path.is_file():
        raise Refused(f"tokenizer {path}: no such file; name a tokenizer.json of the tokenizers library")
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise Refused(f"tokenizer {path}: {error}; name a tokenizer.json of the tokenizers library") from error

    def count(texts: Sequence[str]) -> list[int]:
        return [len(encoded) for encoded in loaded.encode_batch_fast(list(texts), add_special_tokens=False)]

    return count


def estimate(text: str) -> Estimate:
    """The tokens of texts of one data set, from the scripts of their characters."""
    not_latin = "" if text.isascii() else _LATIN_RUNS.sub("", text)
    other = _CJK_RUNS.sub("", not_latin)
    tokens = low = high = 0.0
    for script, characters in (
        (LATIN, len(text) - len(not_latin)),
        (CJK, len(not_latin) - len(other)),
        (OTHER, len(other)),
    ):
        share = characters / script.characters_per_token
        tokens += share
        low += share / script.factor
        high += share * script.factor
    return Estimate(tokens, low, high)


def total_tokens(sample: Sequence[str], rows: int, characters: int, counter: Counter | None) -> Tokens | None:
    """The tokens of `rows` texts with `characters` in all, of which `sample` is all or a random part; None for none.

    With a counter and all rows, they are counted. With a counter and a sample of n, the total is R·C, where R is the
    sample's tokens per character and C all characters (ratio estimator). Its 95 % interval is
    R·C ± t·C·sqrt((1 - n/N) · Σ(tᵢ - R·cᵢ)² / (n - 1) / n) / c̄, t being Student's quantile with n - 1 degrees of
    freedom. Without a counter, or with one row of several, the interval is that of `estimate`: no confidence interval
    but the spread of tokenizers and languages, which is far wider than the sample's own error.
    """
    lengths = [len(text) for text in sample]
    sampled = sum(lengths)
    if not rows or not sampled:
        return None
    if counter is None or len(sample) == 1 < rows:
        scale = characters / sampled
        tokens, low, high = estimate("".join(sample))
        return Tokens(
            total=round(tokens * scale), low=int(low * scale), high=math.ceil(high * scale), basis="estimated"
        )
    counts = counter(sample)
    if len(sample) >= rows:
        return Tokens(total=sum(counts), low=sum(counts), high=sum(counts), basis="counted")
    ratio = sum(counts) / sampled
    total = ratio * characters
    half = characters * _half_width(counts, lengths, rows)
    return Tokens(
        total=round(total), low=max(0, math.floor(total - half)), high=math.ceil(total + half), basis="sampled"
    )


def _half_width(counts: Sequence[int], lengths: Sequence[int], rows: int) -> float:
    """Half of the 95 % interval of tokens per character, by the ratio estimator's variance."""
    n = len(counts)
    ratio, mean = sum(counts) / sum(lengths), sum(lengths) / n
    residuals = sum((count - ratio * length) ** 2 for count, length in zip(counts, lengths, strict=True))
    variance = (1 - n / rows) * residuals / (n - 1) / n
    return _student(n - 1) * math.sqrt(variance) / mean


def _student(freedom: int) -> float:
    """Student's quantile for 95 %, both sides: the normal one with three terms of Cornish and Fisher's expansion."""
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
