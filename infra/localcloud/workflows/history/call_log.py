"""Call logging: what `callLogLevel` asks for, one structured line per call, as Cloud Logging would get it.

The fields are those of google.cloud.workflows.type.EngineCallLog (googleapis, engine_call.proto).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, Final

from ...clock import Clock
from .. import limits
from ..errors import WorkflowError
from ..language.syntax import Call
from ..running.control import Control
from ..running.observer import Entry, ValueKind
from ..service.definitions import timestamp
from ..service.store import ExecutionRecord
from ..values import to_json, without_bytes

LOG = logging.getLogger("localcloud.workflows.calls")
ALL_CALLS: Final = "LOG_ALL_CALLS"
ERRORS_ONLY: Final = "LOG_ERRORS_ONLY"
_TYPE = "type.googleapis.com/google.cloud.workflows.type.EngineCallLog"
_MESSAGES = {
    "BEGUN": "call begun",
    "SUCCEEDED": "call succeeded",
    "EXCEPTION_RAISED": "call raised an exception",
    "EXCEPTION_HANDLED": "exception handled",
}


class CallLog:
    """Observes one execution and logs its calls: all of them, or only those that fail.

    `replaying` says whether what is told has happened, and was logged, before a restart.
    """

    def __init__(self, record: ExecutionRecord, clock: Clock, replaying: Callable[[], bool]) -> None:
        self._clock = clock
        self._replaying = replaying
        self._all = record.call_log_level == ALL_CALLS
        self._workflow = record.workflow.rpartition("/")[2]
        self._execution = record.name.rpartition("/")[2]
        self._started: dict[Entry, float] = {}
        self._responses: dict[Entry, str] = {}

    @property
    def wants_values(self) -> bool:
        """Arguments and responses are logged with all calls only."""
        return self._all

    def began(self, entry: Entry) -> None:
        """A call's time starts."""
        if type(entry.action) is Call:
            self._started[entry] = self._clock.now()

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """The arguments of a call begin it; a handler's error was handled."""
        if kind is ValueKind.ARGUMENTS:
            arguments = {key: _json_value(item) for key, item in value.items()}
            self._write(entry, "BEGUN", {"namedArgs": arguments})
        elif kind is ValueKind.RESULT:
            self._responses[entry] = _text(value)
        elif kind is ValueKind.CAUGHT:
            self._write(entry, "EXCEPTION_HANDLED", {"exception": _text(value)})

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """A call's outcome."""
        if type(entry.action) is not Call:
            return
        started = {"callStartTime": timestamp(self._started.pop(entry))}
        response = self._responses.pop(entry, "null")
        if error is not None:
            origin = {"origin": error.trace[0].step} if error.trace else {}
            self._write(entry, "EXCEPTION_RAISED", {**started, "exception": _text(error.payload), **origin})
        elif self._all:
            self._write(entry, "SUCCEEDED", {**started, "response": response})

    def _write(self, entry: Entry, state: str, details: dict[str, Any]) -> None:
        if self._replaying():
            return
        head, *rest = state.lower().split("_")
        fields: dict[str, Any] = {
            "@type": _TYPE,
            "workflow": self._workflow,
            "executionId": self._execution,
            "activityTime": timestamp(self._clock.now()),
            "state": state,
            "routine": entry.routine,
            "step": entry.name,
            head + "".join(map(str.capitalize, rest)): details,
        }
        if type(entry.action) is Call:
            fields["callee"] = entry.action.function
        level = logging.ERROR if state == "EXCEPTION_RAISED" else logging.INFO
        LOG.log(level, _MESSAGES[state], extra={"fields": fields})


def _text(value: Any) -> str:
    """A value as JSON text, cut when it is too long for a log line."""
    try:
        text = to_json(without_bytes(value))
    except WorkflowError:
        text = json.dumps(ascii(value))
    return text if len(text) <= limits.LOGGED_VALUE_CHARACTERS else text[: limits.LOGGED_VALUE_CHARACTERS] + "..."


def _json_value(value: Any) -> Any:
    """A value as it is when it is short; else the beginning of its JSON text."""
    text = _text(value)
    return json.loads(text) if len(text) <= limits.LOGGED_VALUE_CHARACTERS else text
