"""The statistics of a page: per file the spread of its fields, turns, labels and languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..report import Report, Statistics, Summary, Tokens
from ..wording import Wording, words
from .charts import bar, histogram, stack
from .markup import code, plain, table

LABELS_AT_FIRST = 20  # the others are a click away


def statistics(report: Report, say: Wording) -> Iterator[str]:
    """The section as lines of HTML; nothing for a report without files."""
    if not report.files:
        return
    yield f'<section id="statistics" aria-labelledby="h-statistics"><h2 id="h-statistics">{say("statistics")}</h2>'
    every = [
        (each, role, one) for each in report.sets or (report,) for role, one in each.statistics.items() if one.rows
    ]
    if not every:
        yield f'<p class="quiet">{say("no_statistics")}</p>'
    for each, role, one in every:
        heading = say("role_" + role)
        yield from _of_file(f"{each.dataset} · {heading}" if report.sets else heading, one, say)
    yield "</section>"


def tokens_in_words(tokens: Tokens, say: Wording) -> str:
    """The interval of a number of tokens, where there is one, and how it is known."""
    basis = say("tokens_" + tokens.basis)
    if tokens.low == tokens.high:
        return basis
    return f"{say('interval', low=tokens.low, high=tokens.high)} · {basis}"


def _of_file(heading: str, one: Statistics, say: Wording) -> Iterator[str]:
    amount = [say("count_rows", n=one.rows), say("count_characters", n=one.characters)]
    if one.tokens:
        amount.append(f"{say('tokens')} {one.tokens.total:,} ({tokens_in_words(one.tokens, say)})")
    amount.append(say("without_errors"))
    yield (
        f'<section class="card stats"><h3>{plain(heading)}</h3>'
        f'<p class="quiet">{" · ".join(plain(part) for part in amount)}</p><div class="grid">'
    )
    for name, summary in one.fields.items():
        yield _spread(code(name), name, summary, say("axis_characters"), say)
    if one.turns:
        yield _spread(say("turns"), say("turns"), one.turns, say("axis_turns"), say)
    if one.languages:
        yield _languages(one, say)
    yield "</div>"
    if one.labels:
        yield _labels(one.labels, say)
    yield "</section>"


def _spread(heading: str, name: str, summary: Summary, unit: str, say: Wording) -> str:
    """A histogram and, beside it, the numbers."""
    numbers: list[tuple[str, str]] = [
        (say("least"), f"{summary.min:,}"),
        *((mark, f"{value:,}") for mark, value in summary.percentiles.items()),
        (say("most"), f"{summary.max:,}"),
        (say("mean"), f"{summary.mean:,.1f}"),
    ]
    tokens = ""
    if summary.tokens:
        words_of = tokens_in_words(summary.tokens, say)
        tokens = f'<p class="quiet">{say("tokens")} {summary.tokens.total:,} ({plain(words_of)})</p>'
    cells = "".join(f"<div><dt>{plain(term)}</dt><dd>{value}</dd></div>" for term, value in numbers)
    return (
        f'<figure class="spread"><figcaption>{heading} <span class="quiet">{plain(unit)}</span></figcaption>'
        f'{histogram(name, summary, unit, say)}<dl class="numbers">{cells}</dl>{tokens}</figure>'
    )


def _labels(labels: Mapping[str, int], say: Wording) -> str:
    total, most = sum(labels.values()), max(labels.values())
    rows = [
        (code(label), f"{count:,}", f"{100 * count / max(total, 1):.1f} %", bar(count / max(most, 1)))
        for label, count in sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    head = (say("label"), say("rows"), say("share"), "")
    shown = table(say("labels"), head, rows[:LABELS_AT_FIRST], numbers_from=1)
    if rows[LABELS_AT_FIRST:]:
        rest = rows[LABELS_AT_FIRST:]
        shown += (
            f'<details class="more"><summary>{say("more_labels", n=len(rest))}</summary>'
            f"{table(say('labels'), head, rest, numbers_from=1)}</details>"
        )
    heading = f'{say("labels")} <span class="quiet">{say("count_labels", n=len(labels))}</span>'
    return f'<figure class="labels"><figcaption>{heading}</figcaption>{shown}</figure>'


def _languages(one: Statistics, say: Wording) -> str:
    """The shares as one bar and as a list; what is left of the whole has no language."""
    ordered = dict(sorted(one.languages.items(), key=lambda pair: (-pair[1], pair[0])))
    named = {language_name(name, say): share for name, share in ordered.items()}
    shares = say("separator").join(f"{name} {100 * share:.1f} %" for name, share in named.items())
    described = say("languages_of", shares=shares)
    items = "".join(
        '<li><svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect class="s{index % 6}" width="10" height="10"/></svg>'
        f"{plain(name)} <b>{100 * share:.1f} %</b></li>"
        for index, (name, share) in enumerate(named.items())
    )
    sampled = f'<p class="quiet">{say("sampled", n=one.sampled)}</p>' if one.sampled else ""
    return (
        f'<figure class="languages"><figcaption>{say("languages")}</figcaption>{stack(named, described)}'
        f"<ul>{items}</ul>{sampled}</figure>"
    )


def language_name(name: str, say: Wording) -> str:
    """The name of a language, where the catalogue has one for its code."""
    return say("language_" + name) if "language_" + name in words() else name
