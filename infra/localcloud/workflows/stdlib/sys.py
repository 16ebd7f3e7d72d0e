"""sys.*: environment, logging, time, sleeping."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from ..errors import type_error, value_error
from ..values import to_journal
from .signature import MAP, NUMBER, STRING, Effect, Param, table
from .time import parse_time

if TYPE_CHECKING:
    from ..running.runtime import Strand

LOG = logging.getLogger("localcloud.workflows.sys_log")
# Cloud Logging's severities to the host's levels.
SEVERITIES = {
    "DEFAULT": logging.INFO,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "NOTICE": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
    "ALERT": logging.CRITICAL,
    "EMERGENCY": logging.CRITICAL,
}


async def _get_env(strand: Strand, name: str, default: str | None) -> str | None:
    return strand.run.environment.get(name, default)


async def _now(strand: Strand) -> float:
    return await strand.now()


async def _sleep(strand: Strand, seconds: float) -> None:
    if seconds < 0 or not math.isfinite(seconds):
        raise value_error(f"sys.sleep: seconds must not be negative, found {seconds}")
    await strand.sleep_until(await strand.now() + seconds)


async def _sleep_until(strand: Strand, time: str) -> None:
    await strand.sleep_until(parse_time(time, "sys.sleep_until"))


async def _log(strand: Strand, data: Any, severity: str, text: Any, json: Any, _timeout: Any) -> None:
    level = SEVERITIES.get(severity)
    if level is None:
        raise value_error(f"sys.log: unknown severity {severity!r}; allowed: {', '.join(SEVERITIES)}")
    as_text = None if text is None or isinstance(text, str) else to_journal(text)
    given = [value for value in (data, text, json) if value is not None]
    if len(given) != 1:
        raise type_error(f"sys.log takes one of data, text and json, found {len(given) or 'none'} of them")

    async def emit() -> None:
        _emit(strand, level, severity, as_text or given[0])

    await strand.effect(emit)


def _emit(strand: Strand, level: int, severity: str, payload: Any) -> None:
    fields = dict(payload) if isinstance(payload, dict) else {}
    message = fields.pop("message", None) if fields else payload
    if not isinstance(message, str):
        message = to_journal(payload)
    step = strand.frames[-1].step
    fields.update(
        severity=severity,
        workflow=strand.run.environment["GOOGLE_CLOUD_WORKFLOW_ID"],
        execution=strand.run.environment["GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID"],
        routine=strand.frames[-1].routine,
        step=step.name if step else "",
    )
    LOG.log(level, "%s", message, extra={"fields": fields})


_LOGGED = (int, float, bool, str, list, dict)

FUNCTIONS = table(
    Effect("sys.get_env", (Param("name", STRING), Param("default", STRING, None)), _get_env, blocking=False),
    Effect("sys.now", (), _now, blocking=False),
    Effect("sys.sleep", (Param("seconds", NUMBER),), _sleep),
    Effect("sys.sleep_until", (Param("time", STRING),), _sleep_until),
    Effect(
        "sys.log",
        (
            Param("data", _LOGGED, None),
            Param("severity", STRING, "DEFAULT"),
            Param("text", _LOGGED, None),
            Param("json", MAP, None),
            Param("timeout", NUMBER, None),
        ),
        _log,
    ),
)
