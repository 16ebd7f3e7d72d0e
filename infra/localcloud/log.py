"""One-line JSON logs on standard error, in the field names of Cloud Logging."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class JsonLines(logging.Formatter):
    """A record as one JSON line; what a caller passes as ``extra={"fields": {...}}`` becomes top-level fields."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "component": self._component,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["stack_trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(component: str) -> None:
    """Send all logging of this process to standard error as JSON lines naming `component`."""
    _send_to(logging.StreamHandler(sys.stderr), component)


def configure_file(component: str, path: Path) -> None:
    """The same, appended to a file that other processes append to as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _send_to(logging.FileHandler(path, mode="a", encoding="utf-8"), component)


def _send_to(handler: logging.Handler, component: str) -> None:
    handler.setFormatter(JsonLines(component))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in (
        "uvicorn.access",
        "uvicorn.error",
        "httpx",
        "urllib3",
        "google",
        "transformers",
        "werkzeug",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
