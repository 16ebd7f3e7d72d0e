"""Base models with their limits, prices and retirement dates, read from ``catalogue.yaml`` beside this file."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from ..events import Format

Family = Literal["palm_text", "gemini"]


class BaseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One base model version. Row limits are (least, most), both allowed; None means no documented limit."""

    name: str
    family: Family
    formats: tuple[Format, ...]
    train_rows: tuple[int, int]
    eval_rows: tuple[int, int]
    eval_share_above_1000_rows: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    example_tokens: int | None = None
    file_bytes: int | None = None
    adapter_sizes: tuple[int, ...] = ()
    regions: tuple[str, ...] = ()
    retired: datetime.date | None = None
    replacement: str | None = None
    usd_per_million_training_tokens: float | None = None
    source: str
    as_of: datetime.date


@cache
def base_models() -> Mapping[str, BaseModel]:
    """Every base model that the catalogue knows, by name."""
    entries = yaml.safe_load((Path(__file__).parent / "catalogue.yaml").read_text(encoding="utf-8"))
    return {name: msgspec.convert({"name": name, **entry}, BaseModel) for name, entry in entries.items()}
