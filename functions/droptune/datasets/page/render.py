"""The page as a whole: verdict, summary, advice, findings, statistics; its style and script within it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from ..report import Report
from ..rules import Language
from ..wording import Wording
from .findings import findings
from .markup import plain
from .statistics import statistics
from .summary import advice, banner, summary


def page(report: Report, language: Language = "en") -> bytes:
    """The whole page in a language, the same bytes for the same report."""
    say = Wording(language)
    name = report.dataset or report.run_id or ""
    lines = [*_head(name, say), *_body(report, name, say), "</html>", ""]
    return "\n".join(lines).encode()


def _head(name: str, say: Wording) -> Iterator[str]:
    yield f'<!doctype html>\n<html lang="{say.language}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{plain(name)} · {say('report_title')}</title>"
    yield f"<style>{_file('style.css')}</style></head>"


def _body(report: Report, name: str, say: Wording) -> Iterator[str]:
    yield f'<body>{_file("icons.html")}<a class="skip" href="#findings">{say("skip")}</a>'
    yield f'<header><p class="brand">droptune <span>{say("report_title")}</span></p><h1>{plain(name)}</h1>'
    if report.run_id and report.run_id != name:
        yield f'<p class="run">{say("run")} <code>{plain(report.run_id)}</code></p>'
    yield "</header><main>"
    parts = {
        "summary": summary(report, say),
        "advice": advice(report, say),
        "findings": findings(report, say),
        "statistics": statistics(report, say),
    }
    first = ("summary", "findings") if report.counts.errors else ("summary", "advice")
    ordered = {name: parts[name] for name in (*first, *parts)}
    sections = {name: text for name, lines in ordered.items() if (text := "\n".join(lines))}
    links = "".join(f'<a href="#{name}">{say(name)}</a>' for name in sections)
    yield from banner(report, say)
    yield f'<nav aria-label="{say("contents")}">{links}</nav>'
    yield from sections.values()
    yield f"</main><footer>{say('foot')}</footer>"
    yield f"<script>{_file('page.js')}</script></body>"


@cache
def _policy() -> str:
    """Nothing is loaded, and no style or script runs but the page's own, whatever a row says."""
    style, script = (_hash(_file(name)) for name in ("style.css", "page.js"))
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _file(name: str) -> str:
    """A file of this folder, without its last line break."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").rstrip("\n")
