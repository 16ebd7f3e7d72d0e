"""``test FILE``: the table of cases beside a definition, and how much of the definition it runs."""

from __future__ import annotations

import argparse
import time

from ..errors import SourceError
from ..language.parser import parse
from ..language.syntax import Program
from ..testing import FORMAT, Case, Coverage, mismatches, play, read_cases
from ..testing.places import table_of
from .exits import FINE, PROBLEMS, UNREADABLE, USAGE
from .junit import junit_xml
from .problems import draw_refusal
from .terminal import Unreadable, complain, read_text, workflow_name, write_text
from .test_report import Played, Source, print_json, print_text

SUMMARY = "run the table of cases that is kept beside a definition (NAME.test.yaml), in simulated time"
_EPILOG = f"""exit status:
  0  every case came out as expected, and coverage is enough
  1  it was not so
  2  wrong usage, or the definition or the table is refused
  3  a file cannot be read or written

{FORMAT}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="the definition")
    parser.add_argument("--cases", metavar="FILE", help="the table, when it is not NAME.test.yaml beside NAME.yaml")
    parser.add_argument("-k", dest="part", metavar="NAME", help="only the cases that have this in their name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--junit", metavar="OUT", help="also write the results as JUnit XML")
    parser.add_argument(
        "--min-coverage",
        type=_percent,
        metavar="N",
        help="fail when less than N percent of steps and branches, taken together, are run",
    )


def run(arguments: argparse.Namespace) -> int:
    """The exit status; results are printed."""
    path = arguments.cases or table_of(arguments.file)
    try:
        text, case_text = read_text(arguments.file), read_text(path)
    except Unreadable as error:
        complain(str(error))
        return UNREADABLE
    source, table = Source.of(arguments.file, text), Source.of(path, case_text)
    try:
        program = parse(text)
    except SourceError as error:
        draw_refusal(source.file, source.lines, error)
        return USAGE
    try:
        cases = read_cases(case_text, program)
    except SourceError as error:
        draw_refusal(table.file, table.lines, error)
        return USAGE
    chosen = [case for case in cases if arguments.part is None or arguments.part in case.name]
    if not chosen:
        complain(f"test: no case of {path} has {arguments.part!r} in its name")
        return USAGE
    coverage = Coverage(program)
    workflow = workflow_name(arguments.file)
    played = [_play(workflow, program, case, coverage) for case in chosen]
    report = coverage.report()
    enough = arguments.min_coverage is None or report.percent >= arguments.min_coverage
    (print_json if arguments.json else print_text)(source, table, played, report, arguments.min_coverage)
    if arguments.junit is not None:
        try:
            write_text(arguments.junit, junit_xml(workflow, source, table, played))
        except Unreadable as error:
            complain(str(error))
            return UNREADABLE
    return FINE if enough and all(each.passed for each in played) else PROBLEMS


def _play(workflow: str, program: Program, case: Case, coverage: Coverage) -> Played:
    began = time.perf_counter()
    outcome = play(workflow, program, case, [coverage])
    return Played(case, outcome, tuple(mismatches(case, outcome)), time.perf_counter() - began)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return value
