"""``droptune logs RUN``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ..connection import connect
from ..group import CliError, Exit
from ..options import data_option

POLL_SECONDS = 0.3
# Shown in their own columns, or the same in every line of a run.
_COLUMNS = frozenset(
    {"time", "severity", "component", "message", "run_id", "logging.googleapis.com/trace", "stack_trace"}
)


@click.command()
@click.argument("run")
@click.option("--follow", is_flag=True, help="Go on printing new lines until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they are, one JSON object each.")
@data_option
@click.pass_context
def logs(context: click.Context, run: str, follow: bool, as_json: bool, data: Path) -> None:
    """Print the log lines of RUN from all services of the local cloud, in the order in which they were written."""
    log = connect(data).log
    if log is None or not log.exists():
        raise CliError(f"there is no log at {log}. Look with `droptune doctor`.")
    found = False
    for raw, fields in lines_of_run(log, run, time.sleep if follow else None):
        found = True
        click.echo(raw if as_json else readable(fields))
    if not found:
        click.echo(f"droptune: no log line names run {run!r}. List the runs with `droptune runs`.", err=True)
        context.exit(Exit.YOUR_INPUT)


def lines_of_run(
    log: Path, run: str, sleep: Callable[[float], None] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The log lines that carry the run's id or its trace, raw and parsed; with `sleep`, for ever."""
    import msgspec

    from ...runs import trace_id

    trace = trace_id(run)
    run_bytes, trace_bytes = run.encode(), trace.encode()
    rest = b""
    with log.open("rb") as file:
        while True:
            rest += file.readline()
            if not rest.endswith(b"\n"):  # the end, for now; perhaps in the middle of a line
                if sleep is None:
                    return
                sleep(POLL_SECONDS)
                continue
            line, rest = rest, b""
            if run_bytes not in line and trace_bytes not in line:
                continue
            try:
                fields = msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError:  # a line that some library printed past the log
                continue
            named = str(fields.get("logging.googleapis.com/trace", "")).endswith(f"/{trace}")
            if named or fields.get("run_id") == run or _mentions(fields, run):
                yield line.decode("utf-8", "replace").rstrip("\n"), fields


def readable(fields: dict[str, Any]) -> str:
    """Time of day, severity, component, message, then the other fields; a traceback goes below."""
    from ..views.words import clean

    moment = str(fields.get("time", "")).partition("T")[2][:12]
    words = [moment, f"{fields.get('severity', ''):7}", f"{fields.get('component', '-'):10}"]
    words.append(clean(str(fields.get("message", ""))))
    words += [f"{name}={clean(str(value))}" for name, value in fields.items() if name not in _COLUMNS]
    text = " ".join(words)
    trace = str(fields.get("stack_trace", "")).rstrip()
    return f"{text}\n{trace}" if trace else text


def _mentions(fields: dict[str, Any], run: str) -> bool:
    """Whether another field is the run, as in the label of a job or the name of its request (``<run>-1``)."""
    return any(isinstance(value, str) and run in value for value in fields.values())
