"""Whether preferences point the right way, and whether something other than quality decides them.

A systematic preference is told from chance by a sign test: how likely a fair coin falls so often on one side.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from ..findings import Findings
from .near_duplicates import form_of
from .refusals import refuses, says_nothing
from .sample import Pair, Sample, percent
from .shingles import letters
from .totals import Preferences

REVERSED_SHARE = 0.8  # of the pairs where one candidate is poor, those where it is the better one
BIASED_SHARE = 0.85  # of the pairs of different length, those that the longer (or shorter) candidate wins
LEAST_PAIRS_BIASED = 30
LEAST_PAIRS_ONE_SIDED = 20
CHANCE = 0.001
WITH_CHOICE = ("preference", "chat_preference")  # elsewhere the order of the candidates is the format's, or free


def examine_preferences(sample: Sample, totals: Preferences | None, findings: Findings) -> None:
    """Polarity, ties and length bias of the pairs of one file."""
    pairs = sample.pairs
    if not pairs:
        return
    _examine_poor(sample, pairs, findings)
    same = [at for at, pair in enumerate(pairs) if _same(pair)]
    sample.report(findings, "POLARITY-SAME", same)
    if totals is not None:
        _examine_lengths(sample.file, totals, findings)
        one_sided = totals.first_better in (0, totals.pairs) and totals.pairs >= LEAST_PAIRS_ONE_SIDED
        if one_sided and sample.fmt.name in WITH_CHOICE:
            values = {"count": totals.pairs, "found": 0 if totals.first_better else 1}
            findings.add("POLARITY-ONE-SIDED", values, file=sample.file)


def systematic(hits: int, of: int, share: float) -> bool:
    """Whether `hits` are at least that share, and more than a fair coin would give."""
    return of > 0 and hits >= share * of and sign_test(hits, of) < CHANCE


def sign_test(hits: int, of: int) -> float:
    """How likely a fair coin gives at least so many hits."""
    if of > 1_000:  # far in the tail of a normal distribution whenever the shares above are reached
        return 0.0 if hits > 0.55 * of else 1.0
    return float(sum(comb(of, k) for k in range(hits, of + 1)) / 2**of)


def _examine_poor(sample: Sample, pairs: Sequence[Pair], findings: Findings) -> None:
    """Pairs in which exactly one candidate is poor: it should be the worse one.

    One kind of poor answer that settles it has a code of its own; together, or both, they are POLARITY-REVERSED.
    """
    refusing = [(refuses(better), refuses(worse)) for better, worse in pairs]
    nothing = [(says_nothing(better), says_nothing(worse)) for better, worse in pairs]
    either = [(r[0] or n[0], r[1] or n[1]) for r, n in zip(refusing, nothing, strict=True)]
    reversed_by = {
        code: hits
        for code, marks in (("POLARITY-REFUSAL", refusing), ("POLARITY-EMPTY", nothing), ("POLARITY-REVERSED", either))
        if (hits := _reversed(marks))
    }
    if not reversed_by:
        return
    combined = reversed_by.pop("POLARITY-REVERSED", None)
    if len(reversed_by) == 1 or combined is None:
        code, (rows, of) = next(iter(reversed_by.items()))
    else:
        code, (rows, of) = "POLARITY-REVERSED", combined
    sample.report(findings, code, rows, pairs=of, share=percent(len(rows), of))


def _reversed(marks: Sequence[tuple[bool, bool]]) -> tuple[list[int], int] | None:
    """The pairs whose better candidate alone is marked, and how many have one marked; None when that is no system."""
    hits = [at for at, (better, worse) in enumerate(marks) if better and not worse]
    of = len(hits) + sum(1 for better, worse in marks if worse and not better)
    return (hits, of) if systematic(len(hits), of, REVERSED_SHARE) else None


def _examine_lengths(file: str, totals: Preferences, findings: Findings) -> None:
    of = totals.longer_better + totals.shorter_better
    if of < LEAST_PAIRS_BIASED:
        return
    for code, hits in (("LENGTH-BIAS", totals.longer_better), ("POLARITY-SHORTER", totals.shorter_better)):
        if systematic(hits, of, BIASED_SHARE):
            means = {"better": round(totals.better_mean, 1), "worse": round(totals.worse_mean, 1)}
            findings.add(code, {"count": hits, "pairs": of, "share": percent(hits, of), **means}, file=file)


def _same(pair: Pair) -> bool:
    """Whether two different texts say the same but for case, width, spaces and punctuation."""
    better, worse = pair
    if better == worse or better[:1].casefold() != worse[:1].casefold():
        return False
    encoded = (text.encode("utf-8", "replace") for text in pair)
    first, second = map(letters, encoded)
    return first == second and form_of(better) == form_of(worse)
