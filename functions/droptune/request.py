"""What a drop asks for: ``job.yaml`` of a folder, or ``droptune-*`` metadata of a single object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import yaml

from .errors import Refused

METADATA_PREFIX = "droptune-"
JOB = "job.yaml"
MAX_JOB_BYTES = 64 * 1024
# Besides YAMLError, PyYAML lets through ValueError for a date like 2026-99-99 and RecursionError for deep nesting.
UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)

AdapterSize = Literal[1, 2, 4, 8, 16, 32]
Promotion = Literal["automatic", "manual"]
Count = Annotated[int, msgspec.Meta(ge=1)]
# https://cloud.google.com/vertex-ai/docs/general/resource-labels: lowercase letters, digits, hyphens and underscores.
LabelKey = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{0,63}$")]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every wish is optional; what is unset is chosen from the data set and the method's defaults.

    `train_steps` is for methods that count steps, `epochs` for those that count passes over the data.
    `promotion` says what becomes of an approved model: ``automatic`` makes it the champion, ``manual`` leaves it
    as challenger. `rerun` is any text: another value makes another run of the same objects. `files` names the files
    of the folder that have to be there before the run starts.
    """

    method: str | None = None
    base_model: str | None = None
    region: str | None = None
    train_steps: Count | None = None
    epochs: Count | None = None
    learning_rate_multiplier: Annotated[float, msgspec.Meta(gt=0)] | None = None
    adapter_size: AdapterSize | None = None
    labels: dict[LabelKey, LabelValue] = {}
    promotion: Promotion = "automatic"
    rerun: str | int | None = None
    files: tuple[str, ...] = ()


# What each wish may be, in signs that need no language; methods and base models are the catalogue's.
ALLOWED: Mapping[str, str] = {
    "method": "palm_text_sft | gemini_sft | …",
    "base_model": "gemini-2.5-flash | text-bison@002 | …",
    "region": "us-central1 | europe-west4 | …",
    "train_steps": "1, 2, 3, …",
    "epochs": "1, 2, 3, …",
    "learning_rate_multiplier": "> 0",
    "adapter_size": "1 | 2 | 4 | 8 | 16 | 32",
    "labels": "{[a-z][a-z0-9_-]{0,62}: [a-z0-9_-]{0,63}, …}",
    "promotion": "automatic | manual",
    "rerun": "…",
    "files": "[train.jsonl, …]",
}
_WISH = re.compile(r"`\$\.(\w+)")
_MAX_SHOWN = 80


class InvalidRequest(Refused):
    """A request that cannot be met: `code` is the rule it breaks, `values` what the rule's message has to be told."""

    def __init__(self, code: str, values: Mapping[str, str | int], line: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
        self.line = line

    def __str__(self) -> str:
        from .datasets.rules import fill, rule  # rules know of events, and those of requests

        words = rule(self.code)
        return f"{fill(words.message['en'], self.values)} Allowed: {fill(words.allowed['en'], self.values)}."


def from_yaml(text: str | bytes) -> Request:
    """The request that a ``job.yaml`` holds; InvalidRequest when it holds anything else."""
    value = _parsed(text, JOB)
    return _convert({} if value is None else value, JOB)


def from_metadata(metadata: Mapping[str, str]) -> Request:
    """The request in an object's metadata: ``droptune-base-model: gemini-2.5-flash`` and so on; other keys are left.

    Metadata is text: numbers are read from it, and maps and lists in YAML's ``{...}`` and ``[...]`` form.
    """
    wishes: dict[str, Any] = {}
    for key, text in metadata.items():
        if key.startswith(METADATA_PREFIX):
            name = key.removeprefix(METADATA_PREFIX).replace("-", "_")
            wishes[name] = _parsed(text, key) if text.startswith(("{", "[")) else text
    return _convert(wishes, METADATA_PREFIX, strict=False)


def _parsed(text: str | bytes, origin: str) -> Any:
    try:
        return yaml.safe_load(text)
    except UNREADABLE as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = None if mark is None else mark.line + 1
        raise InvalidRequest("REQUEST-YAML", {"origin": origin, "found": problem}, line) from error


def _convert(value: Any, origin: str, strict: bool = True) -> Request:
    if not isinstance(value, dict):
        raise InvalidRequest("REQUEST-NOT-OBJECT", {"origin": origin, "found": _shown(value)})
    keys = Request.__struct_fields__
    if unknown := [str(key) for key in value if key not in keys]:
        found, known = (", ".join(_named(key, origin) for key in some) for some in (unknown, keys))
        raise InvalidRequest("REQUEST-KEY", {"origin": origin, "found": found, "keys": known})
    try:
        return msgspec.convert(value, Request, strict=strict)
    except msgspec.ValidationError as error:
        place = _WISH.search(str(error))
        assert place is not None  # the object itself is right, so it is one of its values
        key = place[1]
        told = {"key": _named(key, origin), "found": _shown(value[key]), "values": ALLOWED[key]}
        raise InvalidRequest("REQUEST-INVALID", told) from error


def _named(key: str, origin: str) -> str:
    return METADATA_PREFIX + key.replace("_", "-") if origin == METADATA_PREFIX else key


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
