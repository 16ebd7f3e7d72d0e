"""Reading request bodies: each field by name and type, and in the end a refusal of what nobody read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..http import GoogleError

_LABEL_KEY = re.compile(r"[a-z][\w-]{0,63}")
_LABEL_VALUE = re.compile(r"[\w-]{0,64}")
MAX_LABELS = 64
MAX_DISPLAY_NAME = 128


def invalid(message: str) -> GoogleError:
    return GoogleError("INVALID_ARGUMENT", message)


class Fields:
    """A JSON object being read. Every refusal is INVALID_ARGUMENT and names the field by its path.

    A key counts as read once asked for; `finish` refuses the rest. `numbers_as_text` admits ``"4"`` for 4, as the JSON
    form of 64-bit fields does.
    """

    def __init__(self, value: Any, path: str = "", *, numbers_as_text: bool = True) -> None:
        if not isinstance(value, Mapping):
            raise invalid(f"{path or 'the request body'} must be an object, found {_kind(value)}")
        self._value = value
        self._path = path
        self._numbers_as_text = numbers_as_text
        self._read: set[str] = set()

    def path(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def get(self, key: str) -> Any:
        """The raw value, or None when absent or null."""
        self._read.add(key)
        return self._value.get(key)

    def has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def text(self, key: str, default: str = "") -> str:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self._wrong(key, value, "a string")
        return value

    def required_text(self, key: str) -> str:
        if not (value := self.text(key)):
            raise invalid(f"{self.path(key)} is required")
        return value

    def display_name(self, key: str, default: str = "") -> str:
        value = self.text(key, default)
        if len(value) > MAX_DISPLAY_NAME:
            raise invalid(f"{self.path(key)} has {len(value)} characters; at most {MAX_DISPLAY_NAME} are allowed")
        return value

    def gcs_uri(self, key: str) -> str | None:
        """A ``gs://bucket/name`` address, or None when absent."""
        value = self.text(key)
        if value and not re.fullmatch(r"gs://[^/]+/.+", value):
            raise invalid(f"{self.path(key)} must look like gs://bucket/object, found {value!r}")
        return value or None

    def required_gcs_uri(self, key: str) -> str:
        if (value := self.gcs_uri(key)) is None:
            raise invalid(f"{self.path(key)} is required")
        return value

    def integer(self, key: str, *, least: int, most: int | None = None) -> int | None:
        value = self.number(key, least=least, most=most)
        if value is not None and value != int(value):
            raise self._wrong(key, value, "a whole number")
        return None if value is None else int(value)

    def number(
        self, key: str, *, least: float | None = None, most: float | None = None, above: float | None = None
    ) -> float | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, str) and self._numbers_as_text and re.fullmatch(r"-?\d+(\.\d+)?", value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(key, value, "a number")
        if least is not None and value < least:
            raise invalid(f"{self.path(key)} is {value}; it must be at least {least}")
        if most is not None and value > most:
            raise invalid(f"{self.path(key)} is {value}; it must be at most {most}")
        if above is not None and value <= above:
            raise invalid(f"{self.path(key)} is {value}; it must be greater than {above}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise invalid(f"{self.path(key)} is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def labels(self, key: str = "labels") -> dict[str, str]:
        """User labels, checked against https://cloud.google.com/resource-manager/docs/labels-overview."""
        value = self.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "an object")
        if len(value) > MAX_LABELS:
            raise invalid(f"{self.path(key)} has {len(value)} entries; at most {MAX_LABELS} are allowed")
        for name, text in value.items():
            if not _LABEL_KEY.fullmatch(name) or name != name.lower():
                raise invalid(f"label key {name!r}: start with a letter; {_LABEL_RULE}")
            if not isinstance(text, str) or not _LABEL_VALUE.fullmatch(text) or text != text.lower():
                raise invalid(f"label {name} has value {text!r}; {_LABEL_RULE}")
        return dict(value)

    def child(self, key: str) -> Fields:
        """The object under `key`; an empty one when absent. Finish it too."""
        value = self.get(key)
        return Fields({} if value is None else value, self.path(key), numbers_as_text=self._numbers_as_text)

    def items(self, key: str) -> list[Any]:
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list")
        return value

    def ignore(self, *keys: str) -> None:
        """Accept fields that change nothing here."""
        self._read.update(keys)

    def refuse(self, keys: Mapping[str, str]) -> None:
        """UNIMPLEMENTED for the first of `keys` that is present; its value says what to do instead."""
        for key, instead in keys.items():
            if self.has(key):
                raise GoogleError(
                    "UNIMPLEMENTED", f"{self.path(key)} is not implemented by this local Vertex AI; {instead}"
                )

    def finish(self) -> None:
        """INVALID_ARGUMENT naming the first key that was not read."""
        for key in self._value:
            if key in self._read:
                continue
            hint = f"; remove the colon inside the quotes: {key.rstrip(':')!r}" if key.endswith(":") else ""
            known = ", ".join(sorted(self._read))
            raise invalid(f"unknown name {key!r} in {self._path or 'the request body'}{hint}; known: {known}")

    def _wrong(self, key: str, value: Any, wanted: str) -> GoogleError:
        return invalid(f"{self.path(key)} must be {wanted}, found {_kind(value)} {value!r:.80}")


_LABEL_RULE = "use at most 64 lowercase letters, digits, underscores and dashes"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "list" if isinstance(value, list) else "object"
