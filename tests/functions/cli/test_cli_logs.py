"""A run's log lines are found in the log of all services."""

from __future__ import annotations

import json
from pathlib import Path

from droptune.cli.commands.logs import lines_of_run, readable
from droptune.runs import trace_id

RUN = "banking10-1a2b3c4d"


def write(log: Path, *lines: object) -> None:
    with log.open("a") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line)) + "\n")


def test_lines_are_found_by_run_by_trace_and_by_job(tmp_path: Path) -> None:
    """Functions write the run's id, the workflow its trace, Vertex AI its request; another run's lines stay out."""
    log = tmp_path / "log.jsonl"
    trace = f"projects/p/traces/{trace_id(RUN)}"
    write(
        log,
        {"message": "a", "run_id": RUN},
        {"message": "b", "logging.googleapis.com/trace": trace},
        {"message": "c", "job": f"projects/p/locations/l/pipelineJobs/{RUN}-1"},
        {"message": "d", "run_id": "other-1"},
        f"not JSON, but {RUN}",
    )
    assert [fields["message"] for _, fields in lines_of_run(log, RUN)] == ["a", "b", "c"]


def test_following_waits_for_the_rest_of_a_line(tmp_path: Path) -> None:
    """A line that is being written is given once it is whole."""
    log = tmp_path / "log.jsonl"
    whole = json.dumps({"message": "late", "run_id": RUN})
    log.write_text(whole[:10])

    def sleep(seconds: float) -> None:
        with log.open("a") as file:
            file.write(whole[10:] + "\n")

    assert next(lines_of_run(log, RUN, sleep))[1]["message"] == "late"


def test_a_line_is_readable() -> None:
    """Time of day, severity, component and message, then what else there is; a traceback goes below."""
    fields = {
        "time": "2025-11-21T10:13:20.123+00:00",
        "severity": "INFO",
        "component": "validate",
        "message": "published\x1b",
        "run_id": RUN,
        "fact": "DatasetReady",
        "stack_trace": "Traceback\n",
    }
    assert readable(fields) == "10:13:20.123 INFO    validate   published\\x1b fact=DatasetReady\nTraceback"
