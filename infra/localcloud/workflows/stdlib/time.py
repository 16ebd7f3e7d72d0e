"""time.*: seconds since the epoch to RFC 3339 text and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import value_error
from .signature import NUMBER, STRING, Param, Pure, table

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))",
    re.ASCII,
)


def parse_time(value: str, function: str = "time.parse") -> float:
    """Seconds since the epoch of an RFC 3339 time, microseconds kept. ValueError, naming `function`, for other text."""
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise value_error(f"{function}: {value!r} is not an RFC 3339 time such as 2024-07-12T14:50:33.5Z")
    day, clock, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset or '+00:00'}").timestamp()
    except (ValueError, OverflowError) as error:
        raise value_error(f"{function}: {value!r}: {error}") from error


def _format(seconds: float, zone_name: str) -> str:
    try:
        zone: tzinfo = UTC if zone_name in ("", "UTC", "GMT") else ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise value_error(f"time.format: unknown time zone {zone_name!r}") from error
    try:
        moment = datetime.fromtimestamp(seconds, zone)
        if zone is UTC:
            return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        return _with_minutes(moment).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError) as error:
        raise value_error(f"time.format: {seconds} is out of range") from error


def _with_minutes(moment: datetime) -> datetime:
    """The same moment at an offset of whole minutes: local times of the 19th century have seconds, RFC 3339 has not."""
    offset = moment.utcoffset() or timedelta()
    rest = offset % timedelta(minutes=1)
    return moment.astimezone(timezone(offset - rest)) if rest else moment


FUNCTIONS = table(
    Pure("time.format", (Param("seconds", NUMBER), Param("timezone", STRING, "")), _format),
    Pure("time.parse", (Param("value", STRING),), parse_time),
)
