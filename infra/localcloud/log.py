"""One-line JSON logs on standard error, in the field names of Cloud Logging."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
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


def configure(component: str, level: int = logging.INFO) -> None:
    """Send all logging of this process to standard error as JSON lines naming `component`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(component))
    logging.basicConfig(level=level, handlers=[handler], force=True)
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
