"""The page: complete without script or network, in two languages, and no row can break it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_reports import HOSTILE, finding, full_report, hostile_report, report, rules_of, statistics

from droptune.datasets.grouping import groups
from droptune.datasets.page import page
from droptune.datasets.page.charts import compact, histogram
from droptune.datasets.report import Bin, Counts, Report, Statistics, Status, Summary, Verdict
from droptune.datasets.rules import LANGUAGES, Language, all_rules
from droptune.datasets.wording import Wording, words
from droptune.events import Finding

VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order, and attributes are collected."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(data.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def values(self, *names: str) -> list[str]:
        return [value or "" for name, value in self.attributes if name in names]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def test_it_shows_every_finding_with_its_place() -> None:
    """Each finding that the report lists is a place on the page, under its rule."""
    one = full_report()
    shown = Page(page(one))
    assert shown.tags.count("li") >= len(one.findings)
    assert len([value for value in shown.values("data-severity")]) == len({f.code for f in one.findings})
    for found in one.findings:
        assert found.code in shown.text
        assert found.line is None or f"line {found.line}" in shown.text


def test_numbers_counted_but_not_listed_are_told() -> None:
    """Where a report lists fewer findings than there are, the page says how many more."""
    assert "and 4,321 more, counted but not listed" in Page(page(full_report())).text


def test_it_loads_nothing() -> None:
    """Every address leads into the page itself, and its policy forbids loading anything."""
    data = page(full_report())
    shown = Page(data)
    assert all(address.startswith("#") for address in shown.values("src", "href", "action", "xlink:href"))
    assert b"@import" not in data and b"url(" not in data
    policy = next(value for value in shown.values("content") if "default-src" in value)
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_links_within_the_page_lead_somewhere() -> None:
    """Every ``#name`` is the id of an element, and no id is given twice."""
    shown = Page(page(full_report()))
    ids = shown.values("id")
    assert {address[1:] for address in shown.values("href")} <= set(ids)
    assert len(ids) == len(set(ids))


