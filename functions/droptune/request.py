"""What a drop asks for: ``job.yaml`` of a folder, or ``droptune-*`` metadata of a single object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import yaml

from .errors import Refused

METADATA_PREFIX = "droptune-"

AdapterSize = Literal[1, 2, 4, 8, 16, 32]
Promotion = Literal["automatic", "manual"]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every wish is optional; what is unset is chosen from the data set and the method's defaults.

    `train_steps` is for methods that count steps, `epochs` for those that count passes over the data.
    `promotion` says what becomes of an approved model: ``automatic`` makes it the champion, ``manual`` leaves it
    as challenger. `rerun` is any text: another value makes another run of the same objects.
    """

    method: str | None = None
    base_model: str | None = None
    region: str | None = None
    train_steps: int | None = None
    epochs: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: AdapterSize | None = None
    labels: dict[str, str] = {}
    promotion: Promotion = "automatic"
    rerun: str | None = None


def from_yaml(text: str | bytes) -> Request:
    """The request that a ``job.yaml`` holds; Refused, naming the place, when it holds anything else."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(f"job.yaml is not YAML: {error}") from error
    return _convert(value or {}, "job.yaml")


def from_metadata(metadata: Mapping[str, str]) -> Request:
    """The request in an object's metadata: ``droptune-base-model: gemini-2.5-flash`` and so on; other keys are left."""
    wishes = {
        key.removeprefix(METADATA_PREFIX).replace("-", "_"): yaml.safe_load(value)
        for key, value in metadata.items()
        if key.startswith(METADATA_PREFIX)
    }
    return _convert(wishes, "object metadata")


def _convert(value: Any, origin: str) -> Request:
    try:
        return msgspec.convert(value, Request)
    except msgspec.ValidationError as error:
        allowed = ", ".join(Request.__struct_fields__)
        raise Refused(f"{origin}: {error}; allowed keys: {allowed}") from error
