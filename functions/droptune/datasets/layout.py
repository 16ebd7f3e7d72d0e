"""Whether a file is JSON Lines at all: told from its first bytes, because then its lines mean nothing one by one."""

from __future__ import annotations

import json
import re

BOM = b"\xef\xbb\xbf"
MAGIC: dict[bytes, str] = {
    b"\x1f\x8b": "FILE-GZIP",
    b"PK\x03\x04": "FILE-ZIP",
    b"PAR1": "FILE-PARQUET",
    b"\xff\xfe": "FILE-UTF16",
    b"\xfe\xff": "FILE-UTF16",
}
_ARRAY_OF_OBJECTS = re.compile(rb"\s*\[\s*(\{|$)")


def wrong_layout(head: bytes) -> str | None:
    """The code of what the file is instead of JSON Lines, or None. `head` is its first block."""
    for magic, code in MAGIC.items():
        if head.startswith(magic):
            return code
    head = head.removeprefix(BOM)
    if _ARRAY_OF_OBJECTS.match(head):
        return "FILE-ARRAY"
    return "FILE-PRETTY" if _is_pretty_printed(head) else None


def _is_pretty_printed(head: bytes) -> bool:
    """Whether the first value is an object that goes over several lines."""
    text = head.decode("utf-8", "replace").lstrip()
    first_line = text.partition("\n")[0].strip()
    if not first_line.startswith("{") or first_line.endswith("}"):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return "\n" in text[:end]
