"""Numbers, times and foreign text as a person reads them."""

from __future__ import annotations


def clean(text: str) -> str:
    """`text` on one line, with what a terminal would obey made visible."""
    return visible(" ".join(text.split()))


def visible(text: str) -> str:
    """`text` with its line breaks, and what else a terminal would obey made visible."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def count(number: int, noun: str) -> str:
    """``1 row``, ``700 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """``0.4 s``, ``62 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def clock(seconds: float) -> str:
    """``0:42``, ``12:05``."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def age(seconds: float) -> str:
    """``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def megabytes(size: int) -> str:
    """Millions of bytes, whole."""
    return f"{size / 1_000_000:.0f}"


def metric(name: str) -> str:
    """``exact_match`` -> ``exact match``."""
    return name.replace("_", " ")


def short(resource: str) -> str:
    """The last two parts of a resource name: ``models/42@1``."""
    return "/".join(resource.split("/")[-2:])
