"""Reports made by hand for tests of what shows them: real rules, every kind of statistics, and hostile text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from droptune.datasets.advice import texts
from droptune.datasets.report import (
    Advice,
    Bin,
    Counts,
    FileReport,
    Report,
    Statistics,
    Status,
    Summary,
    Tokens,
    Verdict,
)
from droptune.datasets.rules import Language, Rule, all_rules, fill
from droptune.events import Finding, Severity

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=y>\"'&`{found}`\x00\x1b[31m]]>\u202e"
KNOWN_VALUES: dict[str, str | int | float] = {
    "field": "output_text",
    "found": '"yes"',
    "count": 1234,
    "limit": 8192,
    "share": 12.5,
    "line": 17,
    "rows": 700,
}
PLACE = re.compile(r"\{([a-z_]+)\}")


def rules_of(severity: Severity, number: int) -> list[Rule]:
    """The first rules of a severity."""
    return list(islice((rule for rule in all_rules() if rule.severity == severity), number))


def finding(
    rule: Rule,
    line: int | None = 17,
    *,
    file: str | None = "train.jsonl",
    text: str | None = '{"input_text": "Where is my card?"',
    language: Language = "en",
    value: str | None = None,
) -> Finding:
    """A finding of that rule as validation would word it; `value` stands for every text that its message names."""
    templates = (rule.message, rule.fix, rule.allowed)
    places = {name for template in templates for text_ in template.values() for name in PLACE.findall(text_)}
    values = {name: value if value is not None else KNOWN_VALUES.get(name, f"{name}") for name in sorted(places)}
    return Finding(
        code=rule.code,
        kind=rule.kind,
        severity=rule.severity,
        message=fill(rule.message[language], values),
        fix=fill(rule.fix[language], values),
        file=file,
        line=line,
        offset=None if line is None else 120 * (line - 1),
        pointer=None if line is None else "/output_text",
        excerpt=text,
        found=str(values["found"]) if "found" in values else None,
        allowed=fill(rule.allowed[language], values) or None,
        source=rule.source,
        values=values,
    )


def counts(findings: Iterable[Finding], unlisted: int = 0) -> Counts:
    """What the findings amount to; `unlisted` more of the first code were counted only."""
    by_code: dict[str, int] = {}
    by_severity: dict[str, int] = {"error": 0, "warning": 0, "note": 0}
    for index, one in enumerate(findings):
        times = 1 + (unlisted if index == 0 else 0)
        by_code[one.code] = by_code.get(one.code, 0) + times
        by_severity[one.severity] += times
    return Counts(
        errors=by_severity["error"],
        warnings=by_severity["warning"],
        notes=by_severity["note"],
        by_code=dict(sorted(by_code.items())),
    )


def summary(peak: int = 60, *, bins: int = 20, tokens: Tokens | None = None) -> Summary:
    """A spread with one hump."""
    heights = [max(0, round(peak * 2.0 ** -(((index - bins * 0.3) / (bins * 0.2)) ** 2))) for index in range(bins)]
    histogram = tuple(Bin(least=20 * i, most=20 * i + 19, count=height) for i, height in enumerate(heights))
    return Summary(
        count=sum(heights),
        total=140 * sum(heights),
        min=3,
        max=20 * bins - 1,
        mean=7.02 * bins,
        percentiles={"p5": bins, "p25": 4 * bins, "p50": 6 * bins, "p75": 8 * bins, "p95": 13 * bins},
        histogram=histogram,
        tokens=tokens,
    )


def statistics(labels: int = 12) -> Statistics:
    """Statistics of every kind."""
    return Statistics(
        rows=700,
        characters=98_765,
        tokens=Tokens(total=24_310, low=23_120, high=25_480, basis="estimated"),
        fields={
            "input_text": summary(tokens=Tokens(total=21_000, low=20_100, high=22_000, basis="sampled")),
            "output_text": summary(110, bins=8),
        },
        turns=Summary(
            count=700,
            total=2_100,
            min=2,
            max=6,
            mean=3.0,
            percentiles={"p5": 2, "p50": 2, "p95": 6},
            histogram=(
                Bin(least=2, most=2, count=500),
                Bin(least=4, most=4, count=150),
                Bin(least=6, most=6, count=50),
            ),
        ),
        labels={f"label_{n:02}": 2 + (97 * (labels - n)) // labels for n in range(labels)},
        languages={"en": 0.874, "ja": 0.101, "qq": 0.025},
        sampled=200,
    )


def report(
    findings: Sequence[Finding] = (),
    *,
    status: Status = "ready",
    verdict: Verdict | None = "valid",
    unlisted: int = 0,
    labels: int = 12,
    name: str = "banking-questions",
) -> Report:
    """A report on two files with these findings."""
    return Report(
        run_id="banking-questions-20251121-6f1c",
        dataset=name,
        status=status,
        verdict=verdict,
        format="text",
        method="palm_text_sft",
        base_model="text-bison@002",
        rows=700,
        lines=702,
        files=(
            FileReport(
                role="train",
                name="train.jsonl",
                generation=1763721234567890,
                format="text",
                rows=700,
                lines=702,
                bytes=151_234,
            ),
            FileReport(
                role="eval", name="eval.jsonl", generation=None, format="text", rows=150, lines=150, bytes=31_234
            ),
        ),
        counts=counts(findings, unlisted),
        findings=tuple(findings),
        statistics={"train": statistics(labels)},
        advice=(
            Advice(
                code="ADVICE-SFT",
                message=fill(texts()["ADVICE-SFT"].message["en"], {"rows": 700}),
                source=texts()["ADVICE-SFT"].source,
                values={"rows": 700},
            ),
        ),
    )


def full_report(language: Language = "en") -> Report:
    """Findings of every severity at many places, in a language."""
    found = [finding(rule, line, language=language) for rule in rules_of("error", 4) for line in range(3, 40, 7)]
    found += [finding(rules_of("error", 1)[0], line, file="eval.jsonl", language=language) for line in range(4, 60)]
    found += [finding(rule, line, language=language) for rule in rules_of("warning", 4) for line in (5, 1200, 69_000)]
    found += [finding(rule, None, text=None, language=language) for rule in rules_of("note", 2)]
    return report(found, status="rejected", verdict="repairable", unlisted=4321)


def hostile_report() -> Report:
    """Every text that comes from users tries to be markup."""
    rules = [*rules_of("error", 5), *rules_of("warning", 3)]
    found = [finding(rule, 3, file=HOSTILE + ".jsonl", text=HOSTILE, value=HOSTILE) for rule in rules]
    base = report(found, status="rejected", verdict="invalid", name=HOSTILE)
    fields = {HOSTILE: summary()}
    stats = Statistics(
        rows=3, characters=9, fields=fields, labels={HOSTILE: 3, "x" * 4000: 1}, languages={HOSTILE: 1.0}
    )
    return Report(
        **{
            **{name: getattr(base, name) for name in base.__struct_fields__},
            "run_id": HOSTILE,
            "method": HOSTILE,
            "base_model": HOSTILE,
            "missing": (HOSTILE,),
            "statistics": {"train": stats},
            "advice": (Advice(code=HOSTILE, message=HOSTILE, source=HOSTILE),),
        }
    )
