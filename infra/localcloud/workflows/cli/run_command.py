"""``run FILE``: one definition, for real, in this process, with every step told."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from dataclasses import asdict
from typing import Any

from ...clock import ManualClock, RealClock
from ...http import GoogleError
from ..errors import SourceError, WorkflowError
from ..language.parser import parse
from ..values import from_json
from .execute import Ended, Execution, UnknownService, execute
from .exits import FINE, INTERRUPTED, PROBLEMS, UNREADABLE, USAGE
from .failure import failure_lines
from .problems import draw_refusal
from .terminal import Output, Unreadable, complain, read_text, shown_name, workflow_name, write_text
from .trace import Trace, TraceLine, styled

SUMMARY = "run one definition in this process and print what each step does"
_EPILOG = """exit status:
  0  the execution succeeded
  1  it failed
  2  wrong usage, or the definition is refused
  3  a file cannot be read or written
  130  interrupted with Ctrl-C

Requests really go out, and callback URLs answer while it runs. Nothing is kept afterwards. With --fast the clock jumps
to the next deadline whenever nothing but time is waited for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="the definition; - reads standard input")
    parser.add_argument("--arg", metavar="JSON", help="the execution's argument, as JSON text or @FILE")
    parser.add_argument(
        "--env", metavar="K=V", action="append", default=[], type=_pair, help="a user environment variable"
    )
    parser.add_argument(
        "--connector",
        metavar="SERVICE=URL",
        action="append",
        default=[],
        type=_pair,
        help="where the calls googleapis.SERVICE. ... go, such as storage=http://127.0.0.1:9000; may be repeated",
    )
    parser.add_argument(
        "--allow-http",
        metavar="HOST",
        action="append",
        help="a host that http.* may reach, * standing for any text; may be repeated; every host when not given",
    )
    parser.add_argument("--fast", action="store_true", help="sleeping and waiting take no time")
    parser.add_argument("--html", metavar="OUT", help="also write the execution as an HTML page")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """The exit status; the trace is printed while steps happen, then the result or the error."""
    try:
        text = read_text(arguments.file)
        argument = read_text(arguments.arg[1:]) if (arguments.arg or "").startswith("@") else arguments.arg
    except Unreadable as error:
        complain(str(error))
        return UNREADABLE
    file, lines = shown_name(arguments.file), text.splitlines()
    try:
        parse(text)
        if argument is not None:
            from_json(argument)
    except SourceError as refusal:
        draw_refusal(file, lines, refusal)
        return USAGE
    except ValueError as error:
        complain(f"run: --arg is not JSON: {error}")
        return USAGE
    # What is logged is told by the trace.
    logging.getLogger("localcloud.workflows").addHandler(logging.NullHandler())
    output = Output()
    shown: list[TraceLine] = []
    clock = ManualClock() if arguments.fast else RealClock()
    trace = Trace(clock, shown.append if arguments.json else lambda line: output.line(styled(line)))
    what = Execution(
        workflow_name(arguments.file),
        text,
        argument,
        dict(arguments.env),
        dict(arguments.connector),
        arguments.allow_http,
        arguments.html is not None,
    )
    try:
        ended = asyncio.run(execute(what, clock, trace))
    except (GoogleError, UnknownService) as error:
        complain(f"run: {error}")
        return USAGE
    except KeyboardInterrupt:
        place = trace.where()
        complain(f"interrupted at {place}" if place else "interrupted")
        return INTERRUPTED
    trace.finish()
    if ended.page is not None:
        try:
            write_text(arguments.html, ended.page)
        except Unreadable as error:
            complain(str(error))
            return UNREADABLE
    if arguments.json:
        _print_json(file, ended, trace, shown)
    else:
        _print_end(file, lines, ended, trace)
    return FINE if ended.error is None else PROBLEMS


def _print_end(file: str, lines: list[str], ended: Ended, trace: Trace) -> None:
    output = Output()
    output.line()
    if ended.error is None:
        output.line(json.dumps(ended.result, ensure_ascii=False, indent=2))
        output.line(f"succeeded: {_count(trace)}")
        return
    for line in failure_lines(file, lines, ended.error):
        output.line(line)
    if isinstance(ended.error.payload, dict):
        output.line(json.dumps(ended.error.payload, ensure_ascii=False, indent=2, default=repr))
    output.line(f"failed: {_count(trace)}")


def _count(trace: Trace) -> str:
    return f"{trace.steps} step{'' if trace.steps == 1 else 's'} in {trace.seconds:.3f} s"


def _print_json(file: str, ended: Ended, trace: Trace, shown: list[TraceLine]) -> None:
    result: dict[str, Any] = {"file": file, "state": "SUCCEEDED" if ended.error is None else "FAILED"}
    if ended.error is None:
        result["result"] = ended.result
    else:
        result["error"] = _error_json(ended.error)
    result |= {"seconds": trace.seconds, "steps": trace.steps, "trace": [asdict(line) for line in shown]}
    Output().line(json.dumps(result, ensure_ascii=False, indent=2, default=repr))


def _error_json(error: WorkflowError) -> dict[str, Any]:
    frames = [
        {"routine": frame.routine, "step": frame.step, "line": frame.position.line, "column": frame.position.column}
        for frame in error.trace or ()
    ]
    return {"payload": error.payload, "message": error.headline(), "stack": frames}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
