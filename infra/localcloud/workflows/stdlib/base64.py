"""base64.*: bytes to text and back."""

from __future__ import annotations

import base64
import binascii

from ..errors import value_error
from .signature import BOOLEAN, BYTES, STRING, Param, Pure, table


def _encode(data: bytes, padding: bool) -> str:
    text = base64.b64encode(data).decode("ascii")
    return text if padding else text.rstrip("=")


def _decode(data: str, padding: bool) -> bytes:
    lines = data.replace("\r", "").replace("\n", "")
    text = lines if padding else lines + "=" * (-len(lines) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise value_error(f"base64.decode: {error}") from error


FUNCTIONS = table(
    Pure("base64.encode", (Param("data", BYTES), Param("padding", BOOLEAN, True)), _encode),
    Pure("base64.decode", (Param("data", STRING), Param("padding", BOOLEAN, True)), _decode),
)