def test_hostile_rows_stay_text() -> None:
    """Markup in names, values, labels, fields and advice is shown as it was written, and adds no element."""
    shown = Page(page(hostile_report()))
    assert shown.tags.count("script") == shown.tags.count("style") == 1
    assert not {"img", "iframe", "link", "object"} & set(shown.tags)
    assert not [name for name, _ in shown.attributes if name.startswith("on") or name == "style"]
    assert "<script>alert(1)</script><img src=x onerror=y>" in shown.text
    assert not re.search("[\x00-\x08\x1b\u202e\u2066]", shown.text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    """Any characters at all, halves of surrogate pairs too, leave every element closed."""
    rule = rules_of("error", 1)[0]
    one = report([finding(rule, 1, file=text, text=text, value=text)], name=text)
    stats = Statistics(rows=1, characters=1, labels={text: 1}, languages={text: 1.0})
    Page(page(Report(**{**{n: getattr(one, n) for n in one.__struct_fields__}, "statistics": {"train": stats}})))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_the_language_asked_for(language: Language) -> None:
    """Findings worded in another language are worded anew, and the page says which language it is in."""
    other: Language = "ja" if language == "en" else "en"
    assert page(full_report(other), language) == page(full_report(language), language)
    assert f'<html lang="{language}">'.encode() in page(full_report(other), language)


def test_a_code_that_is_unknown_here_is_shown_as_it_came() -> None:
    """A report of another version of the rules keeps its own words."""
    odd = Finding(code="FUTURE-CODE", kind="future", severity="warning", message="A new thing.", fix="Do `this`.")
    shown = Page(page(report([odd]), "ja"))
    assert "FUTURE-CODE" in shown.text and "A new thing." in shown.text


def test_a_finding_without_its_values_keeps_its_message() -> None:
    """A message that cannot be filled is not worded anew."""
    rule = next(rule for rule in rules_of("error", 200) if "{" in rule.message["ja"])
    old = Finding(code=rule.code, kind=rule.kind, severity="error", message="As it was said.", fix="As it was done.")
    assert Wording("ja").finding(old) == old


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", [None, "valid", "warn", "repairable", "invalid"])
@pytest.mark.parametrize("status", ["ready", "rejected", "waiting", "superseded"])
def test_it_shows_every_verdict(status: Status, verdict: Verdict | None, language: Language) -> None:
    """Each status with each verdict has its banner, with findings and without, with files and without."""
    say = Wording(language)
    name = "repairable" if (status, verdict) == ("rejected", "repairable") else status
    bare = Report(
        run_id=None, dataset="cards", status=status, verdict=verdict, counts=Counts(), missing=("eval.jsonl",)
    )
    for one in (report(status=status, verdict=verdict), bare):
        assert say("status_" + name) in Page(page(one, language)).text


def test_a_thousand_findings_fit() -> None:
    """A thousand places of one rule and a thousand rules' worth of places make one page, quickly to read."""
    rules = [*rules_of("error", 10), *rules_of("warning", 10)]
    found = [finding(rule, line) for rule in rules for line in range(1, 101)]
    data = page(report(found, status="rejected", verdict="invalid"))
    assert len(data) < 2_000_000
    Page(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_can_be_shown(language: Language) -> None:
    """A finding of each rule is on the page with its code, in each language, and none breaks the page."""
    every = list(all_rules())
    shown = Page(page(report([finding(rule) for rule in every], status="rejected", verdict="invalid"), language))
    assert {rule.code for rule in every} <= set(shown.values("id"))


def test_a_hundred_labels_are_all_there() -> None:
    """The most frequent labels come first, the others are a click away."""
    shown = Page(page(report(labels=100)))
    assert all(f"label_{n:02}" in shown.text for n in range(100))
    assert "80 more labels" in shown.text


def test_a_report_is_always_the_same_bytes() -> None:
    """Nothing of the time or machine is in the page."""
    assert page(full_report()) == page(full_report())


def test_charts_say_their_numbers() -> None:
    """A histogram carries its numbers in words, and marks the median and the 95th percentile."""
    spread = statistics().fields["input_text"]
    chart = histogram("input_text", spread, "characters", Wording("en"))
    assert 'role="img" aria-label="Histogram of input_text:' in chart
    assert ">p50 120<" in chart and ">p95 260<" in chart
    assert chart.count('class="bar"') == len(spread.histogram)


@pytest.mark.parametrize("bins", [(), (Bin(least=0, most=0, count=0),), (Bin(least=7, most=7, count=9),)])
def test_charts_of_little(bins: tuple[Bin, ...]) -> None:
    """No bin, an empty one and a single one are drawn, or left out, without a fault."""
    little = Summary(count=0, total=0, min=0, max=0, mean=0.0, percentiles={"p50": 7}, histogram=bins)
    chart = histogram("x", little, "characters", Wording("en"))
    assert chart.startswith("<svg") if bins else chart == ""
    assert "nan" not in chart.lower()


@pytest.mark.parametrize(
    ("number", "short"), [(0, "0"), (9_999, "9,999"), (12_345, "12.3k"), (40_000, "40k"), (2_500_000, "2.5M")]
)
def test_numbers_on_axes_are_short(number: int, short: str) -> None:
    """Thousands and millions are written with a letter."""
    assert compact(number) == short


def test_the_words_are_complete() -> None:
    """Every word is there in every language, with the same places to fill."""
    for name, texts in words().items():
        assert set(texts) == set(LANGUAGES), name
        places = [set(re.findall(r"\{[a-z]+\}", text)) for text in texts.values()]
        assert places[0] == places[1], name


def test_errors_come_first_then_the_most_frequent() -> None:
    """Groups are ordered by severity, then by how often they occur."""
    found = groups(full_report(), Wording("en"))
    order = [(("error", "warning", "note").index(group.severity), -group.total) for group in found]
    assert order == sorted(order)
    assert found[0].unlisted == 4321


def test_hostile_text_is_hostile() -> None:
    """The text that these tests use would close elements, open scripts and turn directions."""
    assert all(part in HOSTILE for part in ("</style>", "<script>", "\x00", "\u202e", "]]>"))


def luminance(colour: str) -> float:
    """The relative luminance of ``#rgb`` or ``#rrggbb``, as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        ("ink", ("page", "card", "code", "error-tint", "warning-tint", "note-tint", "valid-tint")),
        ("quiet", ("page", "card", "code")),
        ("accent", ("page", "card")),
        ("error", ("error-tint", "card")),
        ("warning", ("warning-tint", "card")),
        ("note", ("note-tint", "card")),
        ("valid", ("valid-tint", "card")),
    ],
)
def test_colours_can_be_read(theme: int, ink: str, grounds: tuple[str, ...]) -> None:
    """Text has a contrast of at least 4.5 to what it stands on (WCAG AA), by day and by night."""
    roots = re.findall(r":root \{(.*?)\}", page(report()).decode(), re.DOTALL)
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", roots[theme]))
    for ground in grounds:
        lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{ink} on {ground}"
