"""One-line JSON logs in the field names of Cloud Logging, with run id and trace, never with rows of data."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

from .runs import trace_id

LOG = logging.getLogger("droptune")


class CloudLines(logging.Formatter):
    """A record as one JSON line (https://cloud.google.com/logging/docs/structured-logging).

    `component` is the module that logged, unless the caller names another.
    """

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "component": record.module,
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
        }
        line.update(getattr(record, "fields", {}))
        if "run_id" in line:
            trace = trace_id(line["run_id"])
            line["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{trace}"
        if record.exc_info:
            line["stack_trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(project: str) -> None:
    """Send Droptune's log lines to standard output; called once per instance."""
    if LOG.handlers:
        return
    formatter = CloudLines(project)
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def info(message: str, **fields: Any) -> None:
    """One line at INFO; give ``run_id`` where there is a run."""
    LOG.info(message, extra={"fields": fields}, stacklevel=2)


def warning(message: str, **fields: Any) -> None:
    """One line at WARNING."""
    LOG.warning(message, extra={"fields": fields}, stacklevel=2)


def failure(message: str, **fields: Any) -> None:
    """One line at ERROR with the traceback of the exception being handled."""
    LOG.error(message, exc_info=True, extra={"fields": fields}, stacklevel=2)
