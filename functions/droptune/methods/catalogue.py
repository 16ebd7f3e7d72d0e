"""Tuning methods, and base models with their limits and retirement, read from ``catalogue.yaml`` beside this file."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from ..events import Format, Role

Api = Literal["pipelineJobs", "tuningJobs"]
Family = Literal["palm_text", "palm_chat", "palm_code", "palm_codechat", "embedding", "gemini", "open"]
# What the service does with text beyond the limit in tokens.
Excess = Literal["cut", "dropped", "unstated"]
Range = tuple[int | None, int | None]


class KnownMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way of tuning that Vertex AI has or had, whether or not this version can start it.

    Of each entry of `needs` one role has to be there. `base_models` are the defaults by the format of the rows.
    """

    name: str
    api: Api
    counts: Literal["steps", "epochs"]
    needs: tuple[tuple[Role, ...], ...]
    may: tuple[Role, ...] = ()
    base_models: dict[Format, str]
    replaced_by: str | None = None


class Tuning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a base model takes for one method. `rows` are (least, most) by role, both allowed; None: not documented."""

    formats: tuple[Format, ...]
    rows: dict[Role, Range] = {}
    recommended_rows: int | None = None
    eval_share_above_1000_rows: float | None = None
    eval_share_of_bytes: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    example_tokens: int | None = None
    excess: Excess = "unstated"
    authors: int | None = None
    file_bytes: int | None = None
    adapter_sizes: tuple[int, ...] = ()
    modes: tuple[str, ...] = ()
    teacher: str | None = None
    regions: tuple[str, ...] = ()
    source: str
    as_of: datetime.date

    def takes_rows(self, role: Role, rows: int) -> bool:
        """Whether a file of that role may have so many rows."""
        least, most = self.rows.get(role, (None, None))
        return (least is None or least <= rows) and (most is None or rows <= most)


class BaseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One base model version, with what it takes for each method that tunes it."""

    name: str
    family: Family
    methods: dict[str, Tuning]
    batch_sizes: dict[str, int] = {}
    retired: datetime.date | None = None
    replacement: str | None = None

    @property
    def formats(self) -> frozenset[Format]:
        """The formats of rows that some method tunes it on."""
        return frozenset(fmt for tuning in self.methods.values() for fmt in tuning.formats)

    def tuning(self, method: str, fmt: Format) -> Tuning | None:
        """What it takes for a method; None where that method does not tune it on rows of the format."""
        tuning = self.methods.get(method)
        return tuning if tuning is not None and fmt in tuning.formats else None

    def retired_on(self, day: datetime.date) -> bool:
        """Whether Google Cloud no longer has it on that day."""
        return self.retired is not None and self.retired <= day


class _Catalogue(msgspec.Struct, frozen=True):
    methods: dict[str, KnownMethod]
    base_models: dict[str, BaseModel]


def known_methods() -> Mapping[str, KnownMethod]:
    """Every tuning method that the catalogue knows, by name; the first that takes a format is that format's own."""
    return _catalogue().methods


def base_models() -> Mapping[str, BaseModel]:
    """Every base model that the catalogue knows, by name."""
    return _catalogue().base_models


@cache
def _catalogue() -> _Catalogue:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (Path(__file__).parent / "catalogue.yaml").read_text(encoding="utf-8")
    named = {
        section: {name: {"name": name, **entry} for name, entry in entries.items()}
        for section, entries in yaml.load(text, Loader=loader).items()
    }
    return msgspec.convert(named, _Catalogue)
