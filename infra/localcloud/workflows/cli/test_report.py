"""What `test` prints: each case, every mismatch with its difference, what no case ran."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from ..testing import Case, Mismatch, Outcome, Report
from ..testing.advice import mock_to_add, request_lines
from .drawing import Remark, draw
from .failure import failure_lines
from .terminal import Output, shown_name


@dataclass(frozen=True)
class Source:
    """A file with its lines."""

    file: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        """The file at `path`."""
        return cls(shown_name(path), tuple(text.splitlines()))


@dataclass(frozen=True)
class Played:
    """A case with what came of it; `seconds` is real time."""

    case: Case
    outcome: Outcome
    mismatches: tuple[Mismatch, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.mismatches and self.outcome.unanswered is None


def print_text(source: Source, table: Source, played: Sequence[Played], report: Report, minimum: float | None) -> None:
    """For people."""
    output = Output()
    for each in played:
        mark = ("ok  ", "green") if each.passed else ("FAIL", "bold red")
        output.line(Text.assemble(mark, f" {each.case.name} ", (_time(each.outcome.elapsed_seconds), "dim")))
        if not each.passed:
            for line in case_lines(source, table, each):
                output.line(Text("     ").append_text(line))
            output.line()
    failed = sum(not each.passed for each in played)
    output.line()
    output.line(_sum(len(played), failed, sum(each.seconds for each in played)))
    for line in _coverage_lines(source, report, minimum):
        output.line(line)


def case_lines(source: Source, table: Source, played: Played) -> Iterator[Text]:
    """Everything that is wrong with a case."""
    outcome = played.outcome
    if outcome.unanswered is not None:
        yield Text(f"no mock answers the call of {outcome.unanswered.place}:", "bold")
        yield from (Text(f"  {line}") for line in request_lines(outcome.unanswered))
        yield Text("add to the case, before what answers later calls:", "bold")
        yield from (Text(f"  {line}", "green") for line in mock_to_add(outcome.unanswered))
    for mismatch in played.mismatches:
        if mismatch.position is not None:
            yield from draw(table.file, table.lines, Remark("error", mismatch.message, mismatch.position))
        else:
            yield Text(mismatch.message, "bold")
        for difference in mismatch.differences:
            yield Text(f"  {difference.path}")
            yield Text(f"    expected: {difference.expected}", "green")
            yield Text(f"    found:    {difference.found}", "red")
    if played.case.result is not None and outcome.error is not None:
        yield from failure_lines(source.file, source.lines, outcome.error)


def print_json(source: Source, table: Source, played: Sequence[Played], report: Report, minimum: float | None) -> None:
    """For programs."""
    result = {
        "file": source.file,
        "cases": [_case_json(source, table, each) for each in played],
        "passed": sum(each.passed for each in played),
        "failed": sum(not each.passed for each in played),
        "coverage": {
            "percent": round(report.percent, 1),
            "minimum": minimum,
            "steps": report.steps,
            "steps_covered": report.steps_covered,
            "branches": report.branches,
            "branches_covered": report.branches_covered,
            "missed": [
                {"line": point.position.line, "routine": point.routine, "step": point.step, "what": str(point)}
                for point in report.missed
            ],
        },
    }
    Output().line(json.dumps(result, ensure_ascii=False, indent=2, default=repr))


def _case_json(source: Source, table: Source, played: Played) -> dict[str, object]:
    outcome = played.outcome
    return {
        "name": played.case.name,
        "line": played.case.position.line,
        "passed": played.passed,
        "elapsed_seconds": outcome.elapsed_seconds,
        "result": None if outcome.result is None else outcome.result[0],
        "error": None if outcome.error is None else outcome.error.payload,
        "calls": [
            {"step": call.place, "function": call.function, "method": call.request.method, "url": call.request.url}
            for call in outcome.calls
        ],
        "mismatches": [
            {"message": mismatch.message, "differences": [asdict(each) for each in mismatch.differences]}
            for mismatch in played.mismatches
        ],
        "text": [line.plain for line in case_lines(source, table, played)],
    }


def _coverage_lines(source: Source, report: Report, minimum: float | None) -> Iterator[Text]:
    numbers = (
        f"coverage {report.percent:.1f} %: {report.steps_covered} of {report.steps} steps, "
        f"{report.branches_covered} of {report.branches} branches"
    )
    enough = minimum is None or report.percent >= minimum
    yield Text(numbers if enough else f"{numbers}; at least {minimum:g} % are wanted", "" if enough else "bold red")
    for point in report.missed:
        yield Text(f"  {source.file}:{point.position.line}: {point}", "yellow")


def _sum(count: int, failed: int, seconds: float) -> Text:
    text = f"{count} case{'' if count == 1 else 's'}, {failed} failed" if failed else f"{count} passed"
    return Text(f"{text} in {seconds:.2f} s", "bold red" if failed else "bold green")


def _time(seconds: float) -> str:
    return f"({seconds:g} s)" if seconds < 600 else f"({seconds / 3600:.2f} h)"
