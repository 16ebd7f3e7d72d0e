"""Numbers and values as people read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime


def seconds(value: float) -> str:
    """A duration with two or three figures: 12 ms, 3.4 s, 5 min 10 s, 2 h 30 min, 3 d 4 h."""
    if value < 0.0005:
        return "0 ms"
    if value < 1:
        return f"{value * 1000:.3g} ms"
    if value < 60:
        return f"{value:.3g} s"
    whole = round(value)
    for size, name, below, below_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name} {rest} {below_name}" if rest else f"{whole // size} {name}"
    raise AssertionError(value)


def moment(value: float) -> str:
    """A time in UTC, to the millisecond."""
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def pretty(text: str) -> str:
    """A JSON text with indentation; as it is when it is no JSON."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
