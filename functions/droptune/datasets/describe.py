"""From a judgement to its report: counts, statistics, tokens and advice, in a language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..events import Role
from .advice import Facts, advise
from .check import Checked
from .fieldtexts import texts_of_fields
from .findings import Findings
from .masking import masked
from .report import Advice, Counts, FileReport, Report, Statistics, Status, Summary, Tokens, Verdict
from .rules import Language
from .scan import Scan
from .statistics import summaries
from .tokens import SAMPLE_ROWS, Counter, total_tokens


def build(
    *,
    dataset: str,
    run_id: str | None,
    status: Status,
    checked: Checked,
    language: Language = "en",
    missing: Iterable[str] = (),
) -> Report:
    """The report on files that were read."""
    found = checked.purpose
    first = next(iter(checked.scans.values()))
    statistics = {role: statistics_of(role, checked) for role, scan in checked.scans.items() if scan.format is not None}
    return Report(
        run_id=run_id,
        dataset=dataset,
        status=status,
        verdict=verdict(checked.findings),
        format=found.format or first.known,
        method=found.method,
        base_model=found.base_model,
        rows=first.rows,
        lines=first.lines,
        files=_files(checked),
        counts=counts_of(checked.findings),
        findings=checked.findings.listed(language),
        statistics=statistics,
        advice=_advice(checked, statistics, language),
        missing=tuple(missing),
    )


def without_files(
    *,
    dataset: str,
    run_id: str,
    status: Status,
    findings: Findings,
    missing: Iterable[str] = (),
    language: Language = "en",
) -> Report:
    """The report on a data set of which no file was read."""
    return Report(
        run_id=run_id,
        dataset=dataset,
        status=status,
        counts=counts_of(findings),
        findings=findings.listed(language),
        missing=tuple(missing),
    )


def verdict(findings: Findings) -> Verdict:
    """What the findings amount to: repairable when `droptune fix` corrects every error without loss."""
    if findings.blocking:
        return "repairable" if findings.repairable else "invalid"
    return "warn" if findings.count("warning") else "valid"


def counts_of(findings: Findings) -> Counts:
    """All findings by severity and code, codes in order."""
    return Counts(
        errors=findings.count("error"),
        warnings=findings.count("warning"),
        notes=findings.count("note"),
        by_code=dict(sorted(findings.by_code.items())),
    )


def statistics_of(role: Role, checked: Checked) -> Statistics:
    """The statistics of one file's good rows."""
    scan, content = checked.scans[role], checked.contents.get(role)
    counter = checked.options.counter
    sampled = [each.row for each in scan.sample.spread(SAMPLE_ROWS)]
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for row in sampled:
        for name, said in texts_of_fields(row).items():
            texts[name] += said
    fields = summaries(scan.content.fields.items())
    labels = scan.content.labels
    return Statistics(
        rows=scan.content.rows,
        characters=scan.characters,
        tokens=_tokens(scan, sampled, counter),
        fields={name: _with_tokens(summary, texts[name], counter) for name, summary in fields.items()},
        turns=scan.content.turns.summary(),
        labels=None if labels is None else _shareable(labels),
        languages={} if content is None else content.languages,
        sampled=0 if content is None else content.sampled,
    )


def _files(checked: Checked) -> tuple[FileReport, ...]:
    return tuple(
        FileReport(
            role=role,
            name=source.name,
            generation=source.generation,
            format=checked.scans[role].known,
            rows=checked.scans[role].rows,
            lines=checked.scans[role].lines,
            bytes=source.size_bytes,
        )
        for role, source in checked.sources.items()
    )


def _tokens(scan: Scan, sampled: Sequence[Any], counter: Counter | None) -> Tokens | None:
    fmt = scan.format
    if fmt is None:
        return None
    texts = [f"{prompt}{answer}" for prompt, answer in map(fmt.example, sampled)]
    return total_tokens(texts, scan.content.rows, scan.characters, counter)


def _shareable(labels: Mapping[str, int]) -> dict[str, int]:
    """The labels and how often each occurs; those that are addresses or the like are not told apart."""
    found: dict[str, int] = {}
    for label, count in labels.items():
        found[masked(label)] = found.get(masked(label), 0) + count
    return found


def _with_tokens(summary: Summary, texts: Sequence[str], counter: Counter | None) -> Summary:
    tokens = total_tokens(texts, summary.count, summary.total, counter)
    return Summary(
        count=summary.count,
        total=summary.total,
        min=summary.min,
        max=summary.max,
        mean=summary.mean,
        percentiles=summary.percentiles,
        histogram=summary.histogram,
        tokens=tokens,
    )


def _advice(checked: Checked, statistics: Mapping[Role, Statistics], language: Language) -> tuple[Advice, ...]:
    role = checked.purpose.role
    if role is None or role not in statistics or role == "eval":  # which tunes nothing
        return ()
    leading, scan = statistics[role], checked.scans[role]
    prompt, answer = (lengths.summary() for lengths in (scan.content.prompt, scan.content.answer))
    facts = Facts(
        purpose=checked.purpose,
        file=checked.sources[role].name,
        rows={each: result.content.rows for each, result in checked.scans.items()},
        request=checked.request,
        prompt_characters=0 if prompt is None else prompt.percentiles["p50"],
        answer_characters=0 if answer is None else answer.percentiles["p50"],
        turns=2 if leading.turns is None else leading.turns.percentiles["p50"],
        labels=None if leading.labels is None else len(leading.labels),
        tokens=leading.tokens,
        prompt_tokens=_prompt_tokens(scan, checked.options.counter),
    )
    return advise(facts, datetime.now(UTC).date(), language, checked.options.prices)


def _prompt_tokens(scan: Scan, counter: Counter | None) -> Tokens | None:
    if scan.format is None:
        return None
    texts = [scan.format.example(sampled.row).prompt for sampled in scan.sample.spread(SAMPLE_ROWS)]
    return total_tokens(texts, scan.content.rows, scan.content.prompt.total, counter)
