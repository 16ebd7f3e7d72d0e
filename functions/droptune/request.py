"""What a drop asks for: ``job.yaml`` of a folder, or ``droptune-*`` metadata of a single object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import yaml

from .errors import Refused

METADATA_PREFIX = "droptune-"
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


def from_yaml(text: str | bytes) -> Request:
    """The request that a ``job.yaml`` holds; Refused, naming the place, when it holds anything else."""
    try:
        value = yaml.safe_load(text)
    except UNREADABLE as error:
        raise Refused(f"job.yaml is not YAML: {error}") from error
    return _convert(value or {}, "job.yaml")


def from_metadata(metadata: Mapping[str, str]) -> Request:
    """The request in an object's metadata: ``droptune-base-model: gemini-2.5-flash`` and so on; other keys are left.

    Metadata is text: numbers are read from it, and maps and lists in YAML's ``{...}`` and ``[...]`` form.
    """
    wishes: dict[str, Any] = {}
    for key, text in metadata.items():
        if key.startswith(METADATA_PREFIX):
            name = key.removeprefix(METADATA_PREFIX).replace("-", "_")
            try:
                wishes[name] = yaml.safe_load(text) if text.startswith(("{", "[")) else text
            except UNREADABLE as error:
                raise Refused(f"object metadata {key}: {error}") from error
    return _convert(wishes, "object metadata", strict=False)


def _convert(value: Any, origin: str, strict: bool = True) -> Request:
    try:
        return msgspec.convert(value, Request, strict=strict)
    except msgspec.ValidationError as error:
        allowed = ", ".join(Request.__struct_fields__)
        raise Refused(f"{origin}: {error}; allowed keys: {allowed}") from error
